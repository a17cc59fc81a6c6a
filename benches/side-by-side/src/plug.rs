//! Links without sockets of their own: they lie in memory, and share one Unix socket to the server's process.
//!
//! A machine that allows 20,000 open files can carry 100,000 accounts so, and the server's side of them weighs
//! nothing in the process that is measured. Everything above the byte stream is real: TLS, the upgrade, frames.

use botroupe::gateway::{ConnectError, Connector, Dialled, open_over};
use bytes::{Buf, Bytes, BytesMut};
use futures_util::future::LocalBoxFuture;
use slab::Slab;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes in front of those of a link: its number, and how many follow. Zero ends the link.
pub(crate) const HEAD: usize = 8;
/// The name of the two threads that carry the bytes. What they cost is that of the links.
pub(crate) const THREAD: &str = "links";
/// More than any account leaves unread.
const MAX_UNREAD: usize = 1 << 20;
/// What is read at a time.
const CHUNK: usize = 64 << 10;

/// The number of the link at the beginning of `bytes`, and how many bytes follow.
pub(crate) fn head_of(bytes: &[u8]) -> Option<(u32, usize)> {
    let number = u32::from_le_bytes(*bytes.first_chunk()?);
    let len = u32::from_le_bytes(*bytes.get(4..)?.first_chunk()?);
    Some((number, len as usize))
}

/// Appends a head.
pub(crate) fn write_head(out: &mut Vec<u8>, number: u32, len: usize) {
    out.extend_from_slice(&number.to_le_bytes());
    out.extend_from_slice(&u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes());
}

/// Opens links. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Plug(Arc<Shared>);

struct Shared {
    ends: Mutex<Slab<Arc<Mutex<End>>>>,
    outbox: Mutex<Vec<u8>>,
    /// The outbox is no longer empty.
    filled: Condvar,
}

/// The client's end of a link.
#[derive(Default)]
struct End {
    unread: Bytes,
    waker: Option<Waker>,
    is_closed: bool,
}

/// A link.
pub(crate) struct Pipe {
    number: u32,
    end: Arc<Mutex<End>>,
    shared: Arc<Shared>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Plug {
    /// Connects to the server at this socket.
    pub(crate) fn connect(path: &Path) -> io::Result<Self> {
        let socket = UnixStream::connect(path)?;
        let shared = Arc::new(Shared {
            ends: Mutex::default(),
            outbox: Mutex::default(),
            filled: Condvar::new(),
        });
        let (reader, writer) = (socket.try_clone()?, socket);
        let (to, from) = (shared.clone(), shared.clone());
        let named = || thread::Builder::new().name(THREAD.to_owned());
        named().spawn(move || to.carry_in(reader))?;
        named().spawn(move || from.carry_out(writer))?;
        Ok(Self(shared))
    }

    /// Opens a link.
    pub(crate) fn open(&self) -> Pipe {
        let end = Arc::new(Mutex::new(End::default()));
        let number = lock(&self.0.ends).insert(end.clone());
        Pipe {
            number: u32::try_from(number).unwrap_or(u32::MAX),
            end,
            shared: self.0.clone(),
        }
    }
}

impl Connector for Plug {
    fn dial(
        &self,
        url: String,
        limit: Duration,
    ) -> LocalBoxFuture<'static, Result<Dialled, ConnectError>> {
        let pipe = self.open();
        Box::pin(async move {
            let opened = tokio::time::timeout(limit, open_over(&url, pipe)).await;
            opened.unwrap_or(Err(ConnectError::TimedOut { host: url, limit }))
        })
    }
}

impl Shared {
    /// Brings what the server sends to the links, until it is gone. Links get parts of what was read, and no copies:
    /// small pieces of memory that one thread takes and another gives back would weigh more than they are.
    fn carry_in(&self, mut socket: UnixStream) {
        let mut inbox = BytesMut::new();
        loop {
            let old = inbox.len();
            inbox.resize(old + CHUNK, 0);
            let read = socket.read(&mut inbox[old..]).unwrap_or_default();
            inbox.truncate(old + read);
            if read == 0 {
                break;
            }
            while let Some((number, len)) = head_of(&inbox)
                && HEAD + len <= inbox.len()
            {
                inbox.advance(HEAD);
                self.bring(number, inbox.split_to(len).freeze());
            }
        }
        for (_, end) in &*lock(&self.ends) {
            lock(end).close();
        }
    }

    fn bring(&self, number: u32, bytes: Bytes) {
        let end = lock(&self.ends).get(number as usize).cloned();
        let Some(end) = end else {
            return;
        };
        let mut end = lock(&end);
        if bytes.is_empty() || end.unread.len() > MAX_UNREAD {
            end.close();
            return;
        }
        end.unread = match end.unread.is_empty() {
            true => bytes,
            false => [&*end.unread, &*bytes].concat().into(),
        };
        let waker = end.waker.take();
        drop(end);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Brings what the links send to the server, until it is gone.
    fn carry_out(&self, mut socket: UnixStream) {
        let mut bytes = Vec::new();
        loop {
            {
                let empty = |outbox: &mut Vec<u8>| outbox.is_empty();
                let outbox = self.filled.wait_while(lock(&self.outbox), empty);
                let mut outbox = outbox.unwrap_or_else(PoisonError::into_inner);
                std::mem::swap(&mut *outbox, &mut bytes);
            }
            if socket.write_all(&bytes).is_err() {
                return;
            }
            bytes.clear();
            bytes.shrink_to(CHUNK);
        }
    }

    /// Every account has few requests under way, so the outbox has a bound.
    fn say(&self, number: u32, bytes: &[u8]) {
        let mut outbox = lock(&self.outbox);
        let was_empty = outbox.is_empty();
        write_head(&mut outbox, number, bytes.len());
        outbox.extend_from_slice(bytes);
        drop(outbox);
        if was_empty {
            self.filled.notify_one();
        }
    }
}

impl End {
    fn close(&mut self) {
        self.is_closed = true;
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl AsyncRead for Pipe {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut end = lock(&self.end);
        if end.unread.is_empty() {
            if end.is_closed {
                return Poll::Ready(Ok(()));
            }
            end.waker = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let taken = end.unread.len().min(buffer.remaining());
        buffer.put_slice(&end.unread.split_to(taken));
        if end.unread.is_empty() {
            // As in the kernel, an idle link keeps no buffer.
            end.unread = Bytes::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if lock(&self.end).is_closed {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if !bytes.is_empty() {
            self.shared.say(self.number, bytes);
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        // Before the number can be given out again.
        self.shared.say(self.number, &[]);
        lock(&self.shared.ends).try_remove(self.number as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn links_share_a_socket_and_end_one_by_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("links");
        let listener = UnixListener::bind(&path).unwrap();
        let plug = Plug::connect(&path).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        let (mut one, mut two) = (plug.open(), plug.open());
        one.write_all(b"one").await.unwrap();
        two.write_all(b"two").await.unwrap();
        let mut bytes = [0; 2 * (HEAD + 3)];
        server.read_exact(&mut bytes).unwrap();
        assert_eq!(head_of(&bytes), Some((0, 3)));
        assert_eq!(&bytes[HEAD..HEAD + 3], b"one");
        let mut answer = Vec::new();
        write_head(&mut answer, 1, 2);
        answer.extend_from_slice(b"to");
        write_head(&mut answer, 0, 0);
        // In two pieces: a head may be cut.
        server.write_all(&answer[..12]).unwrap();
        server.write_all(&answer[12..]).unwrap();
        let mut read = [0; 2];
        two.read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"to");
        assert_eq!(one.read(&mut read).await.unwrap(), 0);
        drop(one);
        let mut head = [0; HEAD];
        server.read_exact(&mut head).unwrap();
        assert_eq!(head_of(&head), Some((0, 0)));
        assert_eq!(plug.open().number, 0);
    }
}
