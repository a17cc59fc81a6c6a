//! Online status: queries and subscriptions. See "Conversations and people" in
//! `docs/src/protocol.md`.

use super::{Done, ItemResult};
use crate::lenient;
use crate::op::Limit;
use crate::update::UserStatus;
use serde::{Deserialize, Serialize};

/// The maximum number of users per query.
pub const MAX_STATUS: usize = 500;
/// The maximum number of users per subscription.
pub const MAX_SUBSCRIBED: usize = 100;

const STATUS: Limit = Limit::new("user status", 4.0, 20);

calls! {
    GetStatus => "im_open_status.ws_get_user_status" -> Statuses, STATUS;
    Subscribe => "im_open_status.ws_status_subscribe" -> NotSubscribed, STATUS;
    Unsubscribe => "im_open_status.ws_status_unsubscribe" -> NotSubscribed, STATUS;
    SetStatus => "im_open_status.ws_set_custom_status" -> Done, STATUS;
}

/// Requests the online status of users.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetStatus {
    /// The users, at most 500.
    #[serde(rename = "To_Account", default, deserialize_with = "lenient::list")]
    pub users: Vec<String>,
}

/// The answer to [`GetStatus`].
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Statuses {
    /// One entry per known user.
    #[serde(rename = "UserStatusList", default, deserialize_with = "lenient::list")]
    pub items: Vec<UserStatus>,
    /// Users whose status is unknown.
    #[serde(rename = "ErrorList", default, deserialize_with = "lenient::list")]
    pub errors: Vec<ItemResult>,
}

/// Subscribes to the status of users.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Subscribe {
    /// The users, at most 100.
    #[serde(rename = "To_Account", default, deserialize_with = "lenient::list")]
    pub users: Vec<String>,
}

/// Ends subscriptions.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Unsubscribe {
    /// The users, at most 100; empty for all.
    #[serde(rename = "To_Account", default, deserialize_with = "lenient::list")]
    pub users: Vec<String>,
}

/// The answer to [`Subscribe`] and [`Unsubscribe`].
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct NotSubscribed {
    /// Users for whom the request failed.
    #[serde(rename = "ErrorList", default, deserialize_with = "lenient::list")]
    pub errors: Vec<ItemResult>,
}

/// Sets the custom status of this account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SetStatus {
    /// The plain text. Other users receive it in base64.
    #[serde(rename = "CustomStatus")]
    pub text: String,
}
