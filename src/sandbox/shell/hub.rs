//! Connects the pure state with the sockets of one thread: passes input, sends output, runs the
//! timer.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, VecDeque},
    rc::Rc,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use tokio::sync::Notify;

use super::{cut::Cut, files::Files, guard::Guard};
use crate::policy::Now;
use crate::{state::ConnId, state::Output, state::State};

/// Data shared by the sandbox's threads. The lock is never held across an await.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// Notified after a change to the state from outside the server's thread.
    pub(super) touched: Notify,
    started: Instant,
}

impl Shared {
    pub(super) fn new(state: State) -> Self {
        Self {
            state: Mutex::new(state),
            touched: Notify::new(),
            started: Instant::now(),
        }
    }

    pub(super) fn now(&self) -> Now {
        let unix = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Now::new(self.started.elapsed(), unix)
    }

    /// Locks the state. A poisoned lock is ignored: after a panic the state is still usable.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes the actor of a connection.
pub(super) trait Wake {
    /// The queue is not empty.
    fn wake(&self);
}

/// A frame, or the end of the connection, queued for one socket.
#[derive(Debug)]
pub(super) enum Outgoing {
    Binary(Vec<u8>),
    Text(Vec<u8>),
    Close(u16),
}

/// Outgoing queue of one socket; its actor drains it, the hub bounds it.
pub(super) struct Outbound {
    pub(super) abort_handle: Rc<Cut>,
    wake: Box<dyn Wake>,
    queue: RefCell<VecDeque<Outgoing>>,
    bytes: Cell<usize>,
    woken: Cell<bool>,
}

impl Outbound {
    pub(super) fn new(abort_handle: Rc<Cut>, wake: Box<dyn Wake>) -> Self {
        Self {
            abort_handle,
            wake,
            queue: RefCell::default(),
            bytes: Cell::new(0),
            woken: Cell::new(false),
        }
    }

    /// Runs `call` without wake-ups: the caller takes the queue afterwards.
    pub(super) fn quietly(&self, call: impl FnOnce()) {
        self.woken.set(true);
        call();
    }

    /// Takes the whole queue.
    pub(super) fn take(&self) -> VecDeque<Outgoing> {
        self.woken.set(false);
        self.bytes.set(0);
        std::mem::take(&mut *self.queue.borrow_mut())
    }

    /// Queues an item; returns false if the queue is at its limit.
    fn put(&self, outgoing: Outgoing, limit: usize) -> bool {
        if self.bytes.get() >= limit {
            return false;
        }
        let size = match &outgoing {
            Outgoing::Binary(bytes) | Outgoing::Text(bytes) => bytes.len(),
            Outgoing::Close(_) => 0,
        };
        self.bytes.set(self.bytes.get() + size + 16);
        self.queue.borrow_mut().push_back(outgoing);
        if !self.woken.replace(true) {
            self.wake.wake();
        }
        true
    }
}

/// All sockets of the server, on one thread.
pub(super) struct Hub {
    pub(super) shared: Arc<Shared>,
    links: RefCell<BTreeMap<ConnId, Rc<Outbound>>>,
    next: Cell<u64>,
    /// The time for which the timer is set.
    armed: Cell<Option<Duration>>,
    rearm: Notify,
    outgoing_limit: usize,
    guard: Guard,
    /// Storage of uploaded files.
    pub(super) files: Files,
}

impl Hub {
    /// The access rules of the server.
    pub(super) const fn guard(&self) -> &Guard {
        &self.guard
    }

    /// `is_open` if other machines can reach the server.
    pub(super) fn new(shared: Arc<Shared>, is_open: bool) -> Self {
        let (outgoing_limit, files, guard) = {
            let state = shared.lock();
            let config = state.config();
            let folder = config.media_dir.as_deref();
            let files = Files::new(folder, |token| state.is_stored(token));
            let guard = Guard {
                origins: config.origins.clone(),
                hosts: config.hosts.clone(),
                token: config.token.clone(),
                is_open,
            };
            (config.outgoing_limit, files, guard)
        };
        Self {
            shared,
            links: RefCell::default(),
            next: Cell::new(0),
            armed: Cell::new(None),
            rearm: Notify::new(),
            outgoing_limit,
            guard,
            files,
        }
    }

    pub(super) fn next_conn(&self) -> ConnId {
        self.next.set(self.next.get() + 1);
        ConnId(self.next.get())
    }

    pub(super) fn links(&self) -> usize {
        self.links.borrow().len()
    }

    pub(super) fn register(&self, conn: ConnId, outbound: Rc<Outbound>) {
        self.links.borrow_mut().insert(conn, outbound);
    }

    pub(super) fn unregister(&self, conn: ConnId) {
        self.links.borrow_mut().remove(&conn);
        self.with(|state, now| state.closed(now, conn));
    }

    /// Calls the state and performs the resulting output.
    pub(super) fn with<T>(&self, call: impl FnOnce(&mut State, Now) -> T) -> T {
        let now = self.shared.now();
        let mut outputs = Vec::new();
        let (result, due) = {
            let mut state = self.shared.lock();
            let result = call(&mut state, now);
            while let Some(output) = state.poll_output() {
                outputs.push(output);
            }
            (result, state.poll_timeout())
        };
        self.carry_out(outputs);
        if due.is_some_and(|due| self.armed.get().is_none_or(|armed| due < armed)) {
            self.rearm.notify_one();
        }
        result
    }

    fn carry_out(&self, outputs: Vec<Output>) {
        let mut slow = Vec::new();
        for output in outputs {
            let (conn, outgoing) = match output {
                Output::Send {
                    conn,
                    bytes,
                    text: true,
                } => (conn, Outgoing::Text(bytes)),
                Output::Send {
                    conn,
                    bytes,
                    text: false,
                } => (conn, Outgoing::Binary(bytes)),
                Output::Close { conn, code } => (conn, Outgoing::Close(code)),
                Output::Drop { conn } => {
                    // The actor stops when its stream fails, and then unregisters.
                    if let Some(outbound) = self.links.borrow().get(&conn) {
                        outbound.abort_handle.cut();
                    }
                    continue;
                }
            };
            let outbound = self.links.borrow().get(&conn).cloned();
            if outbound.is_some_and(|outbound| !outbound.put(outgoing, self.outgoing_limit)) {
                slow.push(conn);
            }
        }
        for conn in slow {
            self.with(|state, now| state.too_slow(now, conn));
        }
    }

    /// Asks every socket to close, at the end of the server.
    pub(super) fn close_all(&self) {
        let links: Vec<_> = self.links.borrow().values().cloned().collect();
        for outbound in links {
            if !outbound.put(Outgoing::Close(1001), usize::MAX) {
                outbound.abort_handle.cut();
            }
        }
    }

    /// Cuts the remaining sockets.
    pub(super) fn cut_all(&self) {
        for outbound in self.links.borrow().values() {
            outbound.abort_handle.cut();
        }
    }

    /// Runs the timer of the state forever.
    pub(super) async fn keep_time(&self) {
        loop {
            let due = self.shared.lock().poll_timeout();
            self.armed.set(due);
            let wait = due.map(|due| due.saturating_sub(self.shared.now().mono));
            let timer = async {
                match wait {
                    Some(wait) => tokio::time::sleep(wait).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = timer => {}
                () = self.rearm.notified() => {}
                () = self.shared.touched.notified() => {}
            }
            self.with(|state, now| state.tick(now));
        }
    }
}
