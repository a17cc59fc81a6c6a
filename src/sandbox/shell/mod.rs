//! The shell: sockets, files, a clock and threads around the pure state.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "sockets, files and the clock live here"
)]

mod cut;
mod files;
mod guard;
mod hub;
mod remote;
mod server;
mod socket;
mod store;
mod thumbnail;
mod tls;
mod websocket;

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, thread::JoinHandle};

use tokio::sync::oneshot;

use self::{hub::Shared, server::Prepared, store::Store};
pub use self::{remote::SandboxRemote, server::SandboxError, store::StoreError, tls::TlsError};
use crate::{
    CompressMode, Dedupe, SandboxConfig,
    policy::Now,
    proto::{
        code::Code,
        id::{IdError, SdkAppId, UserId},
        usersig::{self, UserSig},
    },
    service::commands,
    snapshot::Restored,
    state::{Fault, FaultError, GroupItem, HistoryItem, KickType, LedgerEntry, State, Status},
};

/// A running sandbox. Its methods may be called from any thread. Dropping it stops the server.
#[derive(Debug)]
pub struct Sandbox {
    shared: Arc<Shared>,
    addr: SocketAddr,
    is_secure: bool,
    /// The certificate made for this start, as PEM.
    certificate: Option<String>,
    app: SdkAppId,
    stop: oneshot::Sender<()>,
    done: oneshot::Receiver<bool>,
    thread: Option<JoinHandle<()>>,
}

/// Lifetime of the UserSigs from [`Sandbox::user_sig`], in seconds.
const USER_SIG_LIFETIME: u64 = 86_400;

impl Sandbox {
    /// Starts a sandbox on the current thread, inside a running actix `System`. `listen` is the
    /// address to listen on; port 0 picks a free port.
    ///
    /// # Errors
    /// [`SandboxError`] if the store or the seed is refused, or the sandbox cannot listen on the
    /// address.
    pub async fn start(config: SandboxConfig, listen: SocketAddr) -> Result<Self, SandboxError> {
        let (sandbox, prepared) = Self::prepare(config, listen)?;
        actix_rt::spawn(server::serve(prepared));
        Ok(sandbox)
    }

    /// Starts a sandbox on its own thread; for tests, examples and programs without actix.
    ///
    /// # Errors
    /// [`SandboxError`] as for [`Sandbox::start`], or if the thread cannot be started.
    pub fn spawn_thread(config: SandboxConfig, listen: SocketAddr) -> Result<Self, SandboxError> {
        let (mut sandbox, prepared) = Self::prepare(config, listen)?;
        let thread = std::thread::Builder::new()
            .name("sandbox".to_owned())
            .spawn(move || actix_rt::System::new().block_on(server::serve(prepared)))
            .map_err(|source| SandboxError::Thread { source })?;
        sandbox.thread = Some(thread);
        Ok(sandbox)
    }

    /// Reads and checks the store or the seed of `config` as a start would, without starting a
    /// server.
    ///
    /// # Errors
    /// [`SandboxError::StoreFile`], [`SandboxError::Store`], [`SandboxError::SeedFile`] or
    /// [`SandboxError::Seed`].
    pub fn check(config: SandboxConfig) -> Result<(), SandboxError> {
        Self::build(config).map(|_| ())
    }

    /// Builds the initial state, with a summary of the restored store.
    fn build(config: SandboxConfig) -> Result<(Shared, Option<Restored>), SandboxError> {
        let (seed_file, store_file) = (config.seed_file.clone(), config.store_file.clone());
        let media_dir = config.media_dir.clone();
        let state = match config.seed {
            Some(seed) => State::new(config, seed),
            None => {
                let mut key = [0; 32];
                getrandom::fill(&mut key)
                    .map_err(|error| SandboxError::Random(error.to_string()))?;
                State::with_key(config, key)
            }
        };
        let shared = Shared::new(state);
        if let Some(path) = &store_file
            && let Some(text) = store::read(path)?
        {
            let folder = media_dir.as_deref();
            let files = folder.map_or_else(BTreeMap::new, files::found);
            let restored = store::restore(&shared, path, &text, &files)?;
            return Ok((shared, Some(restored)));
        }
        if let Some(path) = &seed_file {
            let content = server::read_seed(path)?;
            let now = shared.now();
            shared.lock().apply_seed(now, &content)?;
        }
        Ok((shared, None))
    }

    fn prepare(
        config: SandboxConfig,
        listen: SocketAddr,
    ) -> Result<(Self, Prepared), SandboxError> {
        let (app, tls) = (config.app, config.tls.clone());
        let (file, seed) = (config.store_file.clone(), config.seed_file.clone());
        let (every, ca_file) = (config.store_interval, config.tls_ca_file.clone());
        // Locks the store before reading it, so that no other sandbox changes it afterwards.
        let store = file.clone().map(|file| Store::open(file, every));
        let store = store.transpose()?;
        // Builds the state before anybody can connect.
        let (shared, restored) = Self::build(config)?;
        store::log_start(restored, file.as_deref(), seed.as_deref());
        let shared = Arc::new(shared);
        let (listener, addr) = server::bind(listen)?;
        let tls = tls.map(|tls| tls.acceptor(addr, ca_file.as_deref()));
        let tls = tls.transpose().map_err(SandboxError::Tls)?;
        let is_secure = tls.is_some();
        let (tls, certificate) = tls.map_or((None, None), |tls| (Some(tls.tls), tls.own));
        if is_secure {
            tracing::info!("the sandbox also serves TLS at https://{addr}");
        }
        let (stop, stopped) = oneshot::channel();
        let (done_sender, done) = oneshot::channel();
        let prepared = Prepared {
            shared: Arc::clone(&shared),
            store,
            listener,
            tls,
            stop: stopped,
            done: done_sender,
        };
        Ok((
            Self {
                shared,
                addr,
                is_secure,
                certificate,
                app,
                stop,
                done,
                thread: None,
            },
            prepared,
        ))
    }

    /// The REST calls that a sandbox supports, as the paths after `/v4/`. A group call is listed
    /// under `group_open_http_svc`; the other group services support it too.
    pub fn rest_calls() -> Vec<String> {
        let names = commands().names_of_app();
        names.map(|name| name.replacen('.', "/", 1)).collect()
    }

    /// The address that the sandbox listens on.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The origin for clients, e.g. `ws://127.0.0.1:40123`: the `proxyServer` of the official SDK,
    /// or a fixed endpoint of this crate.
    pub fn url(&self) -> String {
        format!("ws://{}", self.addr)
    }

    /// The origin of the REST API, e.g. `http://127.0.0.1:40123`.
    pub fn rest_url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The origin for clients over TLS, e.g. `wss://127.0.0.1:40123`; `None` without TLS. The port
    /// is the same, and file addresses use `https`.
    pub fn secure_url(&self) -> Option<String> {
        self.is_secure.then(|| format!("wss://{}", self.addr))
    }

    /// The certificate of [`SandboxTls::SelfSigned`](crate::SandboxTls::SelfSigned) as PEM, for
    /// clients to trust.
    pub fn certificate(&self) -> Option<&str> {
        self.certificate.as_deref()
    }

    /// The app that the sandbox serves.
    pub fn app(&self) -> SdkAppId {
        self.app
    }

    /// A UserSig for `user`, issued now, valid for one day.
    ///
    /// # Errors
    /// [`IdError`] if `user` is not a valid UserID.
    pub fn user_sig(&self, user: &str) -> Result<UserSig, IdError> {
        let user = UserId::parse(user)?;
        let now = self.shared.now().unix_secs();
        Ok(self.look(|state, _| {
            let key = &state.config().key;
            usersig::sign(self.app, key, &user, now, USER_SIG_LIFETIME)
        }))
    }

    /// Changes the sandbox from elsewhere, also while another part owns it.
    pub fn remote(&self) -> SandboxRemote {
        SandboxRemote(Arc::clone(&self.shared))
    }

    /// Stops the server: closes every connection with 1001, waits up to one second for the peers,
    /// and waits until the store is written. Dropping the sandbox does the same without waiting.
    /// Returns false if the store could not be written; the log has the reason.
    pub async fn stop(self) -> bool {
        let Self {
            stop, done, thread, ..
        } = self;
        // If the server has already stopped, nobody receives this.
        let _ = stop.send(());
        let is_saved = done.await.unwrap_or(false);
        join(thread);
        is_saved
    }

    /// [`Sandbox::stop`] for callers outside async code. Must not be called on the thread that
    /// started the sandbox.
    pub fn shutdown(self) -> bool {
        let Self {
            stop, done, thread, ..
        } = self;
        let _ = stop.send(());
        let is_saved = done.blocking_recv().unwrap_or(false);
        join(thread);
        is_saved
    }

    /// Calls the state with the current time, and lets the server send the resulting output.
    fn with<T>(&self, call: impl FnOnce(&mut State, Now) -> T) -> T {
        self.remote().with(call)
    }

    /// Reads from the state.
    fn look<T>(&self, ask: impl FnOnce(&State, Now) -> T) -> T {
        let now = self.shared.now();
        ask(&self.shared.lock(), now)
    }

    /// The current status of the sandbox.
    pub fn status(&self) -> Status {
        self.look(|state, now| state.status(now))
    }

    /// Returns true if the account is online; false also for an invalid UserID.
    pub fn is_online(&self, user: &str) -> bool {
        UserId::parse(user).is_ok_and(|user| self.look(|state, now| state.is_online(now, &user)))
    }

    /// The InstIds under which an account is online, oldest first.
    pub fn instances(&self, user: &str) -> Vec<u64> {
        let user = UserId::parse(user);
        user.map(|user| self.look(|state, now| state.instances(now, &user)))
            .unwrap_or_default()
    }

    /// Everything stored between two accounts, oldest first.
    pub fn history(&self, a: &str, b: &str) -> Vec<HistoryItem> {
        match (UserId::parse(a), UserId::parse(b)) {
            (Ok(a), Ok(b)) => self.look(|state, _| state.history(&a, &b)),
            _ => Vec::new(),
        }
    }

    /// A new file address for `user`, as a client would get it: for one upload and later downloads.
    /// `None` if the account does not exist.
    pub fn media_url(&self, user: &str, name: &str) -> Option<String> {
        let user = UserId::parse(user).ok()?;
        let path = self.with(|state, now| state.media_address(now, &user, name))?;
        Some(format!("{}{path}", self.rest_url()))
    }

    /// Creates an account if it does not exist.
    ///
    /// # Errors
    /// [`IdError`] if `user` is not a valid UserID.
    pub fn import(&self, user: &str) -> Result<bool, IdError> {
        let user = UserId::parse(user)?;
        Ok(self.with(|state, _| state.import(&user)))
    }

    /// Sends a text as `from`, who does not have to be online. Returns the message key.
    ///
    /// # Errors
    /// The code a client would get; 20003 for an invalid UserID.
    pub fn say(&self, from: &str, to: &str, text: &str) -> Result<String, Code> {
        let parse = |user| UserId::parse(user).map_err(|_| Code::C2C_UNKNOWN_USER);
        let (from, to) = (parse(from)?, parse(to)?);
        self.with(|state, now| state.say(now, &from, &to, text))
    }

    /// Sends a text to a group as one of its members, who does not have to be online. Returns the
    /// message number.
    ///
    /// # Errors
    /// The code a client would get; 20003 for an invalid UserID.
    pub fn say_to_group(&self, from: &str, group: &str, text: &str) -> Result<u64, Code> {
        let from = UserId::parse(from).map_err(|_| Code::C2C_UNKNOWN_USER)?;
        self.with(|state, now| state.say_to_group(now, &from, group, text))
    }

    /// The messages and tips stored in a group, oldest first.
    pub fn group_history(&self, group: &str) -> Vec<GroupItem> {
        self.look(|state, _| state.group_history(group))
    }

    /// The messages that the sandbox accepted, from this number on, with [`SandboxConfig::ledger`]. What
    /// changes later (repeats, who has read it) changes in the same entry.
    pub fn ledger(&self, from: u64) -> Vec<LedgerEntry> {
        self.look(|state, _| state.ledger(from, usize::MAX))
    }

    /// Executes a REST call as the first administrator, without HTTP, e.g.
    /// `group_open_http_svc/create_group`. Returns its answer.
    pub fn administer(&self, command: &str, body: &serde_json::Value) -> serde_json::Value {
        self.remote().administer(command, body)
    }

    /// Applies a fault.
    ///
    /// # Errors
    /// [`FaultError`] if the account does not exist or a value is out of range.
    pub fn fault(&self, fault: Fault) -> Result<(), FaultError> {
        self.with(|state, now| state.fault(now, fault))
    }

    /// Cuts every link of the account, without a close frame.
    ///
    /// # Errors
    /// [`FaultError`], as for all shorthands below.
    pub fn drop_link(&self, user: &str) -> Result<(), FaultError> {
        self.fault(Fault::DropLink {
            user: UserId::parse(user)?,
        })
    }

    /// Closes every link of the account with a close frame that has this code.
    ///
    /// # Errors
    /// See [`Sandbox::fault`].
    pub fn close_link(&self, user: &str, code: u16) -> Result<(), FaultError> {
        self.fault(Fault::CloseLink {
            user: UserId::parse(user)?,
            code,
        })
    }

    /// Ignores everything received on the account's links and sends nothing, for a number of
    /// seconds or until [`Sandbox::resume_answering`].
    ///
    /// # Errors
    /// See [`Sandbox::fault`].
    pub fn stop_answering(&self, user: &str, seconds: Option<u64>) -> Result<(), FaultError> {
        self.fault(Fault::StopAnswering {
            user: UserId::parse(user)?,
            seconds,
        })
    }

    /// Ends [`Sandbox::stop_answering`].
    ///
    /// # Errors
    /// See [`Sandbox::fault`].
    pub fn resume_answering(&self, user: &str) -> Result<(), FaultError> {
        self.fault(Fault::ResumeAnswering {
            user: UserId::parse(user)?,
        })
    }

    /// Delays everything sent to the account; 0 ends the fault.
    ///
    /// # Errors
    /// See [`Sandbox::fault`].
    pub fn delay(&self, user: &str, millis: u64) -> Result<(), FaultError> {
        self.fault(Fault::Delay {
            user: UserId::parse(user)?,
            millis,
        })
    }

    /// Sends each of the next `count` pushes to the account twice.
    ///
    /// # Errors
    /// See [`Sandbox::fault`].
    pub fn duplicate(&self, user: &str, count: u32) -> Result<(), FaultError> {
        self.fault(Fault::Duplicate {
            user: UserId::parse(user)?,
            count,
        })
    }

    /// Swaps the next two pushes to the account.
    ///
    /// # Errors
    /// See [`Sandbox::fault`].
    pub fn reorder(&self, user: &str) -> Result<(), FaultError> {
        self.fault(Fault::Reorder {
            user: UserId::parse(user)?,
        })
    }

    /// Ends the account's logins as if its UserSig had expired.
    ///
    /// # Errors
    /// See [`Sandbox::fault`].
    pub fn expire(&self, user: &str) -> Result<(), FaultError> {
        self.fault(Fault::Expire {
            user: UserId::parse(user)?,
        })
    }

    /// Kicks every login of the account.
    ///
    /// # Errors
    /// See [`Sandbox::fault`].
    pub fn kick(&self, user: &str, kind: KickType) -> Result<(), FaultError> {
        self.fault(Fault::Kick {
            user: UserId::parse(user)?,
            kind: kind.number(),
        })
    }

    /// Tells the account not to send `servcmd` for a number of seconds.
    ///
    /// # Errors
    /// See [`Sandbox::fault`].
    pub fn overload(&self, user: &str, servcmd: &str, seconds: u64) -> Result<(), FaultError> {
        let user = UserId::parse(user)?;
        self.fault(Fault::Overload {
            user,
            servcmd: servcmd.to_owned(),
            seconds,
        })
    }

    /// Refuses `count` logins of the account with `code`; without a count, all until code 0 ends
    /// the fault.
    ///
    /// # Errors
    /// See [`Sandbox::fault`].
    pub fn refuse_login(
        &self,
        user: &str,
        code: Code,
        count: Option<u32>,
    ) -> Result<(), FaultError> {
        self.fault(Fault::RefuseLogin {
            user: UserId::parse(user)?,
            code: code.0,
            count,
        })
    }

    /// Answers `count` requests of the command `servcmd` with `code`, without executing them. A
    /// count of 0 ends the fault; without a count, all requests are answered.
    ///
    /// # Errors
    /// See [`Sandbox::fault`].
    pub fn refuse(
        &self,
        user: &str,
        servcmd: &str,
        code: Code,
        count: Option<u32>,
    ) -> Result<(), FaultError> {
        self.fault(Fault::Refuse {
            user: UserId::parse(user)?,
            servcmd: servcmd.to_owned(),
            code: code.0,
            count,
        })
    }

    /// Answers `count` requests of the command `servcmd` with `body`, without executing them. A
    /// count of 0 ends the fault; without a count, all requests are answered.
    ///
    /// # Errors
    /// See [`Sandbox::fault`].
    pub fn answer(
        &self,
        user: &str,
        servcmd: &str,
        body: serde_json::Value,
        count: Option<u32>,
    ) -> Result<(), FaultError> {
        self.fault(Fault::Answer {
            user: UserId::parse(user)?,
            servcmd: servcmd.to_owned(),
            body,
            count,
        })
    }

    /// Neither executes nor answers `count` requests of the command `servcmd`. A count of 0 ends
    /// the fault; without a count, all requests are ignored.
    ///
    /// # Errors
    /// See [`Sandbox::fault`].
    pub fn ignore(&self, user: &str, servcmd: &str, count: Option<u32>) -> Result<(), FaultError> {
        self.fault(Fault::Ignore {
            user: UserId::parse(user)?,
            servcmd: servcmd.to_owned(),
            count,
        })
    }

    /// Pushes an item of `EventArray` unchanged to every logged-in link of the account.
    /// [`Fault::Push`] has more options.
    ///
    /// # Errors
    /// See [`Sandbox::fault`].
    pub fn push(&self, user: &str, event: serde_json::Value) -> Result<(), FaultError> {
        self.fault(Fault::Push {
            user: UserId::parse(user)?,
            event,
            servcmd: "im_open_push.msg_push".to_owned(),
            envelope: serde_json::Map::new(),
        })
    }

    /// Compresses everything sent to binary clients from now on.
    pub fn compress(&self, mode: CompressMode) {
        // This fault names no account and has no value that could be out of range.
        let _ = self.fault(Fault::Compress { mode });
    }

    /// Recognises other repeated sends from now on.
    pub fn dedupe(&self, mode: Dedupe) {
        // This fault names no account and has no value that could be out of range.
        let _ = self.fault(Fault::Dedupe { mode });
    }

    /// Moves the sandbox's clock forward.
    ///
    /// # Errors
    /// See [`Sandbox::fault`].
    pub fn skip_clock(&self, seconds: u64) -> Result<(), FaultError> {
        self.fault(Fault::SkipClock { seconds })
    }

    /// Cuts every link, as a restart of the server would; with `forget_logins`, tickets are no
    /// longer known afterwards.
    pub fn restart(&self, forget_logins: bool) {
        // This fault names no account and has no value that could be out of range.
        let _ = self.fault(Fault::Restart { forget_logins });
    }
}

fn join(thread: Option<JoinHandle<()>>) {
    if let Some(thread) = thread
        && thread.join().is_err()
    {
        tracing::error!("the sandbox thread panicked");
    }
}
