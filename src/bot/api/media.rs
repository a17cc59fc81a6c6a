//! Files: uploading them for a message, and getting those of others.
//!
//! The bytes are not in the message; they are put to an address that the server gives for them, and
//! the message says where they lie.

use super::{Api, ApiError};
use crate::bot::transfer::{self, Progress, TransferError};
use crate::proto::id::SdkAppId;
use crate::proto::message::{Element, File, Image, ImageFormat, ImageSize, Sound, Video};
use crate::proto::op::media::{FileKind, PreSig, SimpleSig, VideoCover};
use actix::prelude::ArbiterHandle;
use bytes::Bytes;
use serde_json::Map;
use std::path::Path;
use std::sync::Arc;

/// In which of its two ways a server gives out addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Uploads {
    /// The sandbox, and servers in private networks.
    #[default]
    Private,
    /// The service itself.
    Service(SdkAppId),
}

/// What carries files for an [`Api`].
#[derive(Clone, Debug)]
pub(super) struct Carrier {
    pub(super) on: ArbiterHandle,
    pub(super) uploads: Uploads,
}

/// A file to upload.
#[derive(Clone)]
pub struct Upload {
    name: String,
    content_type: String,
    bytes: Bytes,
    progress: Option<Progress>,
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload")
            .field("name", &self.name)
            .field("size", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

impl Upload {
    /// Bytes, under the name the receiver is to see.
    pub fn new(name: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        let name = name.into();
        Self {
            content_type: content_type(&name).to_owned(),
            name,
            bytes: bytes.into(),
            progress: None,
        }
    }

    /// Reads a file; the receiver sees its name without the folder. More than 100 MB are refused.
    ///
    /// # Errors
    /// When it cannot be read, or is too large.
    pub async fn read(path: impl AsRef<Path>) -> std::io::Result<Self> {
        let path = path.as_ref();
        if tokio::fs::metadata(path).await?.len() > FileKind::File.limit() {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Ok(Self::new(name, tokio::fs::read(path).await?))
    }

    /// Sets the MIME type, which otherwise follows from the name.
    #[must_use]
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = content_type.into();
        self
    }

    /// Has `told` called with the bytes sent so far and the bytes in all, on a thread that must not
    /// be kept waiting.
    #[must_use]
    pub fn progress(mut self, told: impl Fn(u64, u64) + Send + Sync + 'static) -> Self {
        self.progress = Some(Arc::new(told));
        self
    }
}

/// Where an uploaded file lies.
struct Placed {
    url: String,
    uuid: String,
    cover: String,
}

impl Api {
    /// Uploads a picture (20 MB at most) for a message.
    ///
    /// # Errors
    /// [`ApiError::Unfit`] for what is no picture; [`ApiError::Transfer`] when it is too large or
    /// did not arrive; [`ApiError::Call`] when the server gave no address.
    pub async fn upload_image(&self, upload: Upload) -> Result<Image, ApiError> {
        let size = imagesize::blob_size(&upload.bytes);
        let size = size.map_err(|_| ApiError::Unfit("the file is no picture"))?;
        let pixels = |edge: usize| u32::try_from(edge).unwrap_or(u32::MAX);
        let (width, height) = (pixels(size.width), pixels(size.height));
        let (format, bytes) = (format_of(&upload.bytes), upload.bytes.len() as u64);
        let placed = self.upload(upload, FileKind::Image).await?;
        Ok(Image {
            uuid: placed.uuid,
            format: format as u32,
            sizes: sizes_of(&placed.url, bytes, width, height),
            extra: Map::new(),
        })
    }

    /// Uploads any file (100 MB at most) for a message.
    ///
    /// # Errors
    /// [`ApiError::Transfer`] when it is too large or did not arrive; [`ApiError::Call`] when the
    /// server gave no address.
    pub async fn upload_file(&self, upload: Upload) -> Result<File, ApiError> {
        let (name, size) = (upload.name.clone(), upload.bytes.len() as u64);
        let placed = self.upload(upload, FileKind::File).await?;
        Ok(File {
            url: placed.url,
            uuid: placed.uuid,
            name,
            size,
            download_flag: BY_URL,
            extra: Map::new(),
        })
    }

    /// Uploads a sound (20 MB at most) of so many seconds for a message.
    ///
    /// # Errors
    /// As [`upload_file`](Self::upload_file).
    pub async fn upload_sound(&self, upload: Upload, seconds: u32) -> Result<Sound, ApiError> {
        let size = upload.bytes.len() as u64;
        let placed = self.upload(upload, FileKind::Sound).await?;
        Ok(Sound {
            url: placed.url,
            uuid: placed.uuid,
            size,
            seconds,
            download_flag: BY_URL,
            extra: Map::new(),
        })
    }

    /// Uploads a film (100 MB at most) of so many seconds for a message. The picture that is shown
    /// before it plays is the server's to make.
    ///
    /// # Errors
    /// As [`upload_file`](Self::upload_file).
    pub async fn upload_video(&self, upload: Upload, seconds: u32) -> Result<Video, ApiError> {
        let size = upload.bytes.len() as u64;
        let format = extension(&upload.name).to_owned();
        let placed = self.upload(upload, FileKind::Video).await?;
        Ok(Video {
            url: placed.url,
            thumb_uuid: placed.uuid.clone(),
            uuid: placed.uuid,
            format,
            seconds,
            size,
            download_flag: BY_URL,
            thumb_url: placed.cover,
            thumb_format: "jpg".to_owned(),
            thumb_size: 0,
            thumb_width: 0,
            thumb_height: 0,
            thumb_download_flag: BY_URL,
            extra: Map::new(),
        })
    }

    async fn upload(&self, upload: Upload, kind: FileKind) -> Result<Placed, ApiError> {
        let limit = kind.limit();
        if upload.bytes.len() as u64 > limit {
            return Err(TransferError::TooLarge { limit }.into());
        }
        let carrier = self.carrier.as_ref().ok_or(TransferError::Nowhere)?;
        // Drawn anew each time: what the name says is between the sender and the receiver.
        let number = fastrand::u32(..1_000_000);
        let unique = format!("{:032x}-{number}", fastrand::u128(..));
        let uuid = format!("{unique}.{}", extension(&upload.name));
        let (put, exists, placed) = match carrier.uploads {
            Uploads::Private => {
                let signed = self.call(&PreSig::new(kind, &uuid)).await?;
                let cover = if signed.thumb_url.is_empty() {
                    signed.snapshot_url
                } else {
                    signed.thumb_url
                };
                let url = signed.download_url;
                (signed.upload_url, false, Placed { url, uuid, cover })
            }
            Uploads::Service(app) => {
                let request = SimpleSig::new(app.get(), self.me(), false, kind, &uuid);
                let signed = self.call(&request).await?.files.into_iter().next();
                let signed = signed.ok_or(NO_ADDRESS)?;
                let mut cover = String::new();
                if kind == FileKind::Video && !signed.snapshot_url.is_empty() {
                    let request = VideoCover::new(unique, signed.snapshot_url);
                    cover = self.call(&request).await?.download_url;
                }
                let url = signed.download_url;
                (
                    signed.upload_url,
                    signed.exists,
                    Placed { url, uuid, cover },
                )
            }
        };
        if placed.url.is_empty() {
            return Err(NO_ADDRESS);
        }
        if !exists {
            let Upload {
                content_type,
                bytes,
                progress,
                ..
            } = upload;
            transfer::put(&carrier.on, put, content_type, bytes, progress).await?;
        }
        Ok(placed)
    }

    /// Gets the file of an image (the original), file, sound or video element, of `limit` bytes at
    /// most. The URL is whatever the sender wrote: it may point anywhere this program can reach.
    ///
    /// # Errors
    /// [`ApiError::Unfit`] for an element without a file; [`ApiError::Transfer`].
    pub async fn download(&self, element: &Element, limit: u64) -> Result<Bytes, ApiError> {
        let url = file_url(element).filter(|url| !url.is_empty());
        let url = url.ok_or(ApiError::Unfit("the element has no file"))?;
        let carrier = self.carrier.as_ref().ok_or(TransferError::Nowhere)?;
        Ok(transfer::get(&carrier.on, url.to_owned(), limit).await?)
    }
}

/// How receivers get a file: by its URL.
const BY_URL: u32 = 2;
const NO_ADDRESS: ApiError = ApiError::Unfit("the server gave no address for the file");

fn file_url(element: &Element) -> Option<&str> {
    match element {
        Element::Image(image) => image.original().map(|size| size.url.as_str()),
        Element::File(file) => Some(&file.url),
        Element::Sound(sound) => Some(&sound.url),
        Element::Video(video) => Some(&video.url),
        _ => None,
    }
}

/// Without the dot; `bin` when the name has none that is fit for a URL.
fn extension(name: &str) -> &str {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let is_fit = (1..=8).contains(&extension.len())
        && extension.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_fit { extension } else { "bin" }
}

fn content_type(name: &str) -> &'static str {
    match extension(name).to_ascii_lowercase().as_str() {
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "gif" => "image/gif",
        "bmp" => "image/bmp",
        "webp" => "image/webp",
        "mp3" => "audio/mpeg",
        "m4a" => "audio/mp4",
        "wav" => "audio/wav",
        "mp4" => "video/mp4",
        "mov" => "video/quicktime",
        "pdf" => "application/pdf",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn format_of(bytes: &[u8]) -> ImageFormat {
    use imagesize::ImageType;
    match imagesize::image_type(bytes) {
        Ok(ImageType::Jpeg) => ImageFormat::Jpeg,
        Ok(ImageType::Gif) => ImageFormat::Gif,
        Ok(ImageType::Png) => ImageFormat::Png,
        Ok(ImageType::Bmp) => ImageFormat::Bmp,
        _ => ImageFormat::Other,
    }
}

/// The three sizes of a picture. Those that would be smaller are asked for in the URL, as the
/// official client does; a server that cannot make them gives the original.
fn sizes_of(url: &str, bytes: u64, width: u32, height: u32) -> Vec<ImageSize> {
    let size = |kind: u32, edge: u32| {
        let shorter = width.min(height);
        let scaled = |pixels: u32| {
            let scaled = u64::from(pixels) * u64::from(edge) / u64::from(shorter.max(1));
            u32::try_from(scaled).unwrap_or(u32::MAX)
        };
        let is_smaller = shorter > edge;
        ImageSize {
            kind,
            size: if is_smaller { 0 } else { bytes },
            width: if is_smaller { scaled(width) } else { width },
            height: if is_smaller { scaled(height) } else { height },
            url: if is_smaller {
                let mark = if url.contains('?') { '&' } else { '?' };
                format!("{url}{mark}imageView2/3/w/{edge}/h/{edge}")
            } else {
                url.to_owned()
            },
            extra: Map::new(),
        }
    };
    vec![size(1, u32::MAX), size(2, 720), size(3, 198)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_the_sizes_the_official_client_gives_it() {
        let url = "http://host/x.png";
        let sizes = sizes_of(url, 9, 800, 600);
        let look: Vec<_> = sizes
            .iter()
            .map(|size| (size.kind, size.width, size.height, size.url.as_str()))
            .collect();
        let thumbnail = "http://host/x.png?imageView2/3/w/198/h/198";
        assert_eq!(
            look,
            [
                (1, 800, 600, url),
                (2, 800, 600, url),
                (3, 264, 198, thumbnail)
            ]
        );
        assert!(
            sizes_of("http://h/x?sign=1", 9, 300, 300)[2]
                .url
                .contains("sign=1&image")
        );
        assert_eq!(sizes_of(url, 9, 0, 0)[2].width, 0);
    }

    #[test]
    fn only_tame_extensions_go_into_a_url() {
        for (name, expected) in [
            ("a.PNG", "PNG"),
            ("a.tar.gz", "gz"),
            ("a", "bin"),
            ("a.", "bin"),
            ("a.p/g", "bin"),
            ("a.表", "bin"),
            ("a.toolongextension", "bin"),
        ] {
            assert_eq!(extension(name), expected, "{name}");
        }
        assert_eq!(content_type("X.JPG"), "image/jpeg");
        assert_eq!(content_type("x"), "application/octet-stream");
    }

    #[actix_rt::test]
    async fn what_cannot_be_uploaded_is_refused_before_anything_is_sent() {
        let bot = crate::bot::testing::TestBot::new(crate::bot::Bot::new("test"));
        let api = bot.api();
        let no_picture = api.upload_image(Upload::new("a.png", "text")).await;
        assert!(matches!(no_picture, Err(ApiError::Unfit(_))));
        let sound = vec![0; 20 * 1024 * 1024 + 1];
        let limit = FileKind::Sound.limit();
        assert_eq!(
            api.upload_sound(Upload::new("a.mp3", sound), 1).await,
            Err(TransferError::TooLarge { limit }.into())
        );
        assert_eq!(
            api.upload_file(Upload::new("a", "text")).await,
            Err(TransferError::Nowhere.into())
        );
        assert!(matches!(
            api.download(&Element::text("x"), 9).await,
            Err(ApiError::Unfit(_))
        ));
        assert!(bot.calls().is_empty());
    }
}
