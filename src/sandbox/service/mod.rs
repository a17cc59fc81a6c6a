//! The services: a file for each feature, under the word that `proto::op`, the API of bots and the tests use.
//!
//! A service registers its commands in [`commands`](crate::commands), for clients and for the REST API, and
//! keeps its own table. What services share is [`World`](crate::world::World).

pub(crate) mod account;
pub(crate) mod blacklist;
pub(crate) mod c2c_message;
pub(crate) mod client_config;
pub(crate) mod conversation;
pub(crate) mod conversation_group;
pub(crate) mod extension;
pub(crate) mod fields;
pub(crate) mod follow;
pub(crate) mod friend;
pub(crate) mod friend_application;
pub(crate) mod friend_group;
pub(crate) mod group;
pub(crate) mod login;
pub(crate) mod marks;
pub(crate) mod media;
pub(crate) mod merger;
pub(crate) mod profile;
pub(crate) mod push;
pub(crate) mod reaction;
pub(crate) mod receipt;
pub(crate) mod receive_option;
pub(crate) mod relation;
pub(crate) mod search;
pub(crate) mod speech;
pub(crate) mod translation;
pub(crate) mod user_status;

use crate::commands::Commands;

/// Has every service register its commands.
pub(crate) fn register(commands: &mut Commands) {
    account::register(commands);
    blacklist::register(commands);
    c2c_message::register(commands);
    client_config::register(commands);
    conversation::register(commands);
    conversation_group::register(commands);
    extension::register(commands);
    reaction::register(commands);
    follow::register(commands);
    friend::register(commands);
    friend_application::register(commands);
    friend_group::register(commands);
    login::register(commands);
    media::register(commands);
    merger::register(commands);
    profile::register(commands);
    push::register(commands);
    receipt::register(commands);
    receive_option::register(commands);
    search::register(commands);
    speech::register(commands);
    translation::register(commands);
    user_status::register(commands);
    c2c_message::for_app::register(commands);
    group::register(commands);
}
