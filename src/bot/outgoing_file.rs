//! Files that handlers return. They are uploaded, then sent.

use super::api::{Api, ApiError, IntoDraft, Upload};
use crate::proto::message::Draft;

/// A file as a reply, which is uploaded first.
///
/// ```
/// use botroupe::prelude::*;
///
/// async fn cat() -> Outgoing {
///     Outgoing::image(Upload::path("cat.png"))
/// }
/// # let _ = Bot::new("cat").on_text(cat);
/// ```
#[derive(Debug)]
pub struct Outgoing {
    upload: Upload,
    what: What,
    draft: Draft,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Image,
    File,
    Sound(u32),
    Video(u32),
}

impl Outgoing {
    const fn new(upload: Upload, what: What, draft: Draft) -> Self {
        Self {
            upload,
            what,
            draft,
        }
    }

    /// A picture, 20 MB at most.
    #[must_use]
    pub fn image(upload: Upload) -> Self {
        Self::new(upload, What::Image, Draft::default())
    }

    /// Any file, 100 MB at most.
    #[must_use]
    pub fn file(upload: Upload) -> Self {
        Self::new(upload, What::File, Draft::default())
    }

    /// A sound of so many seconds, 20 MB at most.
    #[must_use]
    pub fn sound(upload: Upload, seconds: u32) -> Self {
        Self::new(upload, What::Sound(seconds), Draft::default())
    }

    /// A film of so many seconds, 100 MB at most.
    #[must_use]
    pub fn video(upload: Upload, seconds: u32) -> Self {
        Self::new(upload, What::Video(seconds), Draft::default())
    }

    /// Sends the file after the elements of `draft`, in the same message.
    #[must_use]
    pub fn after(mut self, draft: impl IntoDraft) -> Self {
        self.draft = draft.into_draft();
        self
    }

    /// Uploads the file, and gives the message to send.
    ///
    /// # Errors
    /// As [`Api::upload_file`].
    pub async fn upload(self, api: &Api) -> Result<Draft, ApiError> {
        let Self {
            upload,
            what,
            draft,
        } = self;
        Ok(draft.element(match what {
            What::Image => api.upload_image(upload).await?.into(),
            What::File => api.upload_file(upload).await?.into(),
            What::Sound(seconds) => api.upload_sound(upload, seconds).await?.into(),
            What::Video(seconds) => api.upload_video(upload, seconds).await?.into(),
        }))
    }
}
