//! Uploading files for messages, and downloading those of others.
//!
//! The bytes are not in the message; they are put to an address that the server gives for them, and
//! the message says where they lie.

use super::upload::{Upload, extension, format_of};
use super::{Api, ApiError, Backend};
use crate::bot::transfer::{Body, Carriage, TransferError};
use crate::proto::id::SdkAppId;
use crate::proto::message::{Element, File, Image, ImageSize, Sound, Video};
use crate::proto::op::media::FileKind;
use crate::proto::op::media::GetImageInfo;
use crate::proto::op::media::ImageInfo;
use crate::proto::op::media::PreSig;
use crate::proto::op::media::SimpleSig;
use crate::proto::op::media::VideoCover;
use bytes::Bytes;
use serde_json::Map;
use std::path::PathBuf;

/// The scheme by which a server assigns upload addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Uploads {
    /// The sandbox, and servers in private networks.
    #[default]
    Private,
    /// The service itself.
    Service(SdkAppId),
}

/// The means by which an [`Api`] transfers files.
#[derive(Clone, Debug)]
pub(super) struct Carrier {
    pub(super) carriage: Carriage,
    pub(super) uploads: Uploads,
}

/// An uploaded file.
struct Placed {
    url: String,
    uuid: String,
    cover: String,
    /// Bytes.
    size: u64,
}

impl Api {
    /// Uploads a picture (20 MB at most) for a message.
    ///
    /// # Errors
    /// [`ApiError::Unfit`] for a file that is no picture; [`ApiError::Transfer`] when it is too large or
    /// did not arrive; [`ApiError::Call`] when the server gave no address.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// let image = api.upload_image(Upload::path("cat.png")).await?;
    /// api.user("alice").send(image).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn upload_image(&self, upload: Upload) -> Result<Image, ApiError> {
        let (upload, head) = upload.in_memory(FileKind::Image.limit()).await?;
        let size = imagesize::blob_size(&head);
        let size = size.map_err(|_| ApiError::Unfit("the file is no picture"))?;
        let pixels = |edge: usize| u32::try_from(edge).unwrap_or(u32::MAX);
        let (width, height) = (pixels(size.width), pixels(size.height));
        let (format, bytes) = (format_of(&head), head.len() as u64);
        let placed = self.upload(upload, FileKind::Image).await?;
        let mut sizes = sizes_of(&placed.url, bytes, width, height);
        if matches!(&self.carrier, Some(carrier) if matches!(carrier.uploads, Uploads::Service(_)))
        {
            // The service makes the smaller ones itself, and says where they are. The file is there
            // without them too.
            let url = placed.url;
            match self.call(&GetImageInfo { url }).await {
                Ok(made) => take_made(&mut sizes, made.sizes),
                Err(error) => {
                    tracing::warn!(account = %self.me(), %error, "the sizes of a picture that was uploaded are not known");
                }
            }
        }
        Ok(Image {
            uuid: placed.uuid,
            format: format as u32,
            sizes,
            extra: Map::new(),
        })
    }

    /// Uploads any file (100 MB at most) for a message.
    ///
    /// # Errors
    /// [`ApiError::Transfer`] when it is too large or did not arrive; [`ApiError::Call`] when the
    /// server gave no address.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// let file = api.upload_file(Upload::new("list.csv", "a,b,c")).await?;
    /// api.user("alice").send(file).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn upload_file(&self, upload: Upload) -> Result<File, ApiError> {
        let name = upload.name().to_owned();
        let placed = self.upload(upload, FileKind::File).await?;
        Ok(File {
            url: placed.url,
            uuid: placed.uuid,
            name,
            size: placed.size,
            download_flag: BY_URL,
            extra: Map::new(),
        })
    }

    /// Uploads a sound (20 MB at most) of so many seconds for a message.
    ///
    /// # Errors
    /// As [`upload_file`](Self::upload_file).
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// let sound = api.upload_sound(Upload::path("hello.mp3"), 3).await?;
    /// api.user("alice").send(sound).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn upload_sound(&self, upload: Upload, seconds: u32) -> Result<Sound, ApiError> {
        let placed = self.upload(upload, FileKind::Sound).await?;
        Ok(Sound {
            url: placed.url,
            uuid: placed.uuid,
            size: placed.size,
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
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// let film = api.upload_video(Upload::path("tour.mp4"), 40).await?;
    /// api.user("alice").send(film).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn upload_video(&self, upload: Upload, seconds: u32) -> Result<Video, ApiError> {
        let format = extension(upload.name()).to_owned();
        let placed = self.upload(upload, FileKind::Video).await?;
        Ok(Video {
            url: placed.url,
            thumb_uuid: placed.uuid.clone(),
            uuid: placed.uuid,
            format,
            seconds,
            size: placed.size,
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
        let size = upload.size().await?;
        if size > limit {
            return Err(TransferError::TooLarge { limit }.into());
        }
        // Drawn anew each time: what the name says is between the sender and the receiver.
        let number = fastrand::u32(..1_000_000);
        let unique = format!("{:032x}-{number}", fastrand::u128(..));
        let uuid = format!("{unique}.{}", extension(upload.name()));
        if let Backend::Recorded(_) = self.backend {
            let (url, cover) = (format!("test:{}", upload.name()), String::new());
            #[rustfmt::skip]
            return Ok(Placed { url, uuid, cover, size });
        }
        let carrier = self.carrier.as_ref().ok_or(TransferError::Nowhere)?;
        let (put, exists, url, cover) = match carrier.uploads {
            Uploads::Private => {
                let signed = self.call(&PreSig::new(kind, &uuid)).await?;
                let cover = if signed.thumb_url.is_empty() {
                    signed.snapshot_url
                } else {
                    signed.thumb_url
                };
                (signed.upload_url, false, signed.download_url, cover)
            }
            Uploads::Service(app) => {
                let request = SimpleSig::new(app.get(), self.me(), false, kind, &uuid);
                let signed = self.call(&request).await?.files.into_iter().next();
                let signed = signed.ok_or(NO_ADDRESS)?;
                let mut cover = String::new();
                if kind == FileKind::Video && !signed.snapshot_url.is_empty() {
                    let request = VideoCover::new(unique, signed.snapshot_url);
                    match self.call(&request).await {
                        Ok(made) => cover = made.download_url,
                        Err(error) => {
                            tracing::warn!(account = %self.me(), %error, "a film has no cover");
                        }
                    }
                }
                (signed.upload_url, signed.exists, signed.download_url, cover)
            }
        };
        if url.is_empty() {
            return Err(NO_ADDRESS);
        }
        if !exists {
            let (content_type, content, progress) = upload.into_parts();
            let body = Body {
                content,
                size,
                progress,
            };
            let _under_way = self.transfers.begin();
            carrier.carriage.put(put, content_type, body).await?;
        }
        #[rustfmt::skip]
        return Ok(Placed { url, uuid, cover, size });
    }

    /// Downloads the file of an image (the original), file, sound or video element, `limit` bytes at most. The
    /// sender chooses the URL, so it is accepted only when it leads to a file host of the service, to the
    /// sandbox, or to a host that the bot [allows](crate::bot::Bot::files_from).
    ///
    /// # Errors
    /// [`ApiError::Unfit`] for an element without a file; [`ApiError::Transfer`].
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, message: Message) -> Result<(), ApiError> {
    /// for element in &message.elements {
    ///     let bytes = api.download(element, 1024 * 1024).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn download(&self, element: &Element, limit: u64) -> Result<Bytes, ApiError> {
        let (url, carrier) = self.way_to(element)?;
        let _under_way = self.transfers.begin();
        Ok(carrier.carriage.get(url, limit).await?)
    }

    /// Downloads the file of an element to disk and returns its size in bytes. The file appears when it is
    /// complete, and replaces one of that name.
    ///
    /// # Errors
    /// As [`download`](Self::download), and when the file cannot be written.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, message: Message) -> Result<(), ApiError> {
    /// for element in &message.elements {
    ///     api.save(element, 100 * 1024 * 1024, "received.bin").await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn save(
        &self,
        element: &Element,
        limit: u64,
        path: impl Into<PathBuf>,
    ) -> Result<u64, ApiError> {
        let (url, carrier) = self.way_to(element)?;
        let _under_way = self.transfers.begin();
        Ok(carrier.carriage.save(url, limit, path.into()).await?)
    }

    fn way_to(&self, element: &Element) -> Result<(String, &Carrier), ApiError> {
        let url = file_url(element).filter(|url| !url.is_empty());
        let url = url.ok_or(ApiError::Unfit("the element has no file"))?;
        let carrier = self.carrier.as_ref().ok_or(TransferError::Nowhere)?;
        Ok((url.to_owned(), carrier))
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

/// Takes over the sizes the server has made. What it calls 1 is the thumbnail, 3 in an element, and the
/// other way round.
fn take_made(sizes: &mut [ImageSize], made: Vec<ImageInfo>) {
    for info in made.into_iter().filter(|info| !info.url.is_empty()) {
        let kind = 4_u32.saturating_sub(info.kind);
        let is_original = kind == 1;
        let mut same = sizes.iter_mut().filter(|size| size.kind == kind);
        if let Some(size) = same.next().filter(|_| !is_original) {
            (size.url, size.width, size.height) = (info.url, info.width, info.height);
            size.size = 0;
        }
    }
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
    fn the_sizes_the_service_made_take_the_place_of_those_guessed() {
        let mut sizes = sizes_of("http://host/x.png", 9, 800, 600);
        let made = |kind: u32, url: &str, width: u32, height: u32| ImageInfo {
            kind,
            url: url.to_owned(),
            width,
            height,
        };
        take_made(
            &mut sizes,
            vec![
                made(1, "thumb", 264, 198),
                made(2, "", 1, 1),
                made(3, "other", 1, 1),
                made(7, "x", 1, 1),
            ],
        );
        let look: Vec<_> = sizes
            .iter()
            .map(|size| (size.kind, size.url.as_str(), size.width))
            .collect();
        let url = "http://host/x.png";
        assert_eq!(look, [(1, url, 800), (2, url, 800), (3, "thumb", 264)]);
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
        let gone = api.upload_file(Upload::path("/no/such/file")).await;
        let gone = gone.unwrap_err().to_string();
        assert!(gone.contains("/no/such/file"), "{gone}");
        assert!(matches!(
            api.download(&Element::text("x"), 9).await,
            Err(ApiError::Unfit(_))
        ));
        assert!(bot.calls().is_empty());
        let file = api.upload_file(Upload::new("a", "text")).await.unwrap();
        assert_eq!(
            (file.url.as_str(), file.size),
            ("test:a", 4),
            "a test needs no server"
        );
    }
}
