//! Invitations to calls and the like.

use super::{Api, ApiError, GroupApi, IntoUserId, UserApi};
use crate::proto::id::UserId;
use crate::proto::message::Conversation;
use crate::proto::signaling::{Action, Signal};
use std::time::Duration;

impl UserApi<'_> {
    /// Invites the user to a call, a game or the like; `data` means what both programs agree on. Returns the
    /// invitation, whose ID the answers carry. Nothing happens by itself after `timeout`: each side keeps its
    /// own clock.
    ///
    /// # Errors
    /// As [`Api::send`].
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # use std::time::Duration;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// let call = api.user("alice").invite("chess", Duration::from_secs(30)).await?;
    /// println!("waiting for an answer to {}", call.id);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn invite(
        &self,
        data: impl Into<String>,
        timeout: Duration,
    ) -> Result<Signal, ApiError> {
        let user = self.checked()?;
        let signal = Signal::invite(invitation_id(), self.api().me(), [user], data, timeout);
        self.send(signal.draft()).await?;
        Ok(signal)
    }
}

impl GroupApi<'_> {
    /// Invites members to a call, a game or the like, as [`UserApi::invite`] does with one user.
    ///
    /// # Errors
    /// As [`Api::send`].
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # use std::time::Duration;
    /// # async fn example(api: Api, group: Group) -> Result<(), ApiError> {
    /// let users = ["alice", "bob"];
    /// api.group(&group).invite_to_call(users, "chess", Duration::from_secs(30)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn invite_to_call(
        &self,
        users: impl IntoIterator<Item = impl IntoUserId>,
        data: impl Into<String>,
        timeout: Duration,
    ) -> Result<Signal, ApiError> {
        let users = users.into_iter().map(super::user_id);
        let users: Vec<UserId> = users.collect::<Result<_, _>>()?;
        let signal = Signal::invite(invitation_id(), self.api().me(), users, data, timeout);
        let signal = signal.in_group(self.checked()?);
        self.send(signal.draft()).await?;
        Ok(signal)
    }
}

impl Api {
    /// Answers an invitation: accepts or refuses a received one, cancels one of this account, or tells that it
    /// timed out.
    ///
    /// # Errors
    /// As [`send`](Self::send); [`ApiError::Unfit`] for cancelling somebody else's invitation.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, invitation: Signal) -> Result<(), ApiError> {
    /// api.answer_invitation(&invitation, SignalAction::Reject, "busy").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn answer_invitation(
        &self,
        invitation: &Signal,
        action: Action,
        data: impl Into<String>,
    ) -> Result<(), ApiError> {
        let is_own = invitation.inviter == self.me();
        if action == Action::Cancel && !is_own {
            return Err(ApiError::Unfit("only the inviter can cancel an invitation"));
        }
        let to = match invitation.invitees.first() {
            _ if !invitation.group.is_empty() => Conversation::from(&invitation.group),
            Some(invitee) if is_own => Conversation::from(invitee),
            _ => Conversation::from(&invitation.inviter),
        };
        let answer = invitation.answer(self.me(), action, data);
        self.send(to, answer.draft()).await?;
        Ok(())
    }
}

/// A random ID in the form of a UUID, as the official client generates it.
fn invitation_id() -> String {
    let random = fastrand::u128(..);
    let bits = random & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    let (a, rest) = hex.split_at(8);
    let (b, rest) = rest.split_at(4);
    let (c, rest) = rest.split_at(4);
    let (d, e) = rest.split_at(4);
    format!("{a}-{b}-{c}-{d}-{e}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_invitation_is_named_like_a_random_uuid() {
        for _ in 0..100 {
            let id = super::invitation_id();
            let parts: Vec<usize> = id.split('-').map(str::len).collect();
            assert_eq!(parts, [8, 4, 4, 4, 12]);
            assert_eq!(&id[14..15], "4", "{id}");
            assert!("89ab".contains(&id[19..20]), "{id}");
        }
    }
}
