//! Ways into groups.

use super::{Api, ApiError, GroupApi};
use crate::proto::code::Code;
use crate::proto::message::{Message, NoticeKind};
use crate::proto::op::group_application::{Application, Decide, GetApplications, Join, Joined};

/// Applications of one page, as the official client asks for them.
const APPLICATIONS: u32 = 20;

impl Api {
    /// The newest applications and invitations this account may decide about, twenty at most to
    /// communities and twenty to other groups.
    ///
    /// # Errors
    /// When the server did not answer. An edition without communities is no error.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// for application in api.group_applications().await? {
    ///     api.decide_application(&application, true, "Welcome!").await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn group_applications(&self) -> Result<Vec<Application>, ApiError> {
        let mut request = GetApplications {
            communities: false,
            start: 0,
            limit: APPLICATIONS,
            me: self.me().into(),
        };
        let mut all = self.call(&request).await?.items;
        request.communities = true;
        match self.call(&request).await {
            Err(error) if error.code() == Some(Code::NO_COMMUNITIES) => {}
            page => {
                // A server may say the same under both names.
                let known = all.len();
                for item in page?.items {
                    if !all.iter().take(known).any(|other| *other == item) {
                        all.push(item);
                    }
                }
            }
        }
        Ok(all)
    }

    /// Accepts or refuses an application or invitation, with a `text` for its sender. `application` is
    /// the message that brought the notice to an `on_system_notice` handler.
    ///
    /// # Errors
    /// [`Code::GROUP_HANDLED`] when somebody else has decided; [`ApiError::Unfit`] when the message
    /// is no application.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, request: JoinRequest, message: Message) -> Result<(), ApiError> {
    /// let knows_the_word = request.text.contains("please");
    /// api.decide(&message, knows_the_word, "").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn decide(
        &self,
        application: &Message,
        agree: bool,
        text: impl Into<String>,
    ) -> Result<(), ApiError> {
        let notice = application.notice().filter(|notice| {
            matches!(
                notice.kind(),
                NoticeKind::Application | NoticeKind::InviteRequest
            )
        });
        let notice = notice.ok_or(ApiError::Unfit("the message is no application"))?;
        let decision = Decide::notice(&*application.to, notice, agree, text);
        self.call(&decision).await?;
        Ok(())
    }

    /// Decides about an application from [`group_applications`](Self::group_applications).
    ///
    /// # Errors
    /// [`Code::GROUP_HANDLED`] when somebody else has decided.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, group: Group) -> Result<(), ApiError> {
    /// for application in api.group(&group).applications().await? {
    ///     api.decide_application(&application, false, "We are full.").await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn decide_application(
        &self,
        application: &Application,
        agree: bool,
        text: impl Into<String>,
    ) -> Result<(), ApiError> {
        let decision = Decide::application(application, agree, text);
        self.call(&decision).await?;
        Ok(())
    }
}

impl GroupApi<'_> {
    /// Applies to join the group, with a `text` for those who decide. The answer tells whether somebody has to
    /// decide.
    ///
    /// # Errors
    /// [`Code::GROUP_UNKNOWN`], [`Code::GROUP_FULL`], [`Code::GROUP_MEMBER_ALREADY`], or
    /// [`Code::GROUP_PERMISSION`] when the group lets nobody apply.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// api.group("@TGS#1").join("I am a bot, and quiet.").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn join(&self, text: impl Into<String>) -> Result<Joined, ApiError> {
        let join = Join::new(self.checked()?, text);
        self.api().call(&join).await
    }

    /// The applications and invitations to this group among [`Api::group_applications`].
    ///
    /// # Errors
    /// As [`Api::group_applications`].
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, group: Group) -> Result<(), ApiError> {
    /// let waiting = api.group(&group).applications().await?.len();
    /// # Ok(())
    /// # }
    /// ```
    pub async fn applications(&self) -> Result<Vec<Application>, ApiError> {
        let mut all = self.api().group_applications().await?;
        all.retain(|application| application.group == self.id());
        Ok(all)
    }
}
