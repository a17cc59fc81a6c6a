//! Lines on their way to one sink: putting one in never waits, and a thread carries it out.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

/// The most bytes that wait for a sink: some ten thousand lines.
const MAX_HELD: usize = 4 << 20;
/// The bytes that a waiting line costs besides its text.
const PER_LINE: usize = 64;
/// How long the end of the process waits for unwritten lines.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A sink, for those who write to it. Lines that find no room, and those that cannot be written, are counted.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    name: &'static str,
    sender: Sender<Piece>,
    held: Arc<AtomicUsize>,
    lost: Arc<AtomicU64>,
}

#[derive(Debug)]
enum Piece {
    Line(Vec<u8>),
    Flush(Sender<()>),
}

impl Queue {
    /// Starts the thread that writes.
    pub(super) fn start(
        name: &'static str,
        write: impl FnMut(&[u8]) -> io::Result<()> + Send + 'static,
    ) -> Self {
        let (sender, pieces) = channel();
        let queue = Self {
            name,
            sender,
            held: Arc::default(),
            lost: Arc::default(),
        };
        let (held, lost) = (queue.held.clone(), queue.lost.clone());
        // Without a thread every line counts as lost.
        let _ = thread::Builder::new()
            .name(format!("log-{name}"))
            .spawn(move || run(name, &pieces, &held, &lost, write));
        queue
    }

    /// Hands a line over; it is counted as lost when too much waits.
    pub(super) fn put(&self, line: Vec<u8>) {
        let size = line.len() + PER_LINE;
        let held = self.held.fetch_add(size, Ordering::Relaxed);
        if held + size <= MAX_HELD && self.sender.send(Piece::Line(line)).is_ok() {
            return;
        }
        self.held.fetch_sub(size, Ordering::Relaxed);
        self.lost.fetch_add(1, Ordering::Relaxed);
    }

    /// The name of the sink.
    pub(super) const fn name(&self) -> &'static str {
        self.name
    }

    /// How many lines were lost since the start.
    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Waits a moment until everything is written.
    pub(super) fn flush(&self) {
        let (done, wait) = channel();
        if self.sender.send(Piece::Flush(done)).is_ok() {
            // A sink that stalls does not hold up the end.
            let _ = wait.recv_timeout(LAST_WORDS);
        }
    }
}

fn run(
    sink: &'static str,
    pieces: &Receiver<Piece>,
    held: &AtomicUsize,
    lost: &AtomicU64,
    mut write: impl FnMut(&[u8]) -> io::Result<()>,
) {
    let mut told = 0;
    let mut is_failing = false;
    while let Ok(piece) = pieces.recv() {
        let line = match piece {
            Piece::Line(line) => line,
            Piece::Flush(done) => {
                // Whoever asked may have given up waiting.
                let _ = done.send(());
                continue;
            }
        };
        held.fetch_sub(line.len() + PER_LINE, Ordering::Relaxed);
        match write(&line) {
            Ok(()) => {
                let now = lost.load(Ordering::Relaxed);
                if now > told {
                    let lost = now - told;
                    told = now;
                    // It goes to the other sinks as well, and here behind what waits.
                    tracing::warn!(sink, lost, "log lines were lost: they could not be written");
                }
                is_failing = false;
            }
            Err(error) => {
                lost.fetch_add(1, Ordering::Relaxed);
                if !is_failing {
                    is_failing = true;
                    tracing::warn!(sink, %error, "log lines cannot be written; they are counted until they can");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[test]
    fn a_sink_that_stalls_costs_lines_and_no_time() {
        let (go, wait) = channel::<()>();
        let (written, lines) = channel();
        let queue = Queue::start("stalled", move |line: &[u8]| {
            // The sender is dropped in the end.
            let _ = wait.recv();
            let _ = written.send(line.len());
            Ok(())
        });
        for _ in 0..100 {
            queue.put(vec![b'x'; 100_000]);
        }
        // The first may be with the thread already.
        assert!((58..=59).contains(&queue.lost()), "{}", queue.lost());
        drop(go);
        queue.flush();
        assert_eq!(lines.try_iter().count() as u64 + queue.lost(), 100);
    }

    #[test]
    fn lines_that_cannot_be_written_are_counted() {
        let mut fails = true;
        let queue = Queue::start("failing", move |_: &[u8]| {
            fails = !fails;
            match fails {
                false => Err(io::ErrorKind::StorageFull.into()),
                true => Ok(()),
            }
        });
        for _ in 0..10 {
            queue.put(b"x\n".to_vec());
        }
        queue.flush();
        assert_eq!(queue.lost(), 5);
    }
}
