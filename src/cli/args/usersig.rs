//! The arguments of `botroupe usersig`.

use super::{seconds_or_duration, secret};
use crate::proto::id::{SdkAppId, UserId};
use clap::{Args as ClapArgs, Subcommand};
use secrecy::SecretString;
use std::time::Duration;

/// `botroupe usersig …`.
#[derive(Clone, Debug, Subcommand)]
pub(in crate::cli) enum UsersigCommand {
    /// Makes a UserSig and prints it, alone, on standard output.
    #[command(after_help = "\
Example:
  BOTROUPE_SECRET_KEY=… botroupe usersig sign --sdk-app-id 1400000001 --user-id alice --expire 1d")]
    Sign {
        /// Which app and account.
        #[command(flatten)]
        who: WhoArgs,

        /// Its lifetime, like 86400 (seconds) or 1d.
        #[arg(long, value_name = "S", default_value = "7d", value_parser = seconds_or_duration)]
        expire: Duration,

        /// When it is made, in Unix seconds; now if not given.
        #[arg(long, value_name = "T")]
        time: Option<u64>,
    },
    /// Prints the contents of a UserSig; needs no key and checks no signature.
    #[command(after_help = "Example:\n  botroupe usersig inspect - < usersig.txt")]
    Inspect {
        /// The UserSig, or - to read it from standard input.
        #[arg(value_name = "SIG", value_parser = secret)]
        sig: SecretString,
    },
    /// Checks that a UserSig lets an account in: exit code 0 if it does, 1 if not.
    Verify {
        /// Which app and account.
        #[command(flatten)]
        who: WhoArgs,

        /// The time to check at, in Unix seconds; now if not given.
        #[arg(long, value_name = "T")]
        time: Option<u64>,

        /// The UserSig, or - to read it from standard input.
        #[arg(value_name = "SIG", value_parser = secret)]
        sig: SecretString,
    },
}

/// Whose UserSig it is.
#[derive(Clone, Debug, ClapArgs)]
pub(in crate::cli) struct WhoArgs {
    /// The SDKAppID of the app.
    #[arg(long, value_name = "N")]
    pub(in crate::cli) sdk_app_id: SdkAppId,

    /// The UserID of the account.
    #[arg(long, value_name = "USER")]
    pub(in crate::cli) user_id: UserId,

    #[command(flatten)]
    pub(in crate::cli) key: KeyArgs,
}

/// `--secret-key`, or the variable that keeps it out of the shell's history.
#[derive(Clone, Debug, ClapArgs)]
pub(in crate::cli) struct KeyArgs {
    /// The SecretKey of the app; better given as the environment variable BOTROUPE_SECRET_KEY,
    /// which other users of this machine cannot see.
    #[arg(long, value_name = "K", value_parser = secret)]
    pub(in crate::cli) secret_key: Option<SecretString>,
}
