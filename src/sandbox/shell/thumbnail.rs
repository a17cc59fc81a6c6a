//! Scaled copies of uploaded pictures, for queries in the form of the real service:
//! `?imageView2/3/w/198/h/198`. Pure: bytes in, bytes out.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, ImageReader, Limits};

/// The longest edge a query may ask for, in pixels.
const MAX_EDGE: u32 = 2000;
/// The longest edge of a picture that is decoded, and the most memory for decoding.
const MAX_SOURCE: u32 = 16_384;
const MAX_MEMORY: u64 = 256 * 1024 * 1024;

/// The length of the shorter edge that a query asks for; `None` if it asks for the original.
pub(super) fn asked_for(query: &str) -> Option<u32> {
    // The parameter has neither name nor value, and may follow others.
    let view = query
        .split('&')
        .find_map(|part| part.strip_prefix("imageView2/3/"))?;
    let mut words = view.split('/');
    let mut edge = None;
    while let (Some(name), Some(value)) = (words.next(), words.next()) {
        if matches!(name, "w" | "h") {
            let value: u32 = value.parse().ok()?;
            edge = edge.max(Some(value));
        }
    }
    edge.filter(|edge| (1..=MAX_EDGE).contains(edge))
}

/// A copy whose shorter edge is `edge` pixels long, and its MIME type. `None` if the picture is not
/// larger or cannot be decoded.
pub(super) fn smaller(bytes: &[u8], edge: u32) -> Option<(Vec<u8>, &'static str)> {
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .ok()?;
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(MAX_SOURCE), Some(MAX_SOURCE));
    limits.max_alloc = Some(MAX_MEMORY);
    reader.limits(limits);
    let picture = reader.decode().ok()?;
    let shorter = picture.width().min(picture.height());
    if shorter <= edge {
        return None;
    }
    let scaled = |pixels: u32| {
        let scaled = u64::from(pixels) * u64::from(edge) / u64::from(shorter);
        u32::try_from(scaled).unwrap_or(u32::MAX).max(1)
    };
    let (width, height) = (scaled(picture.width()), scaled(picture.height()));
    // `resize` would need an intermediate buffer of floats, many times the size of the picture.
    let small = picture.thumbnail_exact(width, height);
    let (format, content_type) = if small.color().has_alpha() {
        (ImageFormat::Png, "image/png")
    } else {
        (ImageFormat::Jpeg, "image/jpeg")
    };
    let small = match format {
        ImageFormat::Jpeg => DynamicImage::ImageRgb8(small.to_rgb8()),
        _ => small,
    };
    let mut written = Vec::new();
    small
        .write_to(&mut Cursor::new(&mut written), format)
        .ok()?;
    Some((written, content_type))
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage, Rgba, RgbaImage};
    use proptest::prelude::*;

    use super::*;

    fn png(picture: &DynamicImage) -> Vec<u8> {
        let mut bytes = Vec::new();
        picture
            .write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png)
            .unwrap();
        bytes
    }

    #[test]
    fn queries_as_clients_write_them() {
        for (query, edge) in [
            ("imageView2/3/w/198/h/198", Some(198)),
            ("sign=1&imageView2/3/w/720/h/720", Some(720)),
            ("imageView2/3/w/198", Some(198)),
            ("imageView2/3/w/0/h/0", None),
            ("imageView2/3/w/99999/h/1", None),
            ("imageView2/3/w/-1/h/x", None),
            ("imageView2/1/w/198/h/198", None),
            ("imageView2/3/", None),
            ("", None),
        ] {
            assert_eq!(asked_for(query), edge, "{query}");
        }
    }

    #[test]
    fn a_large_picture_gets_smaller_and_keeps_its_shape() {
        let red = RgbImage::from_pixel(800, 600, Rgb([200, 10, 10]));
        let (bytes, content_type) = smaller(&png(&DynamicImage::ImageRgb8(red)), 198).unwrap();
        assert_eq!(content_type, "image/jpeg");
        let small = image::load_from_memory(&bytes).unwrap();
        assert_eq!((small.width(), small.height()), (264, 198));
        let Rgb([r, g, b]) = *small.to_rgb8().get_pixel(100, 100);
        assert!(r > 190 && g < 30 && b < 30, "{r} {g} {b}");
        let glass = RgbaImage::from_pixel(300, 1000, Rgba([0, 0, 255, 9]));
        let glass = png(&DynamicImage::ImageRgba8(glass));
        let (bytes, content_type) = smaller(&glass, 150).unwrap();
        assert_eq!(content_type, "image/png");
        let small = image::load_from_memory(&bytes).unwrap();
        assert_eq!((small.width(), small.height()), (150, 500));
        assert_eq!(smaller(&glass, 300), None, "it is not larger");
    }

    #[test]
    fn what_would_take_too_much_is_not_read() {
        // A header that claims 60,000 × 60,000 pixels.
        let mut bomb = png(&DynamicImage::new_rgb8(2, 2));
        bomb[16..20].copy_from_slice(&60_000_u32.to_be_bytes());
        bomb[20..24].copy_from_slice(&60_000_u32.to_be_bytes());
        assert_eq!(smaller(&bomb, 198), None);
    }

    proptest! {
        #[test]
        fn broken_pictures_never_panic(
            kind in 0_usize..4, at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>(),
        ) {
            let format = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::Bmp][kind];
            let mut bytes = Vec::new();
            DynamicImage::new_rgb8(40, 30).write_to(&mut Cursor::new(&mut bytes), format).unwrap();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            bytes.truncate(cut.index(bytes.len()) + 1);
            let _ = smaller(&bytes, 10);
        }

        #[test]
        fn any_query_is_read_without_a_panic(query in ".{0,60}") {
            let _ = asked_for(&query);
        }
    }
}
