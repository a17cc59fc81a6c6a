//! A WebSocket over a raw stream: bounded buffers in both directions and a close that flushes.

use super::frame::{self, FrameReader, IncomingFrame, OutgoingFrame};
use super::stream::Stream;
use crate::proto::codec::Frames;
use botroupe_core::account::LinkEnd;
use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes waiting to be written at most. A peer that lets this much pile up does not read.
const MAX_UNSENT: usize = 256 << 10;
/// Bytes read in one turn at most, so that a flood on one link leaves the others their share.
const READ_BUDGET: usize = 128 << 10;
/// How long a peer may take to answer our close.
pub(super) const CLOSE_LIMIT: Duration = Duration::from_secs(2);

thread_local! {
    /// Every link of a thread reads through the same buffer; only an unfinished frame is kept.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; 16 << 10].into_boxed_slice());
}

/// What arrives on a link.
#[derive(Clone, Copy, Debug)]
pub(super) enum Heard<'a> {
    /// A message.
    Message(&'a [u8]),
    /// A message of this many bytes that was skipped.
    TooLarge(u64),
}

/// How one turn of reading ended.
#[derive(Debug)]
pub(super) enum ReadTurn {
    /// Messages were handed out; there may be more.
    More,
    /// The link is over.
    Ended(LinkEnd),
}

/// A WebSocket, client side.
pub(super) struct WebSocket {
    io: Stream,
    frames: Frames,
    reader: FrameReader,
    /// Bytes that came and were not read yet: at most the head of a frame, apart from those that came with the
    /// answer to the upgrade.
    unread: Vec<u8>,
    unsent: Vec<u8>,
    /// How much of `unsent` was written; less than [`MAX_UNSENT`] and a frame.
    sent: u32,
    closing: bool,
    peer_closed: bool,
}

impl std::fmt::Debug for WebSocket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebSocket")
            .field("unread", &self.unread.len())
            .field("unsent", &(self.waiting()))
            .field("closing", &self.closing)
            .finish_non_exhaustive()
    }
}

impl WebSocket {
    pub(super) const fn new(
        io: Stream,
        frames: Frames,
        early: Vec<u8>,
        max_message: usize,
    ) -> Self {
        Self {
            io,
            frames,
            reader: FrameReader::new(max_message),
            unread: early,
            unsent: Vec::new(),
            sent: 0,
            closing: false,
            peer_closed: false,
        }
    }

    /// Queues a message.
    ///
    /// # Errors
    /// [`LinkEnd::NotReading`] when too much is waiting already.
    pub(super) fn send(&mut self, text: &str) -> Result<(), LinkEnd> {
        if self.closing {
            return Ok(());
        }
        if self.waiting() + text.len() > MAX_UNSENT {
            return Err(LinkEnd::NotReading);
        }
        let frame = match self.frames {
            Frames::Binary => OutgoingFrame::Binary(text.as_bytes()),
            Frames::Text => OutgoingFrame::Text(text.as_bytes()),
        };
        self.put(frame);
        Ok(())
    }

    /// Queues a close; nothing is sent after it.
    pub(super) fn close(&mut self, code: u16) {
        if !self.closing {
            self.put(OutgoingFrame::Close(code));
            self.closing = true;
        }
    }

    /// Bytes that are not written yet.
    const fn waiting(&self) -> usize {
        self.unsent.len().saturating_sub(self.sent as usize)
    }

    fn put(&mut self, frame: OutgoingFrame<'_>) {
        frame::write(&mut self.unsent, frame, fastrand::u32(..).to_ne_bytes());
    }

    /// Writes what is queued. `Ready(Ok)` when nothing is left.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), LinkEnd>> {
        while self.waiting() > 0 {
            let written =
                ready!(Pin::new(&mut self.io).poll_write(cx, &self.unsent[self.sent as usize..]));
            match written {
                Ok(0) => return Poll::Ready(Err(LinkEnd::Cut)),
                Ok(written) => self.sent += u32::try_from(written).unwrap_or(u32::MAX),
                Err(error) => return Poll::Ready(Err(io_end(&error))),
            }
        }
        if !self.unsent.is_empty() {
            // An idle link keeps no buffer.
            self.unsent = Vec::new();
            self.sent = 0;
        }
        let flushed = ready!(Pin::new(&mut self.io).poll_flush(cx)).map_err(|error| io_end(&error));
        if flushed.is_ok() && self.closing && self.peer_closed {
            // Both sides said it: the stream can be shut down.
            let _ = ready!(Pin::new(&mut self.io).poll_shutdown(cx));
        }
        Poll::Ready(flushed)
    }

    /// Reads up to a budget and hands messages to `take`, which returns `false` to stop. `Pending` if nothing
    /// more is there at present.
    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        mut take: impl FnMut(Heard<'_>) -> bool,
    ) -> Poll<ReadTurn> {
        let mut budget = READ_BUDGET;
        // What came in one segment with the 101 answer waits in `unread`.
        if !self.unread.is_empty() {
            let early = std::mem::take(&mut self.unread);
            if let Err(end) = self.parse(&early, &mut take) {
                return Poll::Ready(ReadTurn::Ended(end));
            }
        }
        loop {
            let turn = SCRATCH.with_borrow_mut(|scratch| {
                let mut buffer = ReadBuf::new(scratch);
                match ready!(Pin::new(&mut self.io).poll_read(cx, &mut buffer)) {
                    Ok(()) if buffer.filled().is_empty() => Poll::Ready(Err(LinkEnd::Cut)),
                    Ok(()) => {
                        budget = budget.saturating_sub(buffer.filled().len());
                        Poll::Ready(self.arrived(buffer.filled(), &mut take))
                    }
                    Err(error) => Poll::Ready(Err(io_end(&error))),
                }
            });
            match ready!(turn) {
                Err(end) => return Poll::Ready(ReadTurn::Ended(end)),
                Ok(()) if budget == 0 => return Poll::Ready(ReadTurn::More),
                Ok(()) => {}
            }
        }
    }

    fn arrived(
        &mut self,
        bytes: &[u8],
        take: &mut impl FnMut(Heard<'_>) -> bool,
    ) -> Result<(), LinkEnd> {
        if self.unread.is_empty() {
            return self.parse(bytes, take);
        }
        let mut whole = std::mem::take(&mut self.unread);
        whole.extend_from_slice(bytes);
        self.parse(&whole, take)
    }

    fn parse(
        &mut self,
        bytes: &[u8],
        take: &mut impl FnMut(Heard<'_>) -> bool,
    ) -> Result<(), LinkEnd> {
        let (mut pong, mut closed) = (None, None);
        let mut offset = 0;
        loop {
            let used = self
                .reader
                .read(&bytes[offset..], |incoming| match incoming {
                    IncomingFrame::Message(message) => take(Heard::Message(message)),
                    IncomingFrame::TooLarge(bytes) => take(Heard::TooLarge(bytes)),
                    IncomingFrame::Ping(payload) => {
                        pong = Some(payload.to_vec());
                        false
                    }
                    IncomingFrame::Pong => true,
                    IncomingFrame::Close(code) => {
                        closed = Some(code);
                        false
                    }
                });
            match used {
                Ok(used) => offset += used,
                Err(error) => {
                    self.close(error.close_code());
                    return Err(LinkEnd::Protocol(error));
                }
            }
            if let Some(payload) = pong.take() {
                if self.waiting() > MAX_UNSENT {
                    return Err(LinkEnd::NotReading);
                }
                if !self.closing {
                    self.put(OutgoingFrame::Pong(&payload));
                }
                continue;
            }
            break;
        }
        if let Some(code) = closed {
            self.peer_closed = true;
            let ours = self.closing;
            self.close(
                code.filter(|code| (1000..5000).contains(code) && *code != 1005 && *code != 1006)
                    .unwrap_or(1000),
            );
            return Err(if ours {
                LinkEnd::Ours
            } else {
                LinkEnd::Remote(code)
            });
        }
        self.unread = bytes.get(offset..).unwrap_or_default().to_vec();
        Ok(())
    }
}

fn io_end(error: &io::Error) -> LinkEnd {
    match error.kind() {
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::NotConnected => LinkEnd::Cut,
        _ => LinkEnd::Io(error.to_string()),
    }
}
