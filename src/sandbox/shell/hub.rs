//! Connects the pure state with the sockets of one thread: passes input, sends output, runs the
//! timer.
//!
//! A turn is what the thread does between two waits for sockets: it reads all that are readable.
//! The output of a turn is written at its end, and the time is read once in it.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use tokio::sync::Notify;

use super::{files::Files, guard::Guard, socket::Kind, socket::Socket};
use crate::policy::Now;
use crate::{state::ConnId, state::Output, state::State, world::Hashed};

/// Data shared by the sandbox's threads. The lock is never held across an await.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// Notified after a change to the state from outside the server's thread.
    pub(super) touched: Notify,
    started: Instant,
    /// How many seconds the clock is ahead of the system's.
    skipped: AtomicU64,
}

impl Shared {
    pub(super) fn new(state: State) -> Self {
        Self {
            state: Mutex::new(state),
            touched: Notify::new(),
            started: Instant::now(),
            skipped: AtomicU64::new(0),
        }
    }

    /// Moves the clock to where the state wants it. Returns true if it was elsewhere.
    pub(super) fn adjust_clock(&self, state: &State) -> bool {
        let skipped = state.skipped().as_secs();
        self.skipped.swap(skipped, Ordering::Relaxed) != skipped
    }

    pub(super) fn now(&self) -> Now {
        let unix = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let skipped = Duration::from_secs(self.skipped.load(Ordering::Relaxed));
        Now::new(self.started.elapsed(), unix.saturating_add(skipped))
    }

    /// Locks the state. A poisoned lock is ignored: after a panic the state is still usable.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many sockets are written before other tasks get their turn.
const WRITES: usize = 256;
/// So many sockets are written before the turn ends: after thousands of others, what belongs to a
/// socket would have left the caches of the processor.
const BATCH: usize = 128;

/// All sockets of the server, on one thread.
pub(super) struct Hub {
    pub(super) shared: Arc<Shared>,
    links: RefCell<Hashed<ConnId, Rc<Socket>>>,
    /// Sockets that have something to write.
    unwritten: RefCell<Vec<Rc<Socket>>>,
    /// How many of them were listed since the last writing.
    listed: Cell<usize>,
    /// The task that writes.
    writer: RefCell<Waker>,
    /// The writer waits to be woken.
    is_waiting: Cell<bool>,
    /// The time of this turn.
    turn: Cell<Option<Now>>,
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
            unwritten: RefCell::default(),
            listed: Cell::new(0),
            writer: RefCell::new(Waker::noop().clone()),
            is_waiting: Cell::new(false),
            turn: Cell::new(None),
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

    pub(super) fn register(&self, conn: ConnId, socket: Rc<Socket>) {
        self.links.borrow_mut().insert(conn, socket);
    }

    pub(super) fn unregister(&self, conn: ConnId) {
        self.links.borrow_mut().remove(&conn);
        self.with(|state, now| state.closed(now, conn));
    }

    /// The time, read once a turn.
    fn now(&self) -> Now {
        if let Some(now) = self.turn.get() {
            return now;
        }
        let now = self.shared.now();
        if self.wake_writer() {
            self.turn.set(Some(now));
        }
        now
    }

    /// Lets the writer run at the end of this turn. Returns false without a writer.
    fn wake_writer(&self) -> bool {
        let was_waiting = self.is_waiting.replace(false);
        if was_waiting {
            self.writer.borrow().wake_by_ref();
        }
        was_waiting
    }

    /// Calls the state and performs the resulting output.
    pub(super) fn with<T>(&self, call: impl FnOnce(&mut State, Now) -> T) -> T {
        let now = self.now();
        let (result, due) = {
            let mut state = self.shared.lock();
            let result = call(&mut state, now);
            if self.shared.adjust_clock(&state) {
                self.turn.set(None);
            }
            while let Some(output) = state.poll_output() {
                if let Some(slow) = self.carry_out(output) {
                    state.too_slow(now, slow);
                }
            }
            (result, state.poll_timeout())
        };
        if due.is_some_and(|due| self.armed.get().is_none_or(|armed| due < armed)) {
            self.rearm.notify_one();
        }
        if self.listed.get() >= BATCH {
            let writer = self.writer.borrow().clone();
            self.write(&mut Context::from_waker(&writer));
        }
        result
    }

    /// Returns the connection if it does not read what it gets.
    fn carry_out(&self, output: Output) -> Option<ConnId> {
        let (Output::Send { conn, .. } | Output::Close { conn, .. } | Output::Drop { conn }) =
            output;
        let links = self.links.borrow();
        let socket = links.get(&conn)?;
        match output {
            Output::Send { bytes, text, .. } => {
                let kind = if text { Kind::Text } else { Kind::Binary };
                if !self.has_room(socket) {
                    return Some(conn);
                }
                socket.put(kind, &bytes);
                self.list(socket);
            }
            Output::Close { code, .. } => socket.close(code),
            // The task of the socket ends, and unregisters it.
            Output::Drop { .. } => socket.cut(),
        }
        None
    }

    fn has_room(&self, socket: &Socket) -> bool {
        socket.unsent() < self.outgoing_limit
    }

    fn list(&self, socket: &Rc<Socket>) {
        if !socket.is_ending() && socket.list() {
            self.unwritten.borrow_mut().push(Rc::clone(socket));
            self.listed.set(self.listed.get() + 1);
            self.wake_writer();
        }
    }

    /// Queues encoded frames that do not come from the state.
    pub(super) fn put_encoded(&self, conn: ConnId, socket: &Rc<Socket>, frames: &[u8]) {
        if self.has_room(socket) {
            socket.put_encoded(frames);
            self.list(socket);
        } else {
            self.with(|state, now| state.too_slow(now, conn));
        }
    }

    /// Writes what the turn has for the sockets, and what they could not take before.
    pub(super) fn poll_write(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.turn.set(None);
        self.writer.borrow_mut().clone_from(cx.waker());
        self.is_waiting.set(true);
        self.write(cx);
        Poll::Pending
    }

    fn write(&self, cx: &mut Context<'_>) {
        self.listed.set(0);
        let mut unwritten = self.unwritten.take();
        let rest = unwritten.split_off(unwritten.len().min(WRITES));
        let has_rest = !rest.is_empty();
        unwritten.retain(|socket| {
            let waits = !socket.is_cut()
                && !socket.is_ending()
                && match socket.poll_write(cx) {
                    Poll::Ready(Ok(())) => false,
                    Poll::Ready(Err(_)) => {
                        socket.cut();
                        false
                    }
                    Poll::Pending => true,
                };
            if !waits {
                socket.unlist();
            }
            waits
        });
        // Those that could not be written wait behind the others.
        self.unwritten
            .borrow_mut()
            .splice(0..0, rest.into_iter().chain(unwritten));
        if has_rest {
            self.wake_writer();
        }
    }

    /// Asks every socket to close, at the end of the server.
    pub(super) fn close_all(&self) {
        for socket in self.links.borrow().values() {
            socket.close(1001);
        }
    }

    /// Cuts the remaining sockets.
    pub(super) fn cut_all(&self) {
        for socket in self.links.borrow().values() {
            socket.cut();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        SandboxConfig,
        proto::id::SdkAppId,
        shell::cut::{CuttableStream, SocketPermit, Wire},
        state::Frames,
    };
    use tokio::{
        io::AsyncReadExt,
        net::{TcpListener, TcpStream},
    };

    /// A hub with one connection, and the other end of it.
    async fn connected(limit: usize) -> (Hub, Rc<Socket>, TcpStream) {
        let mut config = SandboxConfig::new(SdkAppId::new(1_400_000_001).unwrap(), "key");
        config.outgoing_limit = limit;
        let hub = Hub::new(Arc::new(Shared::new(State::new(config, 1))), false);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (client, accepted) = tokio::join!(TcpStream::connect(addr), listener.accept());
        let wire = Wire::Plain(accepted.unwrap().0);
        let stream = CuttableStream::new(wire, SocketPermit::new(&Rc::default()));
        let socket = Rc::new(Socket::new(stream));
        hub.register(ConnId(1), Rc::clone(&socket));
        hub.with(|state, now| state.connect(now, ConnId(1), Frames::Binary, &[]));
        (hub, socket, client.unwrap())
    }

    fn beat(hub: &Hub, seq: u32) {
        let frame = format!(
            r#"{{"head":{{"servcmd":"heartbeat.alive","seq":{seq},"sdkappid":1400000001}},"body":{{}}}}"#
        );
        hub.with(|state, now| state.receive(now, ConnId(1), frame.as_bytes()));
    }

    #[actix_rt::test]
    async fn what_a_turn_has_for_a_connection_leaves_at_its_end() {
        let (hub, socket, mut client) = connected(1 << 20).await;
        let mut cx = Context::from_waker(Waker::noop());
        assert!(hub.poll_write(&mut cx).is_pending());
        let start = hub.now();
        for seq in 1..=3 {
            beat(&hub, seq);
        }
        assert_eq!(hub.now(), start, "the time of a turn");
        let waiting = socket.unsent();
        assert!(waiting > 3 * 64, "{waiting}");
        assert!(hub.poll_write(&mut cx).is_pending());
        assert_eq!((socket.unsent(), hub.turn.get()), (0, None));
        let mut read = vec![0; waiting + 1];
        assert_eq!(client.read(&mut read).await.unwrap(), waiting);
        // Nothing is left to write, so nobody is asked again.
        assert!(hub.unwritten.borrow().is_empty());
        assert!(socket.poll_write(&mut cx).is_ready());
    }

    #[actix_rt::test]
    async fn who_does_not_read_is_cut_at_the_limit() {
        let (hub, socket, _client) = connected(256).await;
        for seq in 1..=20 {
            beat(&hub, seq);
            assert!(socket.unsent() < 512);
        }
        assert!(socket.is_cut());
        assert_eq!(hub.shared.lock().counters().slow_cut, 1);
    }
}
