//! A file to upload: the source of its bytes, and its name.

use super::ApiError;
use crate::bot::transfer::{Content, Progress, TransferError};
use crate::proto::message::ImageFormat;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// A file to upload: bytes, a file on disk, or a stream.
///
/// ```
/// use botroupe::prelude::*;
///
/// async fn report(api: Api) -> Result<Element, ApiError> {
///     Ok(api.upload_file(Upload::new("report.csv", "day,messages\n1,7\n")).await?.into())
/// }
/// # let _ = Bot::new("reporter").on_text(report);
/// ```
pub struct Upload {
    name: String,
    content_type: String,
    content: Content,
    progress: Option<Progress>,
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload")
            .field("name", &self.name)
            .field("content", &self.content)
            .finish_non_exhaustive()
    }
}

impl Upload {
    /// Bytes, and the file name that the receiver sees.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// let upload = Upload::new("list.csv", "a,b,c");
    /// ```
    pub fn new(name: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        Self::from_content(name.into(), Content::Bytes(bytes.into()))
    }

    /// A file on disk, which is read while it is sent; the receiver sees its name without the folder.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// let upload = Upload::path("reports/june.pdf");
    /// ```
    pub fn path(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let name = path.file_name().unwrap_or_default();
        Self::from_content(name.to_string_lossy().into_owned(), Content::Path(path))
    }

    /// A stream of `size` bytes, and the file name that the receiver sees. The upload fails if the stream ends
    /// early or goes on longer. The stream is read on a shared thread, so it must not block.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// let chunks = ["hello, ", "world"].map(|text| Ok(text.into()));
    /// let upload = Upload::stream("hello.txt", 12, futures_util::stream::iter(chunks));
    /// ```
    pub fn stream(
        name: impl Into<String>,
        size: u64,
        stream: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
    ) -> Self {
        // A stream of empty chunks must not keep the thread that reads it.
        let stream = stream.filter_map(|chunk| async {
            let is_empty = chunk.as_ref().is_ok_and(Bytes::is_empty);
            if is_empty {
                tokio::task::yield_now().await;
            }
            (!is_empty).then_some(chunk)
        });
        let stream = stream.boxed();
        Self::from_content(name.into(), Content::Stream { size, stream })
    }

    fn from_content(name: String, content: Content) -> Self {
        Self {
            content_type: content_type(&name).to_owned(),
            name,
            content,
            progress: None,
        }
    }

    /// Sets the file name that the receiver sees.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// let upload = Upload::path("/tmp/x17").named("report.pdf");
    /// ```
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        content_type(&self.name).clone_into(&mut self.content_type);
        self
    }

    /// Sets the MIME type, which otherwise follows from the name.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// let upload = Upload::new("page", "<p>Hi</p>").content_type("text/html");
    /// ```
    #[must_use]
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = content_type.into();
        self
    }

    /// Calls `told` with the number of bytes sent and the total, on a shared thread: `told` must not block.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// let upload = Upload::path("film.mp4").progress(|sent, all| println!("{sent} of {all} bytes"));
    /// ```
    #[must_use]
    pub fn progress(mut self, told: impl Fn(u64, u64) + Send + Sync + 'static) -> Self {
        self.progress = Some(Arc::new(told));
        self
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The size in bytes. The future borrows nothing, because a stream is not `Sync`.
    pub(super) fn size(&self) -> impl Future<Output = Result<u64, TransferError>> + Send + use<> {
        let known = match &self.content {
            Content::Bytes(bytes) => Ok(bytes.len() as u64),
            Content::Stream { size, .. } => Ok(*size),
            Content::Path(path) => Err(path.clone()),
        };
        async move {
            let path = match known {
                Ok(size) => return Ok(size),
                Err(path) => path,
            };
            let about = tokio::fs::metadata(&path).await;
            let about = about.map_err(|error| TransferError::unreadable(&path, error))?;
            if about.is_file() {
                Ok(about.len())
            } else {
                let error = io::Error::other("it is no file");
                Err(TransferError::unreadable(&path, error))
            }
        }
    }

    /// Reads all bytes into memory, `limit` at most; returns the upload and the bytes.
    pub(super) async fn in_memory(self, limit: u64) -> Result<(Self, Bytes), ApiError> {
        if self.size().await? > limit {
            return Err(TransferError::TooLarge { limit }.into());
        }
        let bytes = match self.content {
            Content::Bytes(bytes) => bytes,
            Content::Path(path) => {
                let read = tokio::fs::read(&path).await;
                read.map_err(|error| TransferError::unreadable(&path, error))?
                    .into()
            }
            Content::Stream { size, mut stream } => {
                let mut bytes = Vec::new();
                while let Some(chunk) = stream.next().await {
                    bytes.extend_from_slice(&chunk.map_err(TransferError::stream)?);
                    if bytes.len() as u64 > size {
                        break;
                    }
                }
                if bytes.len() as u64 != size {
                    return Err(TransferError::WrongSize { size }.into());
                }
                bytes.into()
            }
        };
        let content = Content::Bytes(bytes.clone());
        Ok((Self { content, ..self }, bytes))
    }

    pub(super) fn into_parts(self) -> (String, Content, Option<Progress>) {
        (self.content_type, self.content, self.progress)
    }
}

/// Without the dot; `bin` when the name has none that is fit for a URL.
pub(super) fn extension(name: &str) -> &str {
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

pub(super) fn format_of(bytes: &[u8]) -> ImageFormat {
    use imagesize::ImageType;
    match imagesize::image_type(bytes) {
        Ok(ImageType::Jpeg) => ImageFormat::Jpeg,
        Ok(ImageType::Gif) => ImageFormat::Gif,
        Ok(ImageType::Png) => ImageFormat::Png,
        Ok(ImageType::Bmp) => ImageFormat::Bmp,
        _ => ImageFormat::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;

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
    async fn a_stream_that_gives_nothing_lets_others_go_on() {
        let nothing = stream::repeat_with(|| Ok(Bytes::new())).take(1_000_000);
        let upload = Upload::stream("a.png", 5, nothing).in_memory(5);
        let brief = tokio::time::timeout(std::time::Duration::from_millis(1), upload);
        assert!(brief.await.is_err(), "it ended before the timer had a turn");
    }

    fn chunks(sizes: &[usize]) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static + use<> {
        let chunks: Vec<_> = sizes
            .iter()
            .map(|size| Ok(Bytes::from(vec![7; *size])))
            .collect();
        stream::iter(chunks)
    }

    #[actix_rt::test]
    async fn a_stream_has_to_be_as_long_as_it_says() {
        let whole = Upload::stream("a.png", 5, chunks(&[2, 3]))
            .in_memory(5)
            .await;
        assert_eq!(whole.unwrap().1.len(), 5);
        for sizes in [&[2, 2][..], &[2, 4], &[]] {
            let wrong = Upload::stream("a.png", 5, chunks(sizes)).in_memory(5).await;
            let error = wrong.unwrap_err();
            assert_eq!(error, TransferError::WrongSize { size: 5 }.into());
        }
        let broken = stream::iter([Err(io::Error::other("the tape tore"))]);
        let broken = Upload::stream("a.png", 5, broken).in_memory(5).await;
        assert!(broken.unwrap_err().to_string().contains("the tape tore"));
        let large = Upload::stream("a.png", 6, chunks(&[6])).in_memory(5).await;
        assert_eq!(
            large.unwrap_err(),
            TransferError::TooLarge { limit: 5 }.into()
        );
    }

    #[actix_rt::test]
    async fn a_file_is_called_as_on_disk_unless_it_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cat.png");
        std::fs::write(&path, "meow").unwrap();
        let upload = Upload::path(&path);
        assert_eq!(
            (upload.name(), upload.content_type.as_str()),
            ("cat.png", "image/png")
        );
        assert_eq!(upload.size().await, Ok(4));
        let upload = upload.named("dog.pdf");
        assert_eq!(
            (upload.name(), upload.content_type.as_str()),
            ("dog.pdf", "application/pdf")
        );
        let error = Upload::path(folder.path()).size().await.unwrap_err();
        assert!(error.to_string().contains("no file"), "{error}");
    }
}
