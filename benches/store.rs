//! Measures what keeping a message costs, and what a start costs with a million records. Prints, and judges nothing.
//!
//! Run with `cargo bench --bench store`.

#![allow(clippy::unwrap_used, reason = "a bench that cannot go on fails")]
#![allow(clippy::print_stdout, reason = "this is its result")]
#![allow(
    clippy::disallowed_methods,
    reason = "it has a clock, and keeps a rate"
)]

use botroupe::ledger::{AccountNo, Change, Ended, Letter, LetterState};
use botroupe::message::{Conversation, MessageKey};
use botroupe::store::{Done, Sink, Store, StoreConfig};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

fn main() {
    three_changes_a_message();
    a_start_with_a_million_rows();
}

fn unix_now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

fn letter(number: u64, effect: Option<u64>) -> Letter {
    Letter {
        number,
        account: AccountNo(1),
        bot: "echo".into(),
        effect,
        lasting: false,
        to: Conversation::c2c("alice"),
        draft: "{}".into(),
        key: MessageKey { seq: 1, random: 2 },
        at: unix_now(),
        service_time: unix_now(),
        state: LetterState::Queued,
    }
}

struct Count(AtomicU64);

impl Sink for Count {
    fn committed(&self, _: u64) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Processor time of this process so far.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let main: u64 = stat
        .split(' ')
        .next()
        .and_then(|it| it.parse().ok())
        .unwrap_or(0);
    let mut all = 0;
    for task in std::fs::read_dir("/proc/self/task").unwrap() {
        let path = task.unwrap().path().join("schedstat");
        let text = std::fs::read_to_string(path).unwrap_or_default();
        all += text
            .split(' ')
            .next()
            .and_then(|it| it.parse::<u64>().ok())
            .unwrap_or(0);
    }
    Duration::from_nanos(all.max(main))
}

fn of_thread(name: &str) -> Duration {
    for task in std::fs::read_dir("/proc/self/task").unwrap() {
        let path = task.unwrap().path();
        let comm = std::fs::read_to_string(path.join("comm")).unwrap_or_default();
        if comm.trim() == name {
            let text = std::fs::read_to_string(path.join("schedstat")).unwrap_or_default();
            let nanos = text.split(' ').next().and_then(|it| it.parse().ok());
            return Duration::from_nanos(nanos.unwrap_or(0));
        }
    }
    Duration::ZERO
}

/// What a message costs: `RATE` lists a second for `SECONDS`, with `EFFECT=1` for letters that a handler's step leads
/// to, in a folder of `FOLDER`.
fn three_changes_a_message() {
    let number = |name, otherwise| {
        let text = std::env::var(name).ok();
        text.and_then(|text| text.parse().ok()).unwrap_or(otherwise)
    };
    let (rate, seconds): (u64, u64) = (number("RATE", 10_000), number("SECONDS", 10));
    let has_effect = number("EFFECT", 0) > 0;
    let folder = std::env::var("FOLDER").unwrap_or_else(|_| "/tmp".into());
    let folder = tempfile::tempdir_in(folder).unwrap();
    let path = folder.path().join("botroupe.db");
    let store = Store::open(&path, StoreConfig::default()).unwrap();
    let count = Arc::new(Count(AtomicU64::new(0)));
    let (begun, before) = (Instant::now(), cpu());
    let writing = of_thread("store-write");
    let threads: Vec<_> = (0..2)
        .map(|thread| {
            let (store, count) = (store.clone(), Arc::clone(&count));
            std::thread::spawn(move || {
                let mut queued = std::collections::VecDeque::new();
                let each = rate / 2 * seconds;
                let (mut sent, start) = (0, Instant::now());
                while sent < each {
                    // In bursts of a millisecond.
                    for _ in 0..(rate / 2_000).max(1) {
                        let at = unix_now();
                        let done = store.next_number();
                        let number = store.next_number();
                        let mut letter = letter(
                            number,
                            has_effect.then_some(number.wrapping_mul(0x9E37_79B9_7F4A_7C15)),
                        );
                        letter.draft = "x".repeat(150).into();
                        letter.account = AccountNo((sent % 1_000) as u32 * 2 + thread);
                        let account = letter.account;
                        let handled = Change::Handled {
                            number: done,
                            account,
                            exchange: done.wrapping_mul(77),
                            at,
                        };
                        let mut changes = vec![handled, Change::Queued(Box::new(letter))];
                        queued.push_back(number);
                        if queued.len() > 100
                            && let Some(number) = queued.pop_front()
                        {
                            changes.push(Change::Ended {
                                number,
                                ended: Ended::Sent,
                            });
                        }
                        let sink = Arc::clone(&count) as Arc<dyn Sink>;
                        store.submit(changes, Some(Done { sink, batch: sent }));
                        sent += 1;
                    }
                    let due = start + Duration::from_nanos(1_000_000_000 / (rate / 2) * sent);
                    std::thread::sleep(due.saturating_duration_since(Instant::now()));
                }
                // Alive until its time is counted.
                while count.0.load(Ordering::Relaxed) < each * 2 {
                    std::thread::sleep(Duration::from_millis(1));
                }
                of_self()
            })
        })
        .collect();
    let submitters: Duration = threads.into_iter().map(|it| it.join().unwrap()).sum();
    let took = begun.elapsed();
    let total = count.0.load(Ordering::Relaxed);
    let writer = of_thread("store-write") - writing;
    let per = |cpu: Duration| cpu.as_secs_f64() * 1e6 / total as f64;
    println!(
        "{total} lists in {took:.2?}: {:.0} lists/s; writer {:.2} us/list, submitters with the making of changes {:.2} us/list, main {:.2}",
        total as f64 / took.as_secs_f64(),
        per(writer),
        per(submitters),
        per(cpu() - before - writer)
    );
    println!("{:?}", store.condition());
}

fn of_self() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split(' ').next().and_then(|it| it.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}

/// What a start costs: a million rows of 10,000 accounts.
fn a_start_with_a_million_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("botroupe.db");
    let store = Store::open(&path, StoreConfig::default()).unwrap();
    let rows = 1..=1_000_000_u64;
    let changes = rows.map(|number| Change::Handled {
        number,
        account: AccountNo((number % 10_000) as u32),
        exchange: number.wrapping_mul(0x9E37_79B9_7F4A_7C15),
        at: unix_now(),
    });
    store.submit(changes.collect(), None);
    store.close();
    drop(store);
    let begun = Instant::now();
    let store = Store::open(&path, StoreConfig::default()).unwrap();
    let opened = begun.elapsed();
    let all = store.recover().unwrap();
    let took = begun.elapsed() - opened;
    println!(
        "{} bytes; open with quick_check {opened:.2?}, recover {took:.2?}, {} accounts",
        store.condition().sizes.file,
        all.len()
    );
}
