//! The services, one file for each feature. The file names match those in `proto::op`, the bot API
//! and the tests.
//!
//! A service registers its commands in [`commands`](crate::commands), for clients and for the REST
//! API, and has its own table. State shared by services is in [`World`](crate::world::World).
//!
//! See "Envelope" in docs/src/protocol.md.

pub(crate) mod account;
pub(crate) mod app_call;
pub(crate) mod blacklist;
pub(crate) mod c2c_message;
pub(crate) mod client_config;
pub(crate) mod conversation;
pub(crate) mod conversation_group;
pub(crate) mod extension;
pub(crate) mod follow;
pub(crate) mod friend;
pub(crate) mod friend_application;
pub(crate) mod friend_group;
pub(crate) mod group;
pub(crate) mod ledger;
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

use std::sync::LazyLock;

use crate::commands::Commands;

/// Registers the commands of every service.
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

static COMMANDS: LazyLock<Commands> = LazyLock::new(|| {
    let mut commands = Commands::default();
    register(&mut commands);
    commands
});

/// The registry of all commands.
pub(crate) fn commands() -> &'static Commands {
    &COMMANDS
}

#[cfg(test)]
mod tests {
    use super::commands;

    #[test]
    fn no_command_is_registered_twice() {
        for (count, doubled) in commands().sides() {
            assert_eq!(doubled, <[String]>::as_ref(&[]));
            assert!(count > 80, "{count}");
        }
    }

    #[test]
    fn a_group_command_has_every_service_of_the_groups() {
        for service in ["group_open_http_svc", "million_group_open_http_svc"] {
            let name = format!("{service}.create_group");
            assert!(commands().of_client(&name).is_some() && commands().of_app(&name).is_some());
        }
        assert!(commands().of_client("recentcontact.create_group").is_none());
        assert!(commands().of_client("").is_none());
    }
}
