//! Speech as text.

use super::translation::went_well;
use super::{Api, ApiError};
use crate::proto::message::{Element, Message};
use crate::proto::op::speech::Recognise;
use crate::proto::op::speech::Spoken;

impl Api {
    /// Converts the first sound of a message to text. The app must have bought this; the sandbox returns an
    /// empty text.
    ///
    /// # Errors
    /// When the server refused it; [`ApiError::Item`] when the recogniser failed; [`ApiError::Unfit`] when the
    /// message has no sound, or none of a supported format.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, message: Message) -> Result<(), ApiError> {
    /// let text = api.speech_to_text(&message, Spoken::English).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn speech_to_text(
        &self,
        message: &Message,
        spoken: Spoken,
    ) -> Result<String, ApiError> {
        let url = message.elements.iter().find_map(|element| match element {
            Element::Sound(sound) => Some(&*sound.url),
            _ => None,
        });
        let url = url.ok_or(ApiError::Unfit("there is no sound in the message"))?;
        let recognise = Recognise::new(url, spoken).ok_or(ApiError::Unfit(
            "the sound is none of wav, pcm, ogg-opus, speex, silk, mp3, m4a, aac and amr",
        ))?;
        let answer = self.call(&recognise).await?;
        went_well(answer.outcome, "the sound")?;
        Ok(answer.text)
    }
}
