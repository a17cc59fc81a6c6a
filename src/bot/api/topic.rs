//! Topics of communities. To send messages to a topic, use [`Api::group`] with the TopicID.

use super::{ApiError, GroupApi, IntoGroupId, groups};
use crate::proto::code::Code;
use crate::proto::op::topic::{
    CreateTopic, DeleteTopics, GetTopics, MAX_TOPICS, ModifyTopic, Topic, TopicTexts,
};

impl<'a> GroupApi<'a> {
    /// The topics of the community.
    ///
    /// # Errors
    /// When the server did not answer.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// for topic in api.group("@TGS#_club").topics().await? {
    ///     api.group(&topic.id).say("Hello!").await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn topics(&self) -> Result<Vec<Topic>, ApiError> {
        let request = GetTopics::new(self.checked()?, Vec::new());
        Ok(self.api().call(&request).await?.found().collect())
    }

    /// Creates a topic in the community and returns its [`GroupApi`]. `texts` must include a name.
    ///
    /// # Errors
    /// [`Code::GROUP_PERMISSION`] when the community has no topics or the account does not run it.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # use botroupe::types::topic::TopicTexts;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// let club = api.group("@TGS#_club");
    /// let news = club.create_topic(TopicTexts::new().name("News")).await?;
    /// news.say("First!").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn create_topic(&self, texts: TopicTexts) -> Result<GroupApi<'a>, ApiError> {
        let create = CreateTopic::new(self.checked()?, texts);
        let created = self.api().call(&create).await?;
        Ok(self.api().group(created.id))
    }

    /// Changes texts of this topic.
    ///
    /// # Errors
    /// [`Code::GROUP_PERMISSION`] when this account does not run the community.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # use botroupe::types::topic::TopicTexts;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// let topic = api.group("@TGS#_club@TOPIC#_news");
    /// topic.modify_topic(TopicTexts::new().introduction("What is new")).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn modify_topic(&self, texts: TopicTexts) -> Result<(), ApiError> {
        self.api()
            .call(&ModifyTopic::texts(self.checked()?, texts))
            .await?;
        Ok(())
    }

    /// Mutes everybody in this topic but those who run the community, or lifts that.
    ///
    /// # Errors
    /// [`Code::GROUP_PERMISSION`] when this account does not run the community.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// api.group("@TGS#_club@TOPIC#_news").mute_topic(true).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn mute_topic(&self, mute: bool) -> Result<(), ApiError> {
        self.api()
            .call(&ModifyTopic::mute_all(self.checked()?, mute))
            .await?;
        Ok(())
    }

    /// Removes topics of the community, 50 at most, with everything said in them.
    ///
    /// # Errors
    /// [`ApiError::Item`] with the first topic that was not removed; the others may have been removed.
    /// [`ApiError::TooMany`].
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// api.group("@TGS#_club").delete_topics(["@TGS#_club@TOPIC#_news"]).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete_topics(
        &self,
        topics: impl IntoIterator<Item = impl IntoGroupId>,
    ) -> Result<(), ApiError> {
        let request = DeleteTopics {
            group: self.name()?,
            topics: groups(topics, "topics", MAX_TOPICS)?,
        };
        let results = self.api().call(&request).await?.results.into_iter();
        let mut refused = results.filter(|result| result.code != 0);
        refused.next().map_or(Ok(()), |result| {
            Err(ApiError::Item {
                what: result.id.to_string(),
                code: Code(result.code),
                info: result.info,
            })
        })
    }
}
