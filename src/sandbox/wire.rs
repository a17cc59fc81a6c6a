//! The server's side of the wire: reads requests, writes answers, pushes and COMP frames.
//!
//! Pure. The body of a request stays in its original text, because the checksum covers that text.

use std::{borrow::Cow, fmt, io::Write};

use flate2::{
    Compress, Compression, FlushCompress,
    write::{GzEncoder, ZlibEncoder},
};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor},
};
use serde_json::value::RawValue;

/// A connection, numbered by the owner of the sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

/// One request of a client.
#[derive(Debug, Deserialize)]
pub(crate) struct Request<'a> {
    #[serde(borrow)]
    pub(crate) head: Head<'a>,
    #[serde(borrow)]
    pub(crate) body: &'a RawValue,
}

/// The fields of a request head that the sandbox reads. All but the command and its number are
/// optional: a later check refuses an unusable head with the proper code.
#[derive(Debug, Deserialize)]
pub(crate) struct Head<'a> {
    #[serde(borrow)]
    pub(crate) servcmd: Cow<'a, str>,
    pub(crate) seq: Seq,
    #[serde(default, deserialize_with = "lenient_u64")]
    pub(crate) sdkappid: u64,
    #[serde(default = "web", deserialize_with = "lenient_u64")]
    pub(crate) platform: u64,
    #[serde(borrow, default)]
    pub(crate) identifier: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(crate) usersig: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "some_text")]
    pub(crate) a2: Option<Cow<'a, str>>,
    /// `None` from clients that send no checksum.
    #[serde(default, deserialize_with = "some_u64")]
    pub(crate) cs: Option<u64>,
}

const fn web() -> u64 {
    7
}

/// The number of a request, echoed in its JSON type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum Seq {
    /// The usual form.
    Number(u64),
    /// Also accepted.
    Text(String),
}

impl<'de> Deserialize<'de> for Seq {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl Visitor<'_> for Either {
            type Value = Seq;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number or a string")
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Seq, E> {
                Ok(Seq::Number(number))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Seq, E> {
                let number = u64::try_from(number)
                    .map_err(|_| E::invalid_value(Unexpected::Signed(number), &self))?;
                Ok(Seq::Number(number))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Seq, E> {
                Ok(Seq::Text(text.to_owned()))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

/// A number that may be written as a string; anything else counts as zero.
fn lenient_u64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    struct Lenient;

    impl<'de> Visitor<'de> for Lenient {
        type Value = u64;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("anything")
        }

        fn visit_u64<E>(self, number: u64) -> Result<u64, E> {
            Ok(number)
        }

        fn visit_i64<E>(self, number: i64) -> Result<u64, E> {
            Ok(u64::try_from(number).unwrap_or(0))
        }

        fn visit_f64<E>(self, _: f64) -> Result<u64, E> {
            Ok(0)
        }

        fn visit_bool<E>(self, _: bool) -> Result<u64, E> {
            Ok(0)
        }

        fn visit_unit<E>(self) -> Result<u64, E> {
            Ok(0)
        }

        fn visit_str<E>(self, text: &str) -> Result<u64, E> {
            Ok(text.parse().unwrap_or(0))
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<u64, A::Error> {
            while items.next_element::<IgnoredAny>()?.is_some() {}
            Ok(0)
        }

        fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<u64, A::Error> {
            while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok(0)
        }
    }

    deserializer.deserialize_any(Lenient)
}

/// An optional string that is borrowed where it has no escapes.
fn some_text<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Cow<'de, str>>, D::Error> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

    Ok(Option::<Text<'de>>::deserialize(deserializer)?.map(|text| text.0))
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
    let mut out = Vec::with_capacity(512);
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
        let mut out = Vec::with_capacity(512);
        flate2::Decompress::new(false)
            .decompress_vec(&sync[14..], &mut out, flate2::FlushDecompress::Sync)
            .unwrap();
        assert_eq!(out, text);
    }
}
