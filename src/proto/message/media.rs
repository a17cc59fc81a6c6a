//! The contents of elements that point to a file: image, file, sound, video. The bytes are not in the
//! message; they lie at a URL that whoever made the message uploaded them to.

use crate::lenient;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How a file is to be fetched: 2 means by its URL, which is all there is here.
pub(super) fn by_url() -> u32 {
    2
}

/// `TIMImageElem`: one picture, in up to three sizes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Image {
    /// The name of the file with the server.
    #[serde(rename = "UUID", default, deserialize_with = "lenient::string")]
    pub uuid: String,
    /// See [`ImageFormat`]; numbers it does not know are kept.
    #[serde(rename = "ImageFormat", default, deserialize_with = "lenient::int")]
    pub format: u32,
    /// Original, large, thumbnail.
    #[serde(rename = "ImageInfoArray", default)]
    pub sizes: Vec<ImageSize>,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// One of the sizes of an [`Image`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ImageSize {
    /// 1 original, 2 large, 3 thumbnail.
    #[serde(rename = "Type", default, deserialize_with = "lenient::int")]
    pub kind: u32,
    /// Bytes; zero where nobody knew.
    #[serde(rename = "Size", default, deserialize_with = "lenient::int")]
    pub size: u64,
    /// Pixels.
    #[serde(rename = "Width", default, deserialize_with = "lenient::int")]
    pub width: u32,
    /// Pixels.
    #[serde(rename = "Height", default, deserialize_with = "lenient::int")]
    pub height: u32,
    /// Where it lies.
    #[serde(rename = "URL", default, deserialize_with = "lenient::string")]
    pub url: String,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Numbers of [`Image::format`].
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
    /// Anything else.
    Other = 255,
}

impl Image {
    /// The picture as it was uploaded, or the first size there is.
    #[must_use]
    pub fn original(&self) -> Option<&ImageSize> {
        self.size(1).or_else(|| self.sizes.first())
    }

    /// The small one.
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
    /// Where it lies.
    #[serde(rename = "Url", default, deserialize_with = "lenient::string")]
    pub url: String,
    /// Its name with the server.
    #[serde(rename = "UUID", default, deserialize_with = "lenient::string")]
    pub uuid: String,
    /// Its name with whoever sent it. Comes from outside: not to be trusted as a path.
    #[serde(rename = "FileName", default, deserialize_with = "lenient::string")]
    pub name: String,
    /// Bytes.
    #[serde(rename = "FileSize", default, deserialize_with = "lenient::int")]
    pub size: u64,
    /// 2: by its URL.
    #[serde(
        rename = "Download_Flag",
        default = "by_url",
        deserialize_with = "lenient::int"
    )]
    pub download_flag: u32,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `TIMSoundElem`: recorded speech or any other sound.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sound {
    /// Where it lies.
    #[serde(rename = "Url", default, deserialize_with = "lenient::string")]
    pub url: String,
    /// Its name with the server.
    #[serde(rename = "UUID", default, deserialize_with = "lenient::string")]
    pub uuid: String,
    /// Bytes.
    #[serde(rename = "Size", default, deserialize_with = "lenient::int")]
    pub size: u64,
    /// Length in seconds.
    #[serde(rename = "Second", default, deserialize_with = "lenient::int")]
    pub seconds: u32,
    /// 2: by its URL.
    #[serde(
        rename = "Download_Flag",
        default = "by_url",
        deserialize_with = "lenient::int"
    )]
    pub download_flag: u32,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `TIMVideoFileElem`: a film and the picture that is shown before it plays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Video {
    /// Where the film lies.
    #[serde(rename = "VideoUrl", default, deserialize_with = "lenient::string")]
    pub url: String,
    /// Its name with the server.
    #[serde(rename = "VideoUUID", default, deserialize_with = "lenient::string")]
    pub uuid: String,
    /// `mp4` and the like.
    #[serde(rename = "VideoFormat", default, deserialize_with = "lenient::string")]
    pub format: String,
    /// Length in seconds.
    #[serde(rename = "VideoSecond", default, deserialize_with = "lenient::int")]
    pub seconds: u32,
    /// Bytes.
    #[serde(rename = "VideoSize", default, deserialize_with = "lenient::int")]
    pub size: u64,
    /// 2: by its URL.
    #[serde(
        rename = "VideoDownloadFlag",
        default = "by_url",
        deserialize_with = "lenient::int"
    )]
    pub download_flag: u32,
    /// Where the picture lies.
    #[serde(rename = "ThumbUrl", default, deserialize_with = "lenient::string")]
    pub thumb_url: String,
    /// Its name with the server.
    #[serde(rename = "ThumbUUID", default, deserialize_with = "lenient::string")]
    pub thumb_uuid: String,
    /// `jpg` and the like.
    #[serde(rename = "ThumbFormat", default, deserialize_with = "lenient::string")]
    pub thumb_format: String,
    /// Bytes.
    #[serde(rename = "ThumbSize", default, deserialize_with = "lenient::int")]
    pub thumb_size: u64,
    /// Pixels.
    #[serde(rename = "ThumbWidth", default, deserialize_with = "lenient::int")]
    pub thumb_width: u32,
    /// Pixels.
    #[serde(rename = "ThumbHeight", default, deserialize_with = "lenient::int")]
    pub thumb_height: u32,
    /// 2: by its URL.
    #[serde(
        rename = "ThumbDownloadFlag",
        default = "by_url",
        deserialize_with = "lenient::int"
    )]
    pub thumb_download_flag: u32,
    /// The official client says everything about the picture twice; the second names
    /// (`SnapshotUrl`, `SnapshotSize`, …) and what this crate does not know are kept here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
