//! The arguments of `botroupe sandbox`.

use super::{KeyArgs, address, seconds_or_duration};
use crate::config;
use crate::proto::id::{SdkAppId, UserId};
use clap::Args as ClapArgs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Whose certificate the sandbox has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(in crate::cli) enum TlsKind {
    /// Its own, made at the start.
    SelfSigned,
}

/// `botroupe sandbox`.
#[derive(Clone, Debug, ClapArgs)]
pub(in crate::cli) struct SandboxArgs {
    /// Where to listen; port 0 is any free one.
    #[arg(long, value_name = "ADDR:PORT", value_parser = address, default_value_t = SocketAddr::from(([127, 0, 0, 1], config::defaults::SANDBOX_PORT)))]
    pub(in crate::cli) listen: SocketAddr,

    /// The SDKAppID that clients must give.
    #[arg(long, value_name = "N")]
    pub(in crate::cli) sdk_app_id: SdkAppId,

    #[command(flatten)]
    pub(in crate::cli) key: KeyArgs,

    /// How many web logins an account may have at once.
    #[arg(long, value_name = "N", default_value_t = config::defaults::SANDBOX_MAX_WEB_INSTANCES, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(in crate::cli) max_web_instances: u32,

    /// How often clients are asked to say hello, like 120 (seconds) or 2m.
    #[arg(long, value_name = "S", default_value = "120", value_parser = seconds_or_duration)]
    pub(in crate::cli) hello_interval: Duration,

    /// Whether an account exists as soon as it logs in.
    #[arg(long, value_name = "BOOL", default_value_t = config::defaults::SANDBOX_AUTO_IMPORT, action = clap::ArgAction::Set)]
    pub(in crate::cli) auto_import: bool,

    /// An account that may use the REST API; can be repeated.
    #[arg(long = "admin", value_name = "USER", default_value = config::defaults::SANDBOX_ADMIN)]
    pub(in crate::cli) admins: Vec<UserId>,

    /// A TOML file of accounts, groups and history to start with.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) seed: Option<PathBuf>,

    /// The file that keeps everything over restarts; the seed is used for the first start only.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) store: Option<PathBuf>,

    /// Web pages of this origin may use it, besides those of this machine; can be repeated.
    #[arg(long = "origin", value_name = "SCHEME://HOST")]
    pub(in crate::cli) origins: Vec<String>,

    /// A host name for it, besides IP addresses and localhost; can be repeated.
    #[arg(long = "host", value_name = "NAME")]
    pub(in crate::cli) hosts: Vec<String>,

    /// Speaks TLS too, on the same port, with a certificate that it makes itself and prints.
    #[arg(long, value_name = "KIND", num_args = 0..=1, default_missing_value = "self-signed", conflicts_with = "tls_cert")]
    pub(in crate::cli) tls: Option<TlsKind>,

    /// Writes the certificate that it makes to this file (PEM), which clients name as `[tls] ca_file`.
    #[arg(long, value_name = "FILE", requires = "tls")]
    pub(in crate::cli) tls_ca: Option<PathBuf>,

    /// Speaks TLS too, with this certificate (a PEM file).
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(in crate::cli) tls_cert: Option<PathBuf>,

    /// The private key of the certificate (a PEM file).
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(in crate::cli) tls_key: Option<PathBuf>,
}
