//! Who is online: asking, and subscribing to changes.

use super::{Done, ItemResult};
use crate::lenient;
use crate::op::Limit;
use crate::update::UserStatus;
use serde::{Deserialize, Serialize};

/// Users that one request may ask the status of.
pub const MAX_STATUS: usize = 500;
/// Users that one request may subscribe to.
pub const MAX_SUBSCRIBED: usize = 100;

const STATUS: Limit = Limit::new("user status", 4.0, 20);

calls! {
    GetStatus => "im_open_status.ws_get_user_status" -> Statuses, STATUS;
    Subscribe => "im_open_status.ws_status_subscribe" -> NotSubscribed, STATUS;
    Unsubscribe => "im_open_status.ws_status_unsubscribe" -> NotSubscribed, STATUS;
    SetStatus => "im_open_status.ws_set_custom_status" -> Done, STATUS;
}

/// Asks who is online.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetStatus {
    /// The users, 500 at most.
    #[serde(rename = "To_Account", default, deserialize_with = "lenient::list")]
    pub users: Vec<String>,
}

/// The answer to [`GetStatus`].
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Statuses {
    /// One per known user.
    #[serde(rename = "UserStatusList", default, deserialize_with = "lenient::list")]
    pub items: Vec<UserStatus>,
    /// Users whose status is not known.
    #[serde(rename = "ErrorList", default, deserialize_with = "lenient::list")]
    pub errors: Vec<ItemResult>,
}

/// Subscribes to the status of users.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Subscribe {
    /// The users, 100 at most.
    #[serde(rename = "To_Account", default, deserialize_with = "lenient::list")]
    pub users: Vec<String>,
}

/// Ends subscriptions.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Unsubscribe {
    /// The users, 100 at most; empty for all.
    #[serde(rename = "To_Account", default, deserialize_with = "lenient::list")]
    pub users: Vec<String>,
}

/// The answer to [`Subscribe`] and [`Unsubscribe`].
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct NotSubscribed {
    /// Users for whom it failed.
    #[serde(rename = "ErrorList", default, deserialize_with = "lenient::list")]
    pub errors: Vec<ItemResult>,
}

/// Sets what the own status says beside "online".
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SetStatus {
    /// The text; plain here, although what others get of it is in base64.
    #[serde(rename = "CustomStatus")]
    pub text: String,
}
