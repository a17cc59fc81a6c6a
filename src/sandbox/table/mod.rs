//! The data of each service. A table does not access other tables; the handlers of the services do.

pub(crate) mod blacklist;
pub(crate) mod c2c_message;
pub(crate) mod conversation;
pub(crate) mod extension;
pub(crate) mod follow;
pub(crate) mod friend;
pub(crate) mod friend_application;
pub(crate) mod friend_group;
pub(crate) mod group;
pub(crate) mod ledger;
pub(crate) mod marks;
pub(crate) mod media;
pub(crate) mod merger;
pub(crate) mod push;
pub(crate) mod reaction;
pub(crate) mod recent;
pub(crate) mod user_status;
