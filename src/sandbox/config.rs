//! Settings of a sandbox.

use std::{path::PathBuf, time::Duration};

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::proto::id::{SdkAppId, UserId};

/// Settings of a sandbox. The defaults of [`SandboxConfig::new`] suit tests and examples; change
/// the fields you need.
#[derive(Clone, Debug)]
pub struct SandboxConfig {
    /// The only app that the sandbox serves.
    pub app: SdkAppId,
    /// The SecretKey that signs UserSigs.
    pub key: SecretString,
    /// Accounts that exist from the start, in addition to the administrators.
    pub accounts: Vec<UserId>,
    /// Accounts that may call the REST API. These accounts exist from the start.
    pub administrators: Vec<UserId>,
    /// Creates unknown accounts when they log in or receive a message. If false, such logins get
    /// 70107 and such messages 20003.
    pub auto_import: bool,
    /// The most web logins of one account that may be online at once; a further login kicks the
    /// oldest.
    pub max_web_instances: usize,
    /// The hello interval sent to clients, in whole seconds, at least one.
    pub hello_interval: Duration,
    /// How long a login counts as online after its link is lost.
    pub link_timeout: Duration,
    /// A connection that sends no frame for this long is closed. The official SDK pings every 10 s.
    pub idle_timeout: Duration,
    /// How long the sender can recall a message.
    pub recall_window: Duration,
    /// The most messages in one page of missed messages. `None` sends all in one page; with the
    /// official SDK, only this setting loses no messages.
    pub sync_page: Option<usize>,
    /// Refuses requests with a wrong checksum instead of only counting them.
    pub strict_checksum: bool,

    /// How to answer client commands that the sandbox does not know.
    pub unknown: Unknown,
    /// Which repeated sends are recognised, and for how long.
    pub dedupe: Dedupe,
    /// Keeps a record of each accepted message, see `Sandbox::ledger`. A million messages at most.
    pub ledger: bool,
    /// The most open connections; further ones are refused with HTTP 503.
    pub max_connections: usize,
    /// The most accounts.
    pub max_accounts: usize,
    /// The longest frame and the longest reassembled message from a client, in bytes.
    pub max_frame: usize,
    /// Requests per second for one connection in the long run, acknowledgements included. Above
    /// this rate requests get 60018; a connection far above it is closed.
    pub request_rate: u32,
    /// Requests that one connection may send in a burst after a pause.
    pub request_burst: u32,
    /// The most bytes queued for one connection; a client that does not read is disconnected at
    /// this limit.
    pub outgoing_limit: usize,
    /// The most messages kept per conversation; the oldest are dropped first.
    pub history_limit: usize,
    /// The most messages kept in total; the oldest are dropped first.
    pub message_limit: usize,
    /// The most missed messages kept per account; the oldest are dropped first.
    pub inbox_limit: usize,
    /// The most groups.
    pub max_groups: usize,
    /// The most members of a Work, Public or Meeting group; a further member gets 10014. Live rooms
    /// have no limit, Communities have 100,000.
    pub group_member_limit: usize,
    /// The most groups of one account, not counting live rooms.
    pub joined_group_limit: usize,
    /// Messages per second accepted in one group; above this rate senders get 10023.
    pub group_message_rate: u32,
    /// The most messages and tips kept per group; the oldest are dropped first.
    pub group_history_limit: usize,
    /// How long a live-room poll is held when there are no new items. The official SDK gives up
    /// after 15 s.
    pub live_hold: Duration,
    /// The most held live-room polls; a further poll is answered at once, without items.
    pub held_poll_limit: usize,
    /// The most items a live room keeps for late polls.
    pub live_backlog: usize,
    /// The most earlier messages that a live room shows to an account that joins. Zero corresponds
    /// to a package without this feature.
    pub live_history: usize,
    /// The most friends of one account, as the service documents it.
    pub friend_limit: usize,
    /// The most bytes of uploaded files; the oldest files are removed first.
    pub media_bytes: u64,
    /// The longest file that can be uploaded, in bytes.
    pub media_file_bytes: u64,
    /// The most files and unused addresses; the oldest are removed first.
    pub media_files: usize,
    /// The folder for uploaded files; `None` keeps the files in memory. The files survive a restart
    /// only with a folder and a [`store_file`](Self::store_file).
    pub media_dir: Option<PathBuf>,
    /// Serves TLS on the same port, for connections that begin with a TLS handshake. `None` serves
    /// plain HTTP only.
    pub tls: Option<SandboxTls>,
    /// The file to which a certificate of [`SandboxTls::SelfSigned`] is written as PEM, for clients
    /// to trust. It is written at every start.
    pub tls_ca_file: Option<PathBuf>,
    /// Origins (`https://host[:port]`) of web pages that may use the sandbox, in addition to pages
    /// of this machine.
    pub origins: Vec<String>,
    /// Host names accepted in `Host`, in addition to addresses and `localhost`.
    pub hosts: Vec<String>,
    /// Token required for orders (`/sandbox/…`). Without a token, orders are accepted from this
    /// machine only, and not at all if other machines can reach the sandbox.
    pub token: Option<SecretString>,
    /// A file with accounts, groups and history to start with, see [`Seed`](super::Seed). Ignored
    /// if the [`store_file`](Self::store_file) exists.
    pub seed_file: Option<PathBuf>,
    /// The file that keeps all data over restarts, created if missing; `None` discards all data at
    /// the end. Only one sandbox can use the file at a time.
    pub store_file: Option<PathBuf>,
    /// The longest delay between a change and the write to the store. A large sandbox waits longer
    /// if writing would otherwise keep it busy.
    pub store_interval: Duration,
    /// Seed of the generated numbers (tickets, TinyIds). Equal seeds give equal runs and equal
    /// tickets. A restarted server must not issue tickets that earlier clients still hold, so each
    /// start draws its own seed unless this is set.
    pub seed: Option<u64>,
}

/// The TLS certificate of the sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SandboxTls {
    /// A self-signed certificate, created at the start for `localhost`, loopback and the listening
    /// address. Browsers must be told to trust it.
    SelfSigned,
    /// PEM files, for example of a local authority that the browser trusts.
    Files {
        /// The certificate and its chain.
        certificate: PathBuf,
        /// The private key of the certificate.
        key: PathBuf,
    },
}

/// How to answer client commands that the sandbox does not know. Over REST they are always refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unknown {
    /// Answers with a bare OK, because some clients treat an error as a broken server. The log
    /// warns once per command.
    #[default]
    Warn,
    /// Refuses with 60002, so that an OK always means the command was executed.
    Refuse,
}

/// Which repeated sends the sandbox recognises. A repeat gets the answer to the first one and is not
/// delivered again. One-to-one messages are told apart by sender, receiver, `MsgSeq`, `MsgRandom` and
/// the CRC-32 of the content, group messages by sender and `Random` within the group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Dedupe {
    /// As Tencent documents it for the REST API: one-to-one messages for 120 s, group messages for
    /// 5 minutes. That it holds for web clients too is a guess.
    #[default]
    Documented,
    /// None: every send is delivered.
    None,
    /// All, however late, as far as the sandbox remembers.
    Forever,
}

impl SandboxConfig {
    /// Settings for `app`, whose UserSigs are signed with `key`.
    pub fn new(app: SdkAppId, key: impl Into<SecretString>) -> Self {
        Self {
            app,
            key: key.into(),
            accounts: Vec::new(),
            administrators: UserId::parse("administrator").into_iter().collect(),
            auto_import: true,
            max_web_instances: 1,
            hello_interval: Duration::from_secs(120),
            link_timeout: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(60),
            recall_window: Duration::from_secs(120),
            sync_page: None,
            strict_checksum: false,
            unknown: Unknown::Warn,
            dedupe: Dedupe::Documented,
            ledger: false,
            max_connections: 20_000,
            max_accounts: 100_000,
            max_frame: 1024 * 1024,
            request_rate: 1000,
            request_burst: 5000,
            outgoing_limit: 1024 * 1024,
            history_limit: 1000,
            message_limit: 200_000,
            inbox_limit: 2000,
            max_groups: 10_000,
            group_member_limit: 2000,
            joined_group_limit: 3000,
            group_message_rate: 40,
            group_history_limit: 1000,
            live_hold: Duration::from_secs(10),
            held_poll_limit: 10_000,
            live_backlog: 500,
            live_history: 20,
            friend_limit: 3000,
            media_bytes: 512 * 1024 * 1024,
            media_file_bytes: 100 * 1024 * 1024,
            media_files: 10_000,
            media_dir: None,
            tls: None,
            tls_ca_file: None,
            origins: Vec::new(),
            hosts: Vec::new(),
            token: None,
            seed_file: None,
            store_file: None,
            store_interval: Duration::from_secs(5),
            seed: None,
        }
    }
}
