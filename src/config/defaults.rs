//! The value of every key that is not written, and why it is that one. Those of an account's policy are in
//! `botroupe_core::account::Policy`.

use std::time::Duration;

/// `user_sig_lifetime`: a week. Long enough that a clock some hours off does no harm, short
/// enough that a leaked UserSig is soon worth nothing; it is renewed well before its end.
pub(crate) const USER_SIG_LIFETIME: Duration = Duration::from_secs(7 * 86_400);

/// `login_spacing` with `endpoint = "sandbox"`, which has no such limit and is there to show quickly
/// what happens after a lost link.
pub(crate) const LOGIN_SPACING_SANDBOX: Duration = Duration::from_secs(1);

/// `enabled`: an account that is written down is meant to run.
pub(crate) const ENABLED: bool = true;

/// `user_sig_timeout`: a service that signs on demand answers in well under a second; one that
/// needs longer than this is more likely stuck.
pub(crate) const USER_SIG_TIMEOUT: Duration = Duration::from_secs(10);

/// `sandbox.listen`: the port at 127.0.0.1. This machine only, and the same port every time, so
/// that a chat in a second terminal finds it.
pub(crate) const SANDBOX_PORT: u16 = 7080;

/// `sandbox.max_web_instances`: the service's own default, one web login per account.
pub(crate) const SANDBOX_MAX_WEB_INSTANCES: u32 = 1;

/// `sandbox.hello_interval`: what the service tells its clients.
pub(crate) const SANDBOX_HELLO_INTERVAL: Duration = Duration::from_secs(120);

/// `sandbox.auto_import`: an account exists as soon as it logs in, so nothing has to be prepared.
pub(crate) const SANDBOX_AUTO_IMPORT: bool = true;

/// `sandbox.admins`: the name the service's console gives the administrator.
pub(crate) const SANDBOX_ADMIN: &str = "administrator";

/// `governor.logins_per_second`: the service's documented limit for one app.
pub(crate) const GOVERNOR_LOGINS_PER_SECOND: u32 = 200;

/// `governor.burst`: a handful of accounts is back at once, and a fleet still keeps to the rate.
pub(crate) const GOVERNOR_BURST: u32 = 20;

/// `host.threads`: one handler that blocks its thread does not stop all bots.
pub(crate) const HOST_THREADS: u32 = 2;

/// `host.handler_timeout`: longer than people wait for an answer in a chat.
pub(crate) const HOST_HANDLER_TIMEOUT: Duration = Duration::from_secs(30);

/// `host.queue`: messages waiting per account; a burst of a busy group, about a megabyte.
pub(crate) const HOST_QUEUE: u32 = 1_024;

/// `host.block_warning`: far above any handler that only computes, well below what people notice
/// as an outage.
pub(crate) const HOST_BLOCK_WARNING: Duration = Duration::from_secs(1);

/// `io.arbiters`: one thread carries thousands of mostly silent connections.
pub(crate) const IO_ARBITERS: u32 = 1;

/// `io.hang_after`: nothing we do takes a thread this long, however many accounts come back at once.
pub(crate) const IO_HANG_AFTER: Duration = Duration::from_secs(15);

/// `io.keepalive`: heartbeats notice a dead link of an account that is online; this is for the rest, and keeps the
/// tables of routers on the way that forget a connection after some minutes.
pub(crate) const IO_KEEPALIVE: Duration = Duration::from_secs(60);

/// `store.path` of a file `config.toml`. Another one, `NAME.toml`, has `botroupe-NAME.db`, so that two configs in one
/// folder do not get in each other's way.
pub(crate) const STORE_PATH: &str = "botroupe.db";

/// `store.read`: what the server knows as read it does not bring again; an hour is for what was under way.
pub(crate) const STORE_READ: Duration = Duration::from_secs(3_600);

/// `store.handled`: as long as the service keeps messages for accounts that are away.
pub(crate) const STORE_HANDLED: Duration = Duration::from_secs(7 * 86_400);

/// `store.keys`: a caller that asks again does so within a billing period.
pub(crate) const STORE_KEYS: Duration = Duration::from_secs(30 * 86_400);

/// `store.dead_letters`: somebody looks at them once a month.
pub(crate) const STORE_DEAD_LETTERS: Duration = Duration::from_secs(30 * 86_400);

/// `store.quota`: some hundred thousand small values.
pub(crate) const STORE_QUOTA: u64 = 64 << 20;

/// `store.spill`: some hundred thousand messages of a live room.
pub(crate) const STORE_SPILL: u64 = 64 << 20;

/// `store.delay`: 200 times a second, a disk that syncs in a millisecond or two is not the bottleneck; nobody sees it.
pub(crate) const STORE_DELAY: Duration = Duration::from_millis(5);

/// `shutdown.grace`: handlers under way may finish and accounts log out.
pub(crate) const SHUTDOWN_GRACE: Duration = Duration::from_secs(10);
