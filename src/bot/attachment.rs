//! Files of messages, as handlers take and return them.

use super::api::{Api, ApiError};
use super::event::{Event, FromEvent};
use super::kinds::Kinds;
use super::needs::Needs;
use super::rejection::Skipped;
use crate::proto::message::Element;
use crate::proto::op::media::FileKind;
use bytes::Bytes;
use std::path::PathBuf;

/// The file of a message: a picture, film, sound or any other. A handler that takes it is for messages
/// with one.
///
/// ```
/// use botroupe::prelude::*;
///
/// async fn keep(file: Attachment) -> Result<String, ApiError> {
///     let bytes = file.download().await?;
///     Ok(format!("{} has {} bytes", file.name(), bytes.len()))
/// }
/// # let _ = Bot::new("keeper").on_message(keep);
/// ```
#[derive(Clone, Debug)]
pub struct Attachment {
    element: Element,
    api: Api,
    limit: u64,
}

/// What kind of file an element has.
const fn kind_of(element: &Element) -> Option<FileKind> {
    match element {
        Element::Image(_) => Some(FileKind::Image),
        Element::Video(_) => Some(FileKind::Video),
        Element::Sound(_) => Some(FileKind::Sound),
        Element::File(_) => Some(FileKind::File),
        _ => None,
    }
}

impl Attachment {
    /// The element, with all that the sender states about the file.
    #[must_use]
    pub const fn element(&self) -> &Element {
        &self.element
    }

    /// Whether it is a picture.
    #[must_use]
    pub const fn is_image(&self) -> bool {
        matches!(self.element, Element::Image(_))
    }

    /// The file name that the sender gives; for pictures, sounds and films, the one that the server gives. Do not
    /// use it as a path: it may be any text.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.element {
            Element::File(file) => &file.name,
            Element::Image(image) => &image.uuid,
            Element::Sound(sound) => &sound.uuid,
            Element::Video(video) => &video.uuid,
            _ => "",
        }
    }

    /// The size in bytes, as the sender states it.
    #[must_use]
    pub fn size(&self) -> u64 {
        match &self.element {
            Element::File(file) => file.size,
            Element::Image(image) => image.original().map_or(0, |original| original.size),
            Element::Sound(sound) => sound.size,
            Element::Video(video) => video.size,
            _ => 0,
        }
    }

    /// Sets the most bytes to download. The default is the most that the official client sends: 20 MB for
    /// pictures and sounds, 100 MB for films and other files.
    #[must_use]
    pub const fn at_most(mut self, bytes: u64) -> Self {
        self.limit = bytes;
        self
    }

    /// Downloads the file into memory.
    ///
    /// # Errors
    /// As [`Api::download`].
    pub async fn download(&self) -> Result<Bytes, ApiError> {
        self.api.download(&self.element, self.limit).await
    }

    /// Downloads the file to disk, see [`Api::save`].
    ///
    /// # Errors
    /// As [`Api::save`].
    pub async fn save(&self, path: impl Into<PathBuf>) -> Result<u64, ApiError> {
        self.api.save(&self.element, self.limit, path).await
    }
}

impl FromEvent for Attachment {
    type Rejection = Skipped;

    async fn from_event(event: &Event) -> Result<Self, Skipped> {
        let message = event.message().ok_or(Skipped)?;
        let mut elements = message.elements.iter();
        let found = elements.find_map(|element| Some((element, kind_of(element)?)));
        let (element, kind) = found.ok_or(Skipped)?;
        Ok(Self {
            element: element.clone(),
            api: event.api().clone(),
            limit: kind.limit(),
        })
    }

    fn needs(needs: &mut Needs) {
        needs.only(Kinds::MESSAGE);
        needs.may_skip();
    }
}

#[cfg(test)]
mod tests {
    use crate::bot::testing::TestBot;
    use crate::prelude::*;
    use crate::proto::message::File;

    async fn describe(file: Attachment) -> String {
        format!("{} of {}", file.name(), file.size())
    }

    async fn send(text: Text) -> Option<Outgoing> {
        let file = Upload::new("list.txt", text.into_inner());
        Some(Outgoing::file(file).after("here:"))
    }

    #[actix_rt::test]
    async fn handlers_take_files_and_return_them() {
        let bot = TestBot::new(Bot::new("files").on_message(describe).on_text(send));
        let file = serde_json::json!({"FileName": "a.pdf", "FileSize": 9, "Url": "x"});
        let file: File = serde_json::from_value(file).unwrap();
        let heard = bot.hear("alice", vec![Element::File(Box::new(file))]).await;
        assert_eq!(heard, ["a.pdf of 9"]);
        // A text has no file: the first handler is passed over, the second sends one.
        let sent = bot.answers(vec![Element::text("milk")]).await;
        let [Element::Text(text), Element::File(file)] = &sent[0].elements[..] else {
            panic!("{sent:?}")
        };
        assert_eq!(
            (text.text.as_str(), file.name.as_str(), file.size),
            ("here:", "list.txt", 4)
        );
    }
}
