//! Where a file is to be uploaded to, and what the service derives from it. The bytes themselves travel
//! over HTTP.

use crate::lenient;
use crate::op::Limit;
use serde::{Deserialize, Serialize};

calls! {
    PreSig => "im_cos_msg.pre_sig" -> PreSigned, Limit::NONE;
    SimpleSig => "im_cos_msg.simple_sig" -> SimpleSigned, Limit::NONE;
    GetImageInfo => "im_cos_msg.get_imageinfo" -> ImageInfos, Limit::NONE;
    VideoCover => "im_cos_msg.video_cover" -> Cover, Limit::NONE;
}

/// What kind of file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A picture.
    Image,
    /// A film.
    Video,
    /// Speech or any other sound.
    Sound,
    /// Anything else.
    File,
}

impl FileKind {
    /// The number that stands for it.
    #[must_use]
    pub const fn number(self) -> u32 {
        match self {
            Self::Image => 1,
            Self::Video => 2,
            Self::Sound => 3,
            Self::File => 255,
        }
    }

    /// How many bytes it may have.
    #[must_use]
    pub const fn limit(self) -> u64 {
        match self {
            Self::Image | Self::Sound => 20 * 1024 * 1024,
            Self::Video | Self::File => 100 * 1024 * 1024,
        }
    }
}

/// Asks a server in a private network, such as the sandbox, where to put a file.
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
    /// For a file of this name, which has to be unique.
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
    /// Where to `PUT` the bytes.
    #[serde(default, deserialize_with = "lenient::string")]
    pub upload_url: String,
    /// Where everybody gets them.
    #[serde(default, deserialize_with = "lenient::string")]
    pub download_url: String,
    /// The picture that is shown before a film plays.
    #[serde(default, deserialize_with = "lenient::string")]
    pub snapshot_url: String,
    /// A small picture.
    #[serde(default, deserialize_with = "lenient::string")]
    pub thumb_url: String,
}

/// Asks the service where to put a file.
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
    /// For a file of this name, which has to be unique, that is for a group or not.
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
    /// One per file.
    #[serde(rename = "rpt_pre_sig", default, deserialize_with = "lenient::list")]
    pub files: Vec<SignedFile>,
}

/// Where one file goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct SignedFile {
    /// The file is there already: nothing is to be uploaded.
    #[serde(
        rename = "uint32_exist_flag",
        default,
        deserialize_with = "lenient::flag"
    )]
    pub exists: bool,
    /// Where to `PUT` the bytes.
    #[serde(
        rename = "str_upload_url",
        default,
        deserialize_with = "lenient::string"
    )]
    pub upload_url: String,
    /// Where everybody gets them.
    #[serde(
        rename = "str_download_url",
        default,
        deserialize_with = "lenient::string"
    )]
    pub download_url: String,
    /// The picture that is shown before a film plays.
    #[serde(
        rename = "str_snapshot_url",
        default,
        deserialize_with = "lenient::string"
    )]
    pub snapshot_url: String,
    /// The file's name with the server.
    #[serde(rename = "str_file_key", default, deserialize_with = "lenient::string")]
    pub key: String,
}

/// Asks for the sizes of an uploaded picture.
#[derive(Clone, Debug, Serialize)]
pub struct GetImageInfo {
    /// Where it lies.
    #[serde(rename = "str_image_url")]
    pub url: String,
}

/// The answer to [`GetImageInfo`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ImageInfos {
    /// One per size.
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
    /// 1 thumbnail, 2 large, 3 original: the reverse of what an element says.
    #[serde(
        rename = "uint32_image_type",
        default,
        deserialize_with = "lenient::int"
    )]
    pub kind: u32,
    /// Where it lies.
    #[serde(rename = "str_url", default, deserialize_with = "lenient::string")]
    pub url: String,
    /// Pixels.
    #[serde(rename = "uint32_width", default, deserialize_with = "lenient::int")]
    pub width: u32,
    /// Pixels.
    #[serde(rename = "uint32_height", default, deserialize_with = "lenient::int")]
    pub height: u32,
}

/// Asks for the picture that is shown before a film plays.
#[derive(Clone, Debug, Serialize)]
pub struct VideoCover {
    version: u8,
    platform: u8,
    cover_name: String,
    snapshot_url: String,
}

impl VideoCover {
    /// A picture to be called `name`, of the film whose snapshot lies at `url`.
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
    /// Zero when there is a picture.
    #[serde(default, deserialize_with = "lenient::int")]
    pub error_code: i64,
    /// Where it lies.
    #[serde(default, deserialize_with = "lenient::string")]
    pub download_url: String,
}
