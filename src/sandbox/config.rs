//! What a sandbox can be set to. Values only; nothing here acts.

use std::{path::PathBuf, time::Duration};

use secrecy::SecretString;

use crate::proto::id::{SdkAppId, UserId};

/// Settings of a sandbox. [`SandboxConfig::new`] gives values that suit tests and examples; change
/// the fields you care about.
#[derive(Clone, Debug)]
pub struct SandboxConfig {
    /// The one app it serves.
    pub app: SdkAppId,
    /// The SecretKey UserSigs have to be signed with.
    pub key: SecretString,
    /// Accounts that exist from the start, besides the administrators.
    pub accounts: Vec<UserId>,
    /// Accounts that may call the REST API. They exist from the start.
    pub administrators: Vec<UserId>,
    /// Create unknown accounts when they log in or are written to. Off: such logins get 70107,
    /// such messages 20003.
    pub auto_import: bool,
    /// How many web logins of one account may be online at once; a further one puts the oldest out.
    pub max_web_instances: usize,
    /// The hello cadence told to clients, in whole seconds, at least one.
    pub hello_interval: Duration,
    /// How long after a lost link a login still counts as online.
    pub link_timeout: Duration,
    /// A connection that sends no frame for this long is cut. Real clients ping every 10 s.
    pub idle_timeout: Duration,
    /// How long a message can be recalled by its sender.
    pub recall_window: Duration,
    /// The most messages in one page of missed messages; `None` sends all in one page, which is
    /// the only form that loses nothing with the official SDK.
    pub sync_page: Option<usize>,
    /// Refuse requests whose checksum does not fit, instead of only counting them.
    pub strict_checksum: bool,

    /// What becomes of commands of clients that the sandbox does not know.
    pub unknown: Unknown,
    /// The most connections at once; further ones are refused with HTTP 503.
    pub max_connections: usize,
    /// The most accounts.
    pub max_accounts: usize,
    /// The longest frame and joined message taken from a client, in bytes.
    pub max_frame: usize,
    /// Requests per second one connection may send in the long run, acknowledgements included;
    /// above it 60018 is answered, and one that keeps far above it is cut.
    pub request_rate: u32,
    /// Requests one connection may send at once after a pause.
    pub request_burst: u32,
    /// The most bytes that may wait to be sent to one connection; a client that never reads is cut
    /// when it is reached.
    pub outgoing_limit: usize,
    /// The most messages kept per conversation; the oldest go first.
    pub history_limit: usize,
    /// The most messages kept in all; the oldest go first.
    pub message_limit: usize,
    /// The most missed messages kept per account; the oldest go first.
    pub inbox_limit: usize,
    /// The most groups at once.
    pub max_groups: usize,
    /// The most members of a Work, Public or Meeting group; the next one gets 10014. Live rooms have
    /// no limit, Communities 100,000.
    pub group_member_limit: usize,
    /// The most groups one account may be in; live rooms do not count.
    pub joined_group_limit: usize,
    /// Messages per second a group takes; above it senders get 10023.
    pub group_message_rate: u32,
    /// The most messages and tips kept per group; the oldest go first.
    pub group_history_limit: usize,
    /// How long a live room's poll is held when there is nothing to tell. The official SDK gives up
    /// after 15 s.
    pub live_hold: Duration,
    /// The most live-room polls held at once; one more is answered at once, with nothing.
    pub held_poll_limit: usize,
    /// The most items a live room keeps for polls that come late.
    pub live_backlog: usize,
    /// The most messages of before that a live room shows to whoever enters. Zero for an edition that
    /// has not bought it.
    pub live_history: usize,
    /// The most friends of one account, as the service documents it.
    pub friend_limit: usize,
    /// The most bytes of uploaded files kept; the oldest files go first.
    pub media_bytes: u64,
    /// The longest file that can be uploaded, in bytes.
    pub media_file_bytes: u64,
    /// The most files and unused addresses kept; the oldest go first.
    pub media_files: usize,
    /// The folder uploaded files are kept in; `None` keeps them in memory. With a
    /// [`store_file`](Self::store_file) they outlive a restart there, otherwise they do not.
    pub media_dir: Option<PathBuf>,
    /// Speak TLS too, on the same port: what begins with a handshake is served so. `None` speaks plain
    /// HTTP only.
    pub tls: Option<SandboxTls>,
    /// Web pages of these origins (`https://host[:port]`) may use the sandbox, besides those of this
    /// machine.
    pub origins: Vec<String>,
    /// Names the sandbox may be called by in `Host`, besides addresses and `localhost`.
    pub hosts: Vec<String>,
    /// Whoever gives orders (`/sandbox/…`) has to send it. Without it orders come from this machine only,
    /// and not at all when others can reach the sandbox.
    pub token: Option<SecretString>,
    /// A file of accounts, groups and history to start with, see [`Seed`](super::Seed). Not used
    /// when there is a [`store_file`](Self::store_file) to go on from.
    pub seed_file: Option<PathBuf>,
    /// The file everything is kept in over restarts, made when it is not there; `None` forgets
    /// everything at the end. For one sandbox at a time.
    pub store_file: Option<PathBuf>,
    /// How long what was changed may wait until it is written to the store; longer in a sandbox so
    /// large that this would keep it busy.
    pub store_interval: Duration,
    /// Where the numbers drawn (tickets, TinyIds) start. Equal seeds give equal runs, and equal
    /// tickets: a server that was restarted must not take the tickets of before for those of
    /// others, so each start draws its own unless one is set here.
    pub seed: Option<u64>,
}

/// The certificate the sandbox shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SandboxTls {
    /// One of its own, made at the start for `localhost`, loopback and where it listens. Browsers
    /// have to be told to trust it.
    SelfSigned,
    /// PEM files, for example of a local authority that the browser trusts.
    Files {
        /// The certificate, and those that vouch for it.
        certificate: PathBuf,
        /// Its private key.
        key: PathBuf,
    },
}

/// What becomes of commands of clients that the sandbox does not know. Over REST they are always refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unknown {
    /// They are answered with a bare OK, because other clients take an error for a broken server; the log
    /// warns once of each.
    #[default]
    Warn,
    /// They are refused with 60002, so that nothing is answered with OK and not carried out.
    Refuse,
}

impl SandboxConfig {
    /// Settings for `app` whose UserSigs are signed with `key`.
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
