//! Converts WebSocket messages to JSON text.
//!
//! A message is plain JSON text, or the four bytes `COMP` followed by a zlib or gzip stream of the
//! text. The gateway and the sandbox handle the WebSocket framing; `packet`
//! interprets the text. See "Frames and compression" in `docs/src/protocol.md`.

use flate2::{Decompress, FlushDecompress, Status};
use std::borrow::Cow;

/// The kind of WebSocket messages on a connection. The URL path determines it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Frames {
    /// Path `/binfo`: binary messages in both directions. The server may compress them.
    Binary,
    /// Path `/info`: text messages in both directions, never compressed.
    Text,
}

/// The default size limit of one decoded packet, in bytes. The largest valid packets are pages of
/// messages of at most 12 KiB each. The page size is not documented; 32 MiB hold more than 2,500
/// messages.
pub const MAX_PACKET: usize = 32 << 20;

const COMP: &[u8; 4] = b"COMP";

/// The reason why a message, or the JSON in it, could not be decoded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The packet exceeds the size limit before or after decompression.
    #[error("packet is longer than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The compressed stream is damaged or has an unknown format.
    #[error("compressed packet cannot be inflated: {0}")]
    Inflate(&'static str),
    /// The text is not UTF-8.
    #[error("packet is not UTF-8 text")]
    NotUtf8,
    /// The text is not a JSON object of the expected shape.
    #[error("packet is not of the expected shape: {0}")]
    Json(#[from] serde_json::Error),
    /// `head.servcmd` is missing.
    #[error("packet has no command (head.servcmd)")]
    NoCommand,
}

/// Returns the JSON text of a WebSocket message, decompressing it if necessary.
///
/// A gzip stream may end with a sync flush and without a trailer, as the real service is reported
/// to send it. The text is then everything that was decompressed up to the end of the input.
///
/// # Errors
/// [`DecodeError::TooLarge`], [`DecodeError::Inflate`] or [`DecodeError::NotUtf8`].
pub fn decode(payload: &[u8], frames: Frames, limit: usize) -> Result<Cow<'_, str>, DecodeError> {
    if payload.len() > limit {
        return Err(DecodeError::TooLarge { limit });
    }
    match payload.strip_prefix(COMP) {
        Some(stream) if frames == Frames::Binary => {
            let plain = inflate(stream, limit)?;
            String::from_utf8(plain)
                .map(Cow::Owned)
                .map_err(|_| DecodeError::NotUtf8)
        }
        _ => std::str::from_utf8(payload)
            .map(Cow::Borrowed)
            .map_err(|_| DecodeError::NotUtf8),
    }
}

fn inflate(stream: &[u8], limit: usize) -> Result<Vec<u8>, DecodeError> {
    let (zlib, mut input) = match stream {
        [0x1f, 0x8b, ..] => (false, gzip_payload(stream)?),
        [first, ..] if first & 0x0f == 8 => (true, stream),
        _ => return Err(DecodeError::Inflate("neither gzip nor zlib")),
    };
    let mut state = Decompress::new(zlib);
    let mut plain = Vec::with_capacity(input.len().saturating_mul(4).clamp(256, 64 << 10));
    loop {
        let (before_in, before_out) = (state.total_in(), plain.len());
        let status = state
            .decompress_vec(input, &mut plain, FlushDecompress::None)
            .map_err(|_| DecodeError::Inflate("damaged stream"))?;
        let used = usize::try_from(state.total_in() - before_in).unwrap_or(input.len());
        input = input.get(used..).unwrap_or_default();
        if plain.len() > limit {
            return Err(DecodeError::TooLarge { limit });
        }
        if matches!(status, Status::StreamEnd) {
            break;
        }
        if plain.len() == plain.capacity() {
            // Allow only one byte over the limit, so that a decompression bomb stops here.
            let room = plain
                .capacity()
                .min((limit + 1).saturating_sub(plain.len()))
                .max(1);
            plain.reserve_exact(room);
        } else if used == 0 && plain.len() == before_out {
            break; // End of input: a stream that ends with a sync flush has no trailer.
        }
    }
    if plain.is_empty() {
        return Err(DecodeError::Inflate("stream is empty"));
    }
    Ok(plain)
}

/// Skips the gzip header (RFC 1952, section 2.3).
fn gzip_payload(stream: &[u8]) -> Result<&[u8], DecodeError> {
    const SHORT: DecodeError = DecodeError::Inflate("gzip header is cut off");
    let (header, mut rest) = stream.split_at_checked(10).ok_or(SHORT)?;
    if header[2] != 8 {
        return Err(DecodeError::Inflate("gzip method is not deflate"));
    }
    let flags = header[3];
    if flags & 0x04 != 0 {
        let (length, after) = rest.split_at_checked(2).ok_or(SHORT)?;
        let length = usize::from(u16::from_le_bytes([length[0], length[1]]));
        rest = after.get(length..).ok_or(SHORT)?;
    }
    for bit in [0x08, 0x10] {
        if flags & bit != 0 {
            let end = rest.iter().position(|byte| *byte == 0).ok_or(SHORT)?;
            rest = &rest[end + 1..];
        }
    }
    if flags & 0x02 != 0 {
        rest = rest.get(2..).ok_or(SHORT)?;
    }
    Ok(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder, write::ZlibEncoder};
    use proptest::prelude::*;
    use std::io::Write;

    const TEXT: &str = r#"{"head":{"servcmd":"heartbeat.alive","seq":1},"body":{}}"#;

    fn comp(stream: &[u8]) -> Vec<u8> {
        [COMP.as_slice(), stream].concat()
    }

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn gzip_sync_flush(data: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(data).unwrap();
        encoder.flush().unwrap();
        encoder.get_ref().clone()
    }

    fn zlib(data: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn every_form_gives_the_same_text() {
        let sync = gzip_sync_flush(TEXT.as_bytes());
        assert!(
            sync.ends_with(&[0, 0, 0xff, 0xff]),
            "not the sync-flush form"
        );
        for payload in [
            TEXT.as_bytes().to_vec(),
            comp(&gzip(TEXT.as_bytes())),
            comp(&sync),
            comp(&zlib(TEXT.as_bytes())),
        ] {
            assert_eq!(decode(&payload, Frames::Binary, MAX_PACKET).unwrap(), TEXT);
        }
    }

    #[test]
    fn a_gzip_header_with_every_optional_field_is_skipped() {
        let plain = gzip(TEXT.as_bytes());
        let mut stream = plain[..10].to_vec();
        stream[3] = 0x04 | 0x08 | 0x10 | 0x02;
        stream.extend([2, 0, 9, 9]);
        stream.extend(b"name\0comment\0cc");
        stream.extend(&plain[10..]);
        assert_eq!(
            decode(&comp(&stream), Frames::Binary, MAX_PACKET).unwrap(),
            TEXT
        );
    }

    #[test]
    fn a_large_text_comes_out_whole_in_every_form() {
        let text = "好消息 message ".repeat(20_000);
        for stream in [
            gzip(text.as_bytes()),
            gzip_sync_flush(text.as_bytes()),
            zlib(text.as_bytes()),
        ] {
            assert_eq!(
                decode(&comp(&stream), Frames::Binary, MAX_PACKET).unwrap(),
                text
            );
        }
    }

    #[test]
    fn a_bomb_is_an_error_and_does_not_inflate_past_the_limit() {
        let bomb = comp(&gzip(&vec![b'a'; 50 << 20]));
        assert!(bomb.len() < 100_000);
        let error = decode(&bomb, Frames::Binary, 1 << 20).unwrap_err();
        assert!(
            matches!(error, DecodeError::TooLarge { limit: 1_048_576 }),
            "{error}"
        );
    }

    #[test]
    fn exactly_the_limit_passes() {
        let text = "a".repeat(1000);
        assert!(decode(&comp(&gzip(text.as_bytes())), Frames::Binary, 1000).is_ok());
        assert!(decode(&comp(&gzip(text.as_bytes())), Frames::Binary, 999).is_err());
        assert!(decode(text.as_bytes(), Frames::Binary, 999).is_err());
    }

    #[test]
    fn compressed_messages_do_not_exist_on_the_text_path() {
        assert!(matches!(
            decode(&comp(&gzip(TEXT.as_bytes())), Frames::Text, MAX_PACKET),
            Err(DecodeError::NotUtf8)
        ));
    }

    #[test]
    fn garbage_after_comp_is_an_error() {
        for stream in [
            &b""[..],
            b"\x1f",
            b"\x1f\x8b",
            b"\x1f\x8b\x08\0\0\0\0\0\0\0",
            b"garbage",
            b"\x78\x9c\xff\xff",
        ] {
            assert!(
                decode(&comp(stream), Frames::Binary, MAX_PACKET).is_err(),
                "{stream:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), comp_first: bool) {
            let payload = if comp_first { comp(&bytes) } else { bytes };
            for frames in [Frames::Binary, Frames::Text] {
                let _ = decode(&payload, frames, 10_000);
            }
        }

        #[test]
        fn damaged_streams_never_exceed_the_limit(cut in 0usize..200, flip in 0usize..200, bit in 0u8..8) {
            let mut stream = comp(&gzip("abcdefgh 12345 ".repeat(500).as_bytes()));
            let flip = 4 + flip % (stream.len() - 4);
            stream[flip] ^= 1 << bit;
            stream.truncate(stream.len() - cut.min(stream.len() - 5));
            if let Ok(text) = decode(&stream, Frames::Binary, 4_000) {
                prop_assert!(text.len() <= 4_000);
            }
        }
    }
}
