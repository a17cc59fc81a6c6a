//! Contents of elements with files: image, file, sound and video. The message contains the URL to
//! which its sender uploaded the file, not the bytes. See "Files" in `docs/src/protocol.md`.

use crate::lenient;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The download method: 2 means by URL, the only method that this crate supports.
pub(super) fn by_url() -> u32 {
    2
}

/// `TIMImageElem`: one picture, in up to three sizes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Image {
    /// The file name on the server.
    #[serde(rename = "UUID", default, deserialize_with = "lenient::string")]
    pub uuid: String,
    /// See [`ImageFormat`]. Unknown numbers are kept.
    #[serde(rename = "ImageFormat", default, deserialize_with = "lenient::int")]
    pub format: u32,
    /// The sizes: original, large, thumbnail.
    #[serde(rename = "ImageInfoArray", default)]
    pub sizes: Vec<ImageSize>,
    /// Unknown fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// One of the sizes of an [`Image`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ImageSize {
    /// 1 original, 2 large, 3 thumbnail.
    #[serde(rename = "Type", default, deserialize_with = "lenient::int")]
    pub kind: u32,
    /// Size in bytes; zero if it is unknown.
    #[serde(rename = "Size", default, deserialize_with = "lenient::int")]
    pub size: u64,
    /// Width in pixels.
    #[serde(rename = "Width", default, deserialize_with = "lenient::int")]
    pub width: u32,
    /// Height in pixels.
    #[serde(rename = "Height", default, deserialize_with = "lenient::int")]
    pub height: u32,
    /// The download URL.
    #[serde(rename = "URL", default, deserialize_with = "lenient::string")]
    pub url: String,
    /// Unknown fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Values of [`Image::format`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
#[non_exhaustive]
pub enum ImageFormat {
    /// JPEG
    Jpeg = 1,
    /// GIF
    Gif = 2,
    /// PNG
    Png = 3,
    /// BMP
    Bmp = 4,
    /// Any other format.
    Other = 255,
}

impl Image {
    /// Returns the original picture, or the first available size.
    #[must_use]
    pub fn original(&self) -> Option<&ImageSize> {
        self.size(1).or_else(|| self.sizes.first())
    }

    /// Returns the thumbnail.
    #[must_use]
    pub fn thumbnail(&self) -> Option<&ImageSize> {
        self.size(3)
    }

    fn size(&self, kind: u32) -> Option<&ImageSize> {
        self.sizes.iter().find(|size| size.kind == kind)
    }
}

/// `TIMFileElem`: any file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct File {
    /// The download URL.
    #[serde(rename = "Url", default, deserialize_with = "lenient::string")]
    pub url: String,
    /// The file name on the server.
    #[serde(rename = "UUID", default, deserialize_with = "lenient::string")]
    pub uuid: String,
    /// The file name on the sender's machine. It is untrusted: do not use it as a path.
    #[serde(rename = "FileName", default, deserialize_with = "lenient::string")]
    pub name: String,
    /// Size in bytes.
    #[serde(rename = "FileSize", default, deserialize_with = "lenient::int")]
    pub size: u64,
    /// 2: download by URL.
    #[serde(
        rename = "Download_Flag",
        default = "by_url",
        deserialize_with = "lenient::int"
    )]
    pub download_flag: u32,
    /// Unknown fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `TIMSoundElem`: recorded speech or any other sound.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sound {
    /// The download URL.
    #[serde(rename = "Url", default, deserialize_with = "lenient::string")]
    pub url: String,
    /// The file name on the server.
    #[serde(rename = "UUID", default, deserialize_with = "lenient::string")]
    pub uuid: String,
    /// Size in bytes.
    #[serde(rename = "Size", default, deserialize_with = "lenient::int")]
    pub size: u64,
    /// Length in seconds.
    #[serde(rename = "Second", default, deserialize_with = "lenient::int")]
    pub seconds: u32,
    /// 2: download by URL.
    #[serde(
        rename = "Download_Flag",
        default = "by_url",
        deserialize_with = "lenient::int"
    )]
    pub download_flag: u32,
    /// Unknown fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `TIMVideoFileElem`: a video and its cover picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Video {
    /// The download URL of the video.
    #[serde(rename = "VideoUrl", default, deserialize_with = "lenient::string")]
    pub url: String,
    /// The file name of the video on the server.
    #[serde(rename = "VideoUUID", default, deserialize_with = "lenient::string")]
    pub uuid: String,
    /// The format, e.g. `mp4`.
    #[serde(rename = "VideoFormat", default, deserialize_with = "lenient::string")]
    pub format: String,
    /// Length in seconds.
    #[serde(rename = "VideoSecond", default, deserialize_with = "lenient::int")]
    pub seconds: u32,
    /// Size in bytes.
    #[serde(rename = "VideoSize", default, deserialize_with = "lenient::int")]
    pub size: u64,
    /// 2: download by URL.
    #[serde(
        rename = "VideoDownloadFlag",
        default = "by_url",
        deserialize_with = "lenient::int"
    )]
    pub download_flag: u32,
    /// The download URL of the picture.
    #[serde(rename = "ThumbUrl", default, deserialize_with = "lenient::string")]
    pub thumb_url: String,
    /// The file name of the picture on the server.
    #[serde(rename = "ThumbUUID", default, deserialize_with = "lenient::string")]
    pub thumb_uuid: String,
    /// The format, e.g. `jpg`.
    #[serde(rename = "ThumbFormat", default, deserialize_with = "lenient::string")]
    pub thumb_format: String,
    /// Size in bytes.
    #[serde(rename = "ThumbSize", default, deserialize_with = "lenient::int")]
    pub thumb_size: u64,
    /// Width in pixels.
    #[serde(rename = "ThumbWidth", default, deserialize_with = "lenient::int")]
    pub thumb_width: u32,
    /// Height in pixels.
    #[serde(rename = "ThumbHeight", default, deserialize_with = "lenient::int")]
    pub thumb_height: u32,
    /// 2: download by URL.
    #[serde(
        rename = "ThumbDownloadFlag",
        default = "by_url",
        deserialize_with = "lenient::int"
    )]
    pub thumb_download_flag: u32,
    /// Unknown fields, and the second set of names (`SnapshotUrl`, `SnapshotSize`, …) under which
    /// the official client repeats the data of the picture.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
