//! Requests for upload URLs, and for data that the service derives from uploaded files. The bytes
//! travel over HTTP. See "Files" in `docs/src/protocol.md`.

use crate::lenient;
use crate::op::Limit;
use serde::{Deserialize, Serialize};

calls! {
    PreSig => "im_cos_msg.pre_sig" -> PreSigned, Limit::NONE;
    SimpleSig => "im_cos_msg.simple_sig" -> SimpleSigned, Limit::NONE;
    GetImageInfo => "im_cos_msg.get_imageinfo" -> ImageInfos, Limit::NONE;
    VideoCover => "im_cos_msg.video_cover" -> Cover, Limit::NONE;
}

/// The kind of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A picture.
    Image,
    /// A video.
    Video,
    /// Speech or any other sound.
    Sound,
    /// Anything else.
    File,
}

impl FileKind {
    /// Returns the number on the wire.
    #[must_use]
    pub const fn number(self) -> u32 {
        match self {
            Self::Image => 1,
            Self::Video => 2,
            Self::Sound => 3,
            Self::File => 255,
        }
    }

    /// Returns the maximum file size in bytes.
    #[must_use]
    pub const fn limit(self) -> u64 {
        match self {
            Self::Image | Self::Sound => 20 * 1024 * 1024,
            Self::Video | Self::File => 100 * 1024 * 1024,
        }
    }
}

/// Requests an upload URL from a server in a private network, such as the sandbox.
#[derive(Clone, Debug, Serialize)]
pub struct PreSig {
    #[serde(rename = "file_type")]
    kind: u32,
    #[serde(rename = "file_name")]
    name: String,
    #[serde(rename = "upload_method")]
    method: u8,
    #[serde(rename = "Duration")]
    seconds: u32,
}

impl PreSig {
    /// Requests the URL for a file with this name, which must be unique.
    pub fn new(kind: FileKind, name: impl Into<String>) -> Self {
        Self {
            kind: kind.number(),
            name: name.into(),
            method: 0,
            seconds: 900,
        }
    }
}

/// The answer to [`PreSig`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct PreSigned {
    /// The URL for the upload with `PUT`.
    #[serde(default, deserialize_with = "lenient::string")]
    pub upload_url: String,
    /// The download URL.
    #[serde(default, deserialize_with = "lenient::string")]
    pub download_url: String,
    /// The URL of the cover picture of a video.
    #[serde(default, deserialize_with = "lenient::string")]
    pub snapshot_url: String,
    /// The URL of the thumbnail.
    #[serde(default, deserialize_with = "lenient::string")]
    pub thumb_url: String,
}

/// Requests an upload URL from the service.
#[derive(Clone, Debug, Serialize)]
pub struct SimpleSig {
    #[serde(rename = "uint32_upload_method")]
    method: u8,
    #[serde(rename = "uint32_platform")]
    platform: u8,
    #[serde(rename = "uint32_sdkappid")]
    app: u32,
    #[serde(rename = "str_user_id")]
    me: String,
    #[serde(rename = "uint32_scene")]
    scene: u8,
    #[serde(rename = "rpt_upload_object")]
    objects: Vec<UploadObject>,
}

#[derive(Clone, Debug, Serialize)]
struct UploadObject {
    #[serde(rename = "uint32_file_id")]
    id: u32,
    #[serde(rename = "uint32_file_type")]
    kind: u32,
    #[serde(rename = "str_file_name")]
    name: String,
}

impl SimpleSig {
    /// Requests the URL for a file with this name, which must be unique. The caller states whether
    /// it is for a group.
    pub fn new(
        app: u32,
        me: impl Into<String>,
        for_group: bool,
        kind: FileKind,
        name: impl Into<String>,
    ) -> Self {
        Self {
            method: 0,
            platform: crate::packet::PLATFORM_WEB,
            app,
            me: me.into(),
            scene: if for_group { 2 } else { 1 },
            objects: vec![UploadObject {
                id: 1,
                kind: kind.number(),
                name: name.into(),
            }],
        }
    }
}

/// The answer to [`SimpleSig`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct SimpleSigned {
    /// One entry per file.
    #[serde(rename = "rpt_pre_sig", default, deserialize_with = "lenient::list")]
    pub files: Vec<SignedFile>,
}

/// The URLs of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct SignedFile {
    /// Whether the file already exists on the server, so that no upload is necessary.
    #[serde(
        rename = "uint32_exist_flag",
        default,
        deserialize_with = "lenient::flag"
    )]
    pub exists: bool,
    /// The URL for the upload with `PUT`.
    #[serde(
        rename = "str_upload_url",
        default,
        deserialize_with = "lenient::string"
    )]
    pub upload_url: String,
    /// The download URL.
    #[serde(
        rename = "str_download_url",
        default,
        deserialize_with = "lenient::string"
    )]
    pub download_url: String,
    /// The URL of the cover picture of a video.
    #[serde(
        rename = "str_snapshot_url",
        default,
        deserialize_with = "lenient::string"
    )]
    pub snapshot_url: String,
    /// The file name on the server.
    #[serde(rename = "str_file_key", default, deserialize_with = "lenient::string")]
    pub key: String,
}

/// Requests the sizes of an uploaded picture.
#[derive(Clone, Debug, Serialize)]
pub struct GetImageInfo {
    /// The download URL.
    #[serde(rename = "str_image_url")]
    pub url: String,
}

/// The answer to [`GetImageInfo`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ImageInfos {
    /// One entry per size.
    #[serde(
        rename = "rpt_msg_image_info",
        default,
        deserialize_with = "lenient::list"
    )]
    pub sizes: Vec<ImageInfo>,
}

/// One size of an uploaded picture.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct ImageInfo {
    /// 1 thumbnail, 2 large, 3 original. Image elements use the reverse order.
    #[serde(
        rename = "uint32_image_type",
        default,
        deserialize_with = "lenient::int"
    )]
    pub kind: u32,
    /// The download URL.
    #[serde(rename = "str_url", default, deserialize_with = "lenient::string")]
    pub url: String,
    /// Width in pixels.
    #[serde(rename = "uint32_width", default, deserialize_with = "lenient::int")]
    pub width: u32,
    /// Height in pixels.
    #[serde(rename = "uint32_height", default, deserialize_with = "lenient::int")]
    pub height: u32,
}

/// Requests the cover picture of a video.
#[derive(Clone, Debug, Serialize)]
pub struct VideoCover {
    version: u8,
    platform: u8,
    cover_name: String,
    snapshot_url: String,
}

impl VideoCover {
    /// Requests a cover picture with the name `name` from the video snapshot at `url`.
    pub fn new(name: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            version: 1,
            platform: crate::packet::PLATFORM_WEB,
            cover_name: name.into(),
            snapshot_url: url.into(),
        }
    }
}

/// The answer to [`VideoCover`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Cover {
    /// The error code; zero means success.
    #[serde(default, deserialize_with = "lenient::int")]
    pub error_code: i64,
    /// The download URL.
    #[serde(default, deserialize_with = "lenient::string")]
    pub download_url: String,
}
