//! The arguments of `botroupe chat`.

use super::ConfigArgs;
use crate::proto::id::UserId;
use clap::Args as ClapArgs;

/// `botroupe chat`.
#[derive(Clone, Debug, ClapArgs)]
pub(in crate::cli) struct ChatArgs {
    /// Who talks.
    #[arg(long = "as", value_name = "USER")]
    pub(in crate::cli) user: UserId,

    /// Whom to talk to.
    #[arg(
        long,
        value_name = "ACCOUNT",
        required_unless_present = "group",
        conflicts_with = "group"
    )]
    pub(in crate::cli) to: Option<String>,

    /// The group to talk in; chat joins it first if necessary.
    #[arg(long, value_name = "GROUP")]
    pub(in crate::cli) group: Option<String>,

    /// Creates the group with the accounts of the config, if it does not exist.
    #[arg(long, requires = "group", conflicts_with = "to")]
    pub(in crate::cli) create: bool,

    /// The app to talk in, by its name or SDKAppID, where the config has several.
    #[arg(long, value_name = "APP")]
    pub(in crate::cli) app: Option<String>,

    /// Where to connect, instead of where the config says.
    #[arg(long, value_name = "WS-URL")]
    pub(in crate::cli) url: Option<String>,

    /// Which config tells the app and its key.
    #[command(flatten)]
    pub(in crate::cli) config: ConfigArgs,
}
