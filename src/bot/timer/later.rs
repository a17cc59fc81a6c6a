//! Alarms that handlers set.

use super::alarms::{Key, Later as SetAlarm};
use super::delayed;
use crate::bot::api::{Api, ApiError, IntoUserId};
use crate::bot::event::{Event, FromEvent};
use crate::bot::kinds::Kinds;
use crate::bot::needs::Needs;
use crate::bot::rejection::Rejection;
use crate::config::parse_duration;
use crate::proto::id::UserId;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Names an alarm that was set with [`Api::later`], over restarts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AlarmId(pub(in crate::bot) Box<str>);

impl fmt::Display for AlarmId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An alarm that is set and has not come.
#[derive(Clone, Debug)]
pub struct Pending {
    id: AlarmId,
    alarm: Arc<SetAlarm>,
}

impl Pending {
    /// Its name.
    #[must_use]
    pub const fn id(&self) -> &AlarmId {
        &self.id
    }

    /// What it is about.
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.alarm.topic
    }

    /// When it comes, in Unix seconds.
    #[must_use]
    pub fn due(&self) -> u64 {
        self.alarm.due
    }

    /// The user whose message it was set for; `None` when it was set elsewhere.
    #[must_use]
    pub fn user(&self) -> Option<&UserId> {
        self.alarm.place.as_ref().map(|(_, user)| user)
    }

    /// What its handler gets; `None` when it is no `T`.
    #[must_use]
    pub fn payload<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(&self.alarm.payload).ok()
    }
}

/// How long from now: a [`Duration`], or a text such as `"2h"` or `"1d12h"`.
pub trait Delay {
    /// The time; `Err` says why it is none.
    ///
    /// # Errors
    /// When a text is no duration.
    fn time(self) -> Result<Duration, String>;
}

impl Delay for Duration {
    fn time(self) -> Result<Duration, String> {
        Ok(self)
    }
}

impl Delay for &str {
    fn time(self) -> Result<Duration, String> {
        parse_duration(self).map_err(|error| error.to_string())
    }
}

/// What an alarm carries to the handler of [`Bot::on_later`](crate::bot::Bot::on_later).
#[derive(Clone, Debug)]
pub struct Later<T> {
    payload: T,
    due: u64,
}

impl<T> Later<T> {
    /// What was given to [`Api::later`].
    pub fn into_inner(self) -> T {
        self.payload
    }

    /// When it was due, in Unix seconds. It may have come later than that.
    pub const fn due(&self) -> u64 {
        self.due
    }
}

impl<T> Deref for Later<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.payload
    }
}

impl<T: DeserializeOwned + Send> FromEvent for Later<T> {
    type Rejection = Rejection;

    async fn from_event(event: &Event) -> Result<Self, Rejection> {
        let alarm = event.alarm().ok_or(Rejection::Skip)?;
        let payload = alarm.later.as_ref().map_or("null", |later| &*later.payload);
        let payload = serde_json::from_str(payload).map_err(Rejection::failed)?;
        Ok(Self {
            payload,
            due: alarm.due,
        })
    }

    fn needs(needs: &mut Needs) {
        needs.only(Kinds::ALARM);
    }
}

impl Api {
    /// Calls the handler of [`Bot::on_later`](crate::bot::Bot::on_later) for this topic after a time, once, also if the
    /// program was restarted in between; if it does not run then, or the account is offline, as soon as both are back.
    /// What the handler returns goes to the conversation of the message that is handled now.
    ///
    /// In a handler the alarm is set when the handler ends well; one that fails sets none.
    ///
    /// # Errors
    /// [`ApiError::Unfit`] when `after` is no duration, and in tests of an [`Api`] that belongs to no bot.
    ///
    /// ```
    /// use botroupe::prelude::*;
    ///
    /// async fn remind(Args((when, what)): Args<(String, String)>, api: Api) -> Result<&'static str, ApiError> {
    ///     api.later(when.as_str(), "remind", &what).await?;
    ///     Ok("I will remind you.")
    /// }
    ///
    /// async fn ring(what: Later<String>) -> String {
    ///     format!("You wanted to be reminded: {}", *what)
    /// }
    /// # let _ =
    /// Bot::new("reminder").command("remind <when> <what...>", remind).on_later("remind", ring)
    /// # ;
    /// ```
    pub async fn later<T: Serialize + Sync + ?Sized>(
        &self,
        after: impl Delay,
        topic: &str,
        payload: &T,
    ) -> Result<AlarmId, ApiError> {
        let after = after.time().map_err(|_| {
            ApiError::Unfit("the time is no duration; write for example \"30m\" or \"2h\"")
        })?;
        let now = self.time()?;
        self.set_alarm(now.saturating_add(after.as_secs()), topic, payload)
            .await
    }

    /// Like [`later`](Self::later), at a time of the calendar; one that has passed comes at once.
    ///
    /// # Errors
    /// As [`later`](Self::later).
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// let noon = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_893_499_200);
    /// api.at(noon, "remind", "Lunch!").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn at<T: Serialize + Sync + ?Sized>(
        &self,
        time: SystemTime,
        topic: &str,
        payload: &T,
    ) -> Result<AlarmId, ApiError> {
        let due = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        self.set_alarm(due.as_secs(), topic, payload).await
    }

    /// The alarms that the bot has set on this account and that have not come, in the order of their times. In a handler
    /// those are missing that it has set itself.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # fn example(api: Api, sender: Sender) {
    /// let alarms = api.alarms();
    /// let mine = alarms.iter().filter(|it| it.user() == Some(&sender.user_id));
    /// # }
    /// ```
    #[must_use]
    pub fn alarms(&self) -> Vec<Pending> {
        let Some((ledger, owner)) = self.books() else {
            return Vec::new();
        };
        let all = ledger.alarms_of(owner.bot()).into_iter();
        // Replies that wait for their time are no alarms of the author.
        let all = all.filter(|(_, alarm)| *alarm.topic != *delayed::TOPIC);
        all.map(|(key, alarm)| Pending {
            id: AlarmId(key.name),
            alarm,
        })
        .collect()
    }

    /// Those of [`alarms`](Self::alarms) that were set in handlers of messages of this user.
    ///
    /// ```
    /// use botroupe::prelude::*;
    ///
    /// async fn list(api: Api, of: Sender) -> String {
    ///     let alarms = api.alarms_of(&of).into_iter();
    ///     alarms.filter_map(|alarm| alarm.payload::<String>()).collect::<Vec<_>>().join(", ")
    /// }
    /// # let _ = Bot::new("reminder").command("reminders", list);
    /// ```
    #[must_use]
    pub fn alarms_of(&self, user: impl IntoUserId) -> Vec<Pending> {
        let user = user.into_user_id();
        let mut alarms = self.alarms();
        alarms.retain(|alarm| alarm.user() == Some(&user));
        alarms
    }

    /// Sets an alarm off. In a handler it is off when the handler ends well.
    ///
    /// # Errors
    /// None at present.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// for alarm in api.alarms() {
    ///     api.cancel_alarm(alarm.id()).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn cancel_alarm(&self, id: &AlarmId) -> Result<(), ApiError> {
        if let Some((ledger, owner)) = self.books() {
            let key = Key {
                bot: owner.bot().into(),
                name: id.0.clone(),
            };
            ledger.change_alarm(owner, key, None).await;
        }
        Ok(())
    }

    async fn set_alarm<T: Serialize + Sync + ?Sized>(
        &self,
        due: u64,
        topic: &str,
        payload: &T,
    ) -> Result<AlarmId, ApiError> {
        let payload = serde_json::to_string(payload)
            .map_err(|_| ApiError::Unfit("the payload cannot be written as JSON"))?;
        let Some((ledger, owner)) = self.books() else {
            return Err(ApiError::Unfit("only a bot can set alarms"));
        };
        self.once("alarm", topic, async || {
            let key = Key {
                bot: owner.bot().into(),
                name: ledger.alarm_name(owner),
            };
            let later = SetAlarm {
                due,
                topic: topic.into(),
                payload: payload.into(),
                place: owner.exchange().and_then(|exchange| exchange.place.clone()),
            };
            let id = AlarmId(key.name.clone());
            ledger.change_alarm(owner, key, Some(later)).await;
            id
        })
        .await
    }
}
