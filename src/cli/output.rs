//! Standard output and standard error of a long-running process: writing never waits and never fails.
//!
//! A writer puts a line into a bounded queue, and a thread carries it to the stream. A reader that pauses, a full
//! disk or a pipe that nobody reads costs lines and nothing else; lost lines are counted and reported later. The
//! same thread draws the progress bar, so that lines do not tear it.

use super::logging::json_line;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

/// The most bytes that wait for a stream: some ten thousand lines.
const MAX_HELD: usize = 4 << 20;
/// The bytes that a waiting line costs besides its text.
const PER_LINE: usize = 64;
/// How often to try to report lost lines when there is nothing else to write.
const AGAIN: Duration = Duration::from_secs(1);
/// How long the end of the process waits for unwritten lines.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// The pause and the number of tries for a stream that another process switched to non-blocking.
const BUSY: (Duration, u32) = (Duration::from_millis(5), 200);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stream {
    Out,
    Err,
}

enum Piece {
    Text(Stream, Vec<u8>),
    Bar(Bar),
    Flush(Sender<()>),
}

/// The state of the bar.
pub(super) enum Bar {
    /// A bar of this length.
    Start(u64),
    /// The position, and a text.
    Show(u64, String),
    /// No bar.
    Clear,
}

/// The queue of one writing thread.
#[derive(Clone)]
struct Queue {
    sender: Sender<Piece>,
    held: Arc<AtomicUsize>,
}

#[derive(Default)]
struct Books {
    /// The number of lines lost since the start.
    lost: AtomicU64,
    /// How many of these were reported.
    told: AtomicU64,
    failed: Mutex<Option<io::Error>>,
}

struct Outputs {
    out: Queue,
    err: Queue,
    of_out: Books,
    of_err: Books,
    /// Reports on standard output are JSON.
    json: AtomicBool,
}

static OUTPUTS: OnceLock<Outputs> = OnceLock::new();

fn outputs() -> &'static Outputs {
    OUTPUTS.get_or_init(|| {
        let (out_too, err_only) = (&[Stream::Out, Stream::Err][..], &[Stream::Err][..]);
        // One terminal, one writer: lines of one would tear the bar of the other.
        let shared = io::stdout().is_terminal() && io::stderr().is_terminal();
        let err = Queue::start("log-writer", if shared { out_too } else { err_only });
        let out = if shared {
            err.clone()
        } else {
            Queue::start("output-writer", &[Stream::Out])
        };
        Outputs {
            out,
            err,
            of_out: Books::default(),
            of_err: Books::default(),
            json: AtomicBool::new(false),
        }
    })
}

/// Sets the format in which lost lines of standard output are reported.
pub(super) fn set_json(json: bool) {
    outputs().json.store(json, Ordering::Relaxed);
}

/// Writes a line to standard output, as soon as somebody reads it.
pub(super) fn out(line: &str) {
    outputs().put(Stream::Out, format!("{line}\n").into_bytes());
}

/// Writes a line to standard error, as soon as somebody reads it.
pub(super) fn err(line: &str) {
    outputs().put(Stream::Err, format!("{line}\n").into_bytes());
}

/// Draws or removes the bar.
pub(super) fn bar(bar: Bar) {
    // There is one piece each 200 ms at most.
    let _ = outputs().err.sender.send(Piece::Bar(bar));
}

/// Waits a moment until everything is written, and returns the first error of standard output.
pub(super) fn finish() -> Option<io::Error> {
    let outputs = OUTPUTS.get()?;
    for queue in [&outputs.out, &outputs.err] {
        let (done, wait) = channel();
        if queue.sender.send(Piece::Flush(done)).is_ok() {
            // If nobody reads, nobody misses it.
            let _ = wait.recv_timeout(LAST_WORDS);
        }
    }
    let mut failed = outputs.of_out.failed.lock();
    let failed = failed.as_mut().unwrap_or_else(PoisonError::get_mut);
    failed.take()
}

/// Writes a line of the log, with its line end, to standard error.
pub(super) fn log_line(line: Vec<u8>) {
    outputs().put(Stream::Err, line);
}

/// How many lines of standard error were lost since the start.
pub(super) fn lost_log_lines() -> u64 {
    let outputs = OUTPUTS.get();
    outputs.map_or(0, |outputs| outputs.of_err.lost.load(Ordering::Relaxed))
}

/// Standard error for logs: every `write` is one line.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LogLines;

impl Write for LogLines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        outputs().put(Stream::Err, bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Outputs {
    fn put(&self, stream: Stream, line: Vec<u8>) {
        let queue = match stream {
            Stream::Out => &self.out,
            Stream::Err => &self.err,
        };
        let size = line.len() + PER_LINE;
        let held = queue.held.fetch_add(size, Ordering::Relaxed);
        if held + size <= MAX_HELD && queue.sender.send(Piece::Text(stream, line)).is_ok() {
            return;
        }
        queue.held.fetch_sub(size, Ordering::Relaxed);
        self.books(stream).lost.fetch_add(1, Ordering::Relaxed);
    }

    const fn books(&self, stream: Stream) -> &Books {
        match stream {
            Stream::Out => &self.of_out,
            Stream::Err => &self.of_err,
        }
    }

    /// The number of lines lost since the last report.
    fn untold(&self, stream: Stream) -> Option<u64> {
        let books = self.books(stream);
        let lost = books.lost.load(Ordering::Relaxed);
        let untold = lost.saturating_sub(books.told.load(Ordering::Relaxed));
        (untold > 0).then_some(untold)
    }

    fn notice(&self, stream: Stream, lost: u64) -> String {
        match (stream, self.json.load(Ordering::Relaxed)) {
            (Stream::Out, true) => format!("{{\"lost_lines\":{lost}}}\n"),
            (Stream::Out, false) => format!("({lost} lines were lost here: nobody read them)\n"),
            (Stream::Err, true) => json_line(
                tracing::Level::WARN,
                "log lines were lost: they could not be written",
                Some(("lost", lost)),
            ),
            (Stream::Err, false) => {
                format!("WARN {lost} log lines were lost: they could not be written\n")
            }
        }
    }
}

impl Queue {
    /// Starts a thread that writes to `streams` only: the thread of another stream may be stuck.
    fn start(name: &str, streams: &'static [Stream]) -> Self {
        let (sender, pieces) = channel();
        let held = Arc::new(AtomicUsize::new(0));
        let writer = Writer {
            streams,
            held: held.clone(),
            bar: None,
            out: Target::open(Stream::Out, streams),
            err: Target::open(Stream::Err, streams),
        };
        // Without a thread every line counts as lost, and nobody can report it.
        let _ = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || writer.run(&pieces));
        Self { sender, held }
    }
}

/// The stream itself, without the locks of the standard library: a writer that holds such a lock while nobody
/// reads would stop all others, also the printing of a panic.
enum Target {
    #[cfg(unix)]
    Own(std::fs::File),
    Std(Stream),
}

impl Target {
    /// A handle of its own, for one of those that are written to.
    fn open(stream: Stream, written: &[Stream]) -> Self {
        #[cfg(unix)]
        if written.contains(&stream) {
            use std::os::fd::AsFd;
            let own = match stream {
                Stream::Out => io::stdout().as_fd().try_clone_to_owned(),
                Stream::Err => io::stderr().as_fd().try_clone_to_owned(),
            };
            if let Ok(own) = own {
                return Self::Own(own.into());
            }
        }
        // Elsewhere the streams of the standard library are all there is.
        #[cfg(not(unix))]
        let _ = written;
        Self::Std(stream)
    }

    fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        let mut busy = 0;
        while !bytes.is_empty() {
            let written = match self {
                #[cfg(unix)]
                Self::Own(file) => file.write(bytes),
                Self::Std(Stream::Out) => io::stdout().write(bytes),
                Self::Std(Stream::Err) => io::stderr().write(bytes),
            };
            match written {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && busy < BUSY.1 => {
                    busy += 1;
                    thread::park_timeout(BUSY.0);
                }
                Err(error) => return Err(error),
            }
        }
        match self {
            #[cfg(unix)]
            Self::Own(_) => Ok(()),
            Self::Std(Stream::Out) => io::stdout().flush(),
            Self::Std(Stream::Err) => io::stderr().flush(),
        }
    }
}

/// The thread that writes.
struct Writer {
    streams: &'static [Stream],
    held: Arc<AtomicUsize>,
    bar: Option<ProgressBar>,
    out: Target,
    err: Target,
}

impl Writer {
    fn run(mut self, pieces: &Receiver<Piece>) {
        let mut has_untold = false;
        loop {
            let piece = if has_untold {
                match pieces.recv_timeout(AGAIN) {
                    Ok(piece) => Some(piece),
                    Err(RecvTimeoutError::Timeout) => None,
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            } else {
                match pieces.recv() {
                    Ok(piece) => Some(piece),
                    Err(_) => return,
                }
            };
            match piece {
                Some(Piece::Text(stream, text)) => {
                    self.held
                        .fetch_sub(text.len() + PER_LINE, Ordering::Relaxed);
                    if let Err(error) = self.write(stream, &text) {
                        let books = outputs().books(stream);
                        books.lost.fetch_add(1, Ordering::Relaxed);
                        let mut failed =
                            books.failed.lock().unwrap_or_else(PoisonError::into_inner);
                        failed.get_or_insert(error);
                        has_untold = true;
                        continue; // The notice would fail as well.
                    }
                }
                Some(Piece::Bar(bar)) => self.draw(bar),
                Some(Piece::Flush(done)) => {
                    let _ = done.send(()); // Whoever asked may have given up waiting.
                }
                None => {}
            }
            has_untold = self.tell_lost();
        }
    }

    /// Reports lost lines; `true` while some could not be reported.
    fn tell_lost(&mut self) -> bool {
        let outputs = outputs();
        let mut has_untold = false;
        for &stream in self.streams {
            if let Some(lost) = outputs.untold(stream) {
                let notice = outputs.notice(stream, lost);
                match self.write(stream, notice.as_bytes()) {
                    Ok(()) => {
                        let told = &outputs.books(stream).told;
                        told.fetch_add(lost, Ordering::Relaxed);
                    }
                    Err(_) => has_untold = true,
                }
            }
        }
        has_untold
    }

    fn write(&mut self, stream: Stream, text: &[u8]) -> io::Result<()> {
        let target = match stream {
            Stream::Out => &mut self.out,
            Stream::Err => &mut self.err,
        };
        match &self.bar {
            Some(bar) => bar.suspend(|| target.write(text)),
            None => target.write(text),
        }
    }

    fn draw(&mut self, piece: Bar) {
        match (piece, &self.bar) {
            (Bar::Start(total), None) => {
                let drawn =
                    ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
                // A template that is checked by a test.
                if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
                    drawn.set_style(style.progress_chars("━━ "));
                }
                self.bar = Some(drawn);
            }
            (Bar::Show(position, words), Some(bar)) => {
                bar.set_position(position);
                bar.set_message(words);
                bar.tick();
            }
            (Bar::Clear, Some(bar)) => {
                bar.finish_and_clear();
                self.bar = None;
            }
            (Bar::Start(_), Some(_)) | (Bar::Show(..) | Bar::Clear, None) => {}
        }
    }
}

const TEMPLATE: &str = "{bar:40} {pos}/{len}  {msg}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_can_be_drawn() {
        assert!(ProgressStyle::with_template(TEMPLATE).is_ok());
    }
}
