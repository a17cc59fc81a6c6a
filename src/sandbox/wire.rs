//! The server's side of the wire: reads requests, writes answers, pushes and COMP frames.
//!
//! Pure. The body of a request stays in its original text, because the checksum covers that text.

use std::io::Write;

use flate2::{
    Compress, Compression, FlushCompress,
    write::{GzEncoder, ZlibEncoder},
};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

/// A connection, numbered by the owner of the sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

/// One request of a client.
#[derive(Debug, Deserialize)]
pub(crate) struct Request<'a> {
    pub(crate) head: Head,
    #[serde(borrow)]
    pub(crate) body: &'a RawValue,
}

/// The fields of a request head that the sandbox reads. All but the command and its number are
/// optional: a later check refuses an unusable head with the proper code.
#[derive(Debug, Deserialize)]
pub(crate) struct Head {
    pub(crate) servcmd: String,
    pub(crate) seq: Seq,
    #[serde(default, deserialize_with = "lenient_u64")]
    pub(crate) sdkappid: u64,
    #[serde(default = "web", deserialize_with = "lenient_u64")]
    pub(crate) platform: u64,
    #[serde(default)]
    pub(crate) identifier: String,
    #[serde(default)]
    pub(crate) usersig: String,
    #[serde(default)]
    pub(crate) a2: Option<String>,
    /// `None` from clients that send no checksum.
    #[serde(default, deserialize_with = "some_u64")]
    pub(crate) cs: Option<u64>,
}

const fn web() -> u64 {
    7
}

/// The number of a request, echoed in its JSON type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Seq {
    /// The usual form.
    Number(u64),
    /// Also accepted.
    Text(String),
}

/// A number that may be written as a string; anything else counts as zero.
fn lenient_u64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    Ok(match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::Number(number) => number.as_u64().unwrap_or(0),
        serde_json::Value::String(text) => text.parse().unwrap_or(0),
        _ => 0,
    })
}

/// Like [`lenient_u64`], for an optional field.
fn some_u64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    lenient_u64(deserializer).map(Some)
}

/// Reads one request.
pub(crate) fn decode(payload: &[u8]) -> Result<Request<'_>, serde_json::Error> {
    serde_json::from_slice(payload)
}

#[derive(Serialize)]
struct Envelope<'a, S, B> {
    head: OutHead<'a, S>,
    body: B,
}

#[derive(Serialize)]
struct OutHead<'a, S> {
    servcmd: &'a str,
    seq: S,
}

/// Writes an answer or a push as JSON text.
pub(crate) fn encode<S: Serialize, B: Serialize>(servcmd: &str, seq: S, body: B) -> Vec<u8> {
    let envelope = Envelope {
        head: OutHead { servcmd, seq },
        body,
    };
    let mut out = Vec::with_capacity(256);
    if serde_json::to_writer(&mut out, &envelope).is_err() {
        // Only maps with non-string keys fail, and there are none; a client ignores an empty frame.
        out.clear();
    }
    out
}

/// The compression of frames to binary clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CompressMode {
    /// No compression.
    #[default]
    None,
    /// A complete gzip stream.
    Gzip,
    /// A zlib stream.
    Zlib,
    /// A gzip stream that ends in a sync flush, without final block and trailer.
    Sync,
}

/// Compresses `text` into a COMP frame; returns `text` unchanged for [`CompressMode::None`].
pub(crate) fn compress(text: Vec<u8>, mode: CompressMode) -> Vec<u8> {
    let mut frame = b"COMP".to_vec();
    let packed = match mode {
        CompressMode::None => return text,
        CompressMode::Gzip => {
            let mut encoder = GzEncoder::new(frame, Compression::default());
            encoder.write_all(&text).and_then(|()| encoder.finish())
        }
        CompressMode::Zlib => {
            let mut encoder = ZlibEncoder::new(frame, Compression::default());
            encoder.write_all(&text).and_then(|()| encoder.finish())
        }
        CompressMode::Sync => {
            frame.extend_from_slice(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);
            frame.reserve(text.len() + text.len() / 1000 + 64);
            Compress::new(Compression::default(), false)
                .compress_vec(&text, &mut frame, FlushCompress::Sync)
                .map(|_| frame)
                .map_err(std::io::Error::from)
        }
    };
    packed.unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    const PING: &str = r#"{"head":{"servcmd":"heartbeat.alive","seq":1},"body":{}}"#;

    #[test]
    fn the_body_keeps_its_text() {
        let frame = br#"{"body":{ "a" : 1.50 },"head":{"servcmd":"x.y","seq":"12","cs":"7"}}"#;
        let request = decode(frame).unwrap();
        assert_eq!(request.body.get(), r#"{ "a" : 1.50 }"#);
        assert_eq!(request.head.cs, Some(7));
        assert_eq!(
            String::from_utf8(encode("x.y", &request.head.seq, ())).unwrap(),
            r#"{"head":{"servcmd":"x.y","seq":"12"},"body":null}"#
        );
    }

    #[test]
    fn incomplete_frames_are_errors() {
        for frame in [
            "",
            "{}",
            "[]",
            "{\"head\":{}}",
            "{\"head\":{\"servcmd\":\"a\",\"seq\":1}}",
        ] {
            assert!(decode(frame.as_bytes()).is_err(), "{frame}");
        }
    }

    #[test]
    fn every_compression_can_be_undone() {
        let text = PING.as_bytes().to_vec();
        assert_eq!(compress(text.clone(), CompressMode::None), text);

        let gzip = compress(text.clone(), CompressMode::Gzip);
        assert!(gzip.starts_with(b"COMP\x1f\x8b"));
        let mut out = Vec::new();
        flate2::read::GzDecoder::new(&gzip[4..])
            .read_to_end(&mut out)
            .unwrap();
        assert_eq!(out, text);

        let zlib = compress(text.clone(), CompressMode::Zlib);
        out.clear();
        flate2::read::ZlibDecoder::new(&zlib[4..])
            .read_to_end(&mut out)
            .unwrap();
        assert_eq!(out, text);

        let sync = compress(text.clone(), CompressMode::Sync);
        assert!(sync.ends_with(&[0, 0, 0xff, 0xff]), "ends in a sync flush");
        let mut out = Vec::with_capacity(256);
        flate2::Decompress::new(false)
            .decompress_vec(&sync[14..], &mut out, flate2::FlushDecompress::Sync)
            .unwrap();
        assert_eq!(out, text);
    }
}
