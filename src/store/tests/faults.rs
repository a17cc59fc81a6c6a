//! What happens when the disk does not do what it should.

use super::*;
use crate::store::backend::{Backend, Batch, Failure, Figures, Place, Reader, Writer};
use crate::store::clock::now;
use crate::store::disk::Disk;
use crate::store::lock::Lock;
use crate::store::sqlite::Sqlite;
use crate::store::writer::Clocks;
use botroupe_core::ledger::Horizon;
use std::collections::{HashMap, VecDeque};
use std::fs;
use std::os::unix::fs::FileExt as _;
use std::sync::Mutex;

/// Fails as told before it passes on to a file.
#[derive(Default)]
struct Script {
    /// What the next writes do.
    writes: VecDeque<Fault>,
    /// Connections that were opened for writing, and how many of them were to mend.
    opened: (usize, usize),
    /// Failures of the next connections.
    opens: VecDeque<Cause>,
}

enum Fault {
    /// Nothing is written.
    Refused(Cause),
    /// Everything is written, but the answer says otherwise.
    Unsure(Cause),
}

#[derive(Clone)]
struct Flaky {
    file: Arc<Sqlite>,
    script: Arc<Mutex<Script>>,
}

struct FlakyWriter(Box<dyn Writer>, Arc<Mutex<Script>>);

impl Backend for Flaky {
    fn writer(&self, mend: bool) -> Result<Box<dyn Writer>, Failure> {
        let mut script = self.script.lock().unwrap();
        script.opened.0 += 1;
        script.opened.1 += usize::from(mend);
        if let Some(cause) = script.opens.pop_front() {
            return Err(Failure::new(cause, "as told"));
        }
        let writer = self.file.writer(mend)?;
        Ok(Box::new(FlakyWriter(writer, Arc::clone(&self.script))))
    }

    fn reader(&self) -> Result<Box<dyn Reader>, Failure> {
        self.file.reader()
    }

    fn sizes(&self) -> Sizes {
        self.file.sizes()
    }
}

type Changed = Result<Vec<(Box<str>, Usage)>, Failure>;

impl Writer for FlakyWriter {
    fn write(&mut self, batches: &[Batch]) -> Changed {
        let fault = self.1.lock().unwrap().writes.pop_front();
        match fault {
            None => self.0.write(batches),
            Some(Fault::Refused(cause)) => Err(Failure::new(cause, "as told")),
            Some(Fault::Unsure(cause)) => {
                self.0.write(batches)?;
                Err(Failure::new(cause, "as told"))
            }
        }
    }

    fn accounts(&mut self, app: SdkAppId, users: &[UserId]) -> Result<Vec<AccountNo>, Failure> {
        self.0.accounts(app, users)
    }

    fn audit(&mut self, deed: &Deed) -> Result<(), Failure> {
        self.0.audit(deed)
    }

    fn prune_audit(&mut self, before: u64, now: u64) -> Result<(), Failure> {
        self.0.prune_audit(before, now)
    }

    fn prune(
        &mut self,
        before: &Horizon,
        read: &HashMap<AccountNo, u64>,
        place: &mut Place,
    ) -> Changed {
        self.0.prune(before, read, place)
    }

    fn figures(&self) -> Figures {
        self.0.figures()
    }

    fn unsettled(&mut self, from: u64) -> Result<Option<(u64, u64)>, Failure> {
        self.0.unsettled(from)
    }

    fn usage(&self) -> HashMap<Box<str>, Usage> {
        self.0.usage()
    }

    fn backed_up(&mut self, at: u64) -> Result<(), Failure> {
        self.0.backed_up(at)
    }

    fn finish(&mut self) -> Result<(), Failure> {
        self.0.finish()
    }
}

fn quick() -> Clocks {
    Clocks {
        back_off: (Duration::from_millis(1), Duration::from_millis(5)),
        ..Clocks::default()
    }
}

fn start(path: &Path, backend: Arc<dyn Backend>, clocks: Clocks) -> Store {
    let config = StoreConfig::default();
    let disk = Disk::start(path, config, backend, None, clocks).unwrap();
    Store(Kind::Disk(Arc::new(disk)))
}

struct Place0 {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

fn place() -> Place0 {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("botroupe.db");
    Place0 {
        _folder: folder,
        path,
    }
}

/// Waits until the store tells of a trouble.
fn trouble(store: &Store) -> Trouble {
    let begun = now();
    loop {
        assert!(begun.elapsed() < Duration::from_secs(60), "all is well");
        if let Some(trouble) = store.condition().trouble {
            return trouble;
        }
        std::thread::yield_now();
    }
}

fn numbers(store: &Store) -> Vec<u64> {
    let all = store.recover().unwrap();
    let recovered = all.get(&ACCOUNT).cloned().unwrap_or_default();
    recovered
        .handled
        .iter()
        .map(|(number, _)| *number)
        .collect()
}

#[test]
fn writes_that_fail_are_done_later_in_their_order_and_nothing_is_lost() {
    for cause in [
        Cause::Full,
        Cause::Busy,
        Cause::Io,
        Cause::ReadOnly,
        Cause::Corrupt,
        Cause::Other,
    ] {
        for is_unsure in [false, true] {
            let at = place();
            let script = Arc::new(Mutex::new(Script::default()));
            let faults = (0..3).map(|_| match is_unsure {
                false => Fault::Refused(cause),
                true => Fault::Unsure(cause),
            });
            script.lock().unwrap().writes = faults.collect();
            let backend = Flaky {
                file: Arc::new(Sqlite::open(&at.path).unwrap()),
                script: Arc::clone(&script),
            };
            let store = start(&at.path, Arc::new(backend), quick());
            let (sink, told) = tell();
            for number in 1..=20 {
                let sink = Arc::clone(&sink);
                let done = Done {
                    sink,
                    batch: number,
                };
                assert!(!store.submit(vec![handled(number, T)], Some(done)));
            }
            let order: Vec<u64> = told.iter().take(20).collect();
            assert_eq!(order, (1..=20).collect::<Vec<_>>());
            assert_eq!(numbers(&store), order);
            assert_eq!(store.condition().trouble, None);
            assert_eq!(store.condition().counts.handled, 20);
            // What a connection says after such a failure is not believed.
            let anew = if matches!(cause, Cause::Full | Cause::Busy) {
                0
            } else {
                3
            };
            assert_eq!(script.lock().unwrap().opened, (1 + anew, anew), "{cause:?}");
        }
    }
}

#[test]
fn a_connection_that_cannot_be_opened_anew_is_tried_again() {
    let at = place();
    let script = Arc::new(Mutex::new(Script {
        writes: [Fault::Refused(Cause::Io)].into(),
        ..Script::default()
    }));
    let backend = Flaky {
        file: Arc::new(Sqlite::open(&at.path).unwrap()),
        script: Arc::clone(&script),
    };
    let store = start(&at.path, Arc::new(backend), quick());
    script.lock().unwrap().opens = [Cause::Io, Cause::ReadOnly].into();
    apply(&store, vec![handled(1, T)]);
    assert_eq!(numbers(&store), [1]);
}

#[test]
fn a_full_disk_is_told_and_what_waits_is_written_when_there_is_space() {
    let at = place();
    let file = Arc::new(Sqlite::open(&at.path).unwrap());
    file.limit_pages(40);
    let store = start(&at.path, Arc::clone(&file) as Arc<dyn Backend>, quick());
    let (sink, told) = tell();
    let put = |number: u64| {
        let mut letter = letter(number, None);
        letter.draft = "x".repeat(20_000).into();
        Change::Queued(Box::new(letter))
    };
    for batch in 1..=20 {
        let sink = Arc::clone(&sink);
        store.submit(vec![put(batch)], Some(Done { sink, batch }));
    }
    let trouble = trouble(&store);
    assert_eq!(trouble.cause, Cause::Full, "{trouble}");
    assert!(trouble.to_string().contains("free space"), "{trouble}");
    assert!(store.condition().waiting > 0);
    // What was asked in the meantime sees everything.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    assert!(runtime.block_on(store.letter(20)).unwrap().is_some());
    // The connection keeps its limit; a letter that goes makes space in the file.
    drop(store);
    let written = told.try_iter().count() as u64;
    assert!(written < 20);
    file.limit_pages(1_000_000);
    let store = start(&at.path, file, quick());
    let recovered = store.recover().unwrap().remove(&ACCOUNT);
    let found = recovered.unwrap_or_default().letters.len() as u64;
    assert_eq!(found, written, "as many as were told, and whole lists only");
}

#[test]
fn a_second_store_on_the_same_file_is_refused() {
    let at = place();
    let store = Store::open(&at.path, StoreConfig::default()).unwrap();
    let refused = Store::open(&at.path, StoreConfig::default()).unwrap_err();
    let OpenError::InUse { pid, .. } = &refused else {
        panic!("{refused}");
    };
    assert_eq!(*pid, Some(std::process::id()));
    store.close();
    drop(Store::open(&at.path, StoreConfig::default()).unwrap());
}

#[test]
fn a_program_that_holds_the_file_is_told_and_waited_for() {
    let at = place();
    let store = Store::open(&at.path, StoreConfig::default()).unwrap();
    let other = rusqlite::Connection::open(&at.path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (sink, told) = tell();
    store.submit(vec![handled(1, T)], Some(Done { sink, batch: 8 }));
    assert_eq!(trouble(&store).cause, Cause::Busy);
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(told.recv(), Ok(8));
    assert_eq!(store.condition().trouble, None);
}

/// Fills a store, and overwrites every page after the first ones.
fn damage(path: &Path) {
    let length = fs::metadata(path).unwrap().len();
    let file = fs::File::options().write(true).open(path).unwrap();
    for page in (12..length / 4096).step_by(3) {
        file.write_all_at(&[0xA5; 512], page * 4096).unwrap();
    }
}

fn filled(path: &Path) {
    let store = Store::open(path, StoreConfig::default()).unwrap();
    let many = (1..=20_000).map(|number| handled(number, T)).collect();
    apply(&store, many);
    store.close();
}

#[test]
fn a_damaged_page_is_found_when_the_store_is_opened() {
    let at = place();
    filled(&at.path);
    damage(&at.path);
    let refused = Store::open(&at.path, StoreConfig::default()).unwrap_err();
    assert!(matches!(refused, OpenError::Corrupt { .. }), "{refused}");
    assert!(refused.to_string().contains("botroupe store check"));
    let mut file = StoreFile::open(&at.path).unwrap();
    assert!(!file.check().unwrap_or(vec!["unreadable".into()]).is_empty());
}

#[test]
fn a_page_that_gets_damaged_later_is_told() {
    let at = place();
    filled(&at.path);
    let store = Store::open(&at.path, StoreConfig::default()).unwrap();
    damage(&at.path);
    let refused = store.recover().unwrap_err();
    assert!(
        matches!(
            refused,
            StoreError::Failed {
                cause: Cause::Corrupt,
                ..
            }
        ),
        "{refused}"
    );
    let trouble = store.condition().trouble.unwrap();
    assert_eq!(trouble.cause, Cause::Corrupt);
}

/// Runs a test of this file as a user who may not write everywhere.
fn as_nobody(test: &str) {
    use std::os::unix::fs::{PermissionsExt, chown};
    use std::os::unix::process::CommandExt;
    const NOBODY: u32 = 65_534;
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    // The folders above the program may be closed to others.
    let (program, work) = (folder.path().join("tests"), folder.path().join("work"));
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    fs::create_dir(&work).unwrap();
    chown(&work, Some(NOBODY), Some(NOBODY)).unwrap();
    let output = std::process::Command::new(program)
        .args(["--exact", &format!("store::tests::faults::{test}")])
        .env("TMPDIR", &work)
        .current_dir("/")
        .uid(NOBODY)
        .gid(NOBODY)
        .output()
        .unwrap();
    let out = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && out.contains("1 passed"), "{out}");
}

#[test]
fn a_folder_or_a_file_that_cannot_be_written_to_is_told_at_the_start() {
    use std::os::unix::fs::PermissionsExt;
    if rustix::process::geteuid().is_root() {
        return as_nobody("a_folder_or_a_file_that_cannot_be_written_to_is_told_at_the_start");
    }
    let at = place();
    filled(&at.path);
    let folder = at.path.parent().unwrap();
    fs::set_permissions(folder, fs::Permissions::from_mode(0o500)).unwrap();
    let refused = Store::open(&at.path, StoreConfig::default()).unwrap_err();
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
    assert!(matches!(refused, OpenError::Lock { .. }), "{refused}");
    fs::set_permissions(&at.path, fs::Permissions::from_mode(0o400)).unwrap();
    let refused = Store::open(&at.path, StoreConfig::default()).unwrap_err();
    let cause = match &refused {
        OpenError::Failed { cause, .. } => *cause,
        other => panic!("{other}"),
    };
    assert_eq!(cause, Cause::ReadOnly);
}

#[test]
fn a_clock_that_jumps_a_year_ahead_prunes_nothing_young() {
    let at = place();
    let wall = Arc::new(std::sync::atomic::AtomicU64::new(T));
    let run = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let (of_wall, of_run) = (Arc::clone(&wall), Arc::clone(&run));
    let clocks = Clocks {
        wall: Arc::new(move || of_wall.load(std::sync::atomic::Ordering::SeqCst)),
        run: Arc::new(move || {
            Duration::from_secs(of_run.load(std::sync::atomic::Ordering::SeqCst))
        }),
        prune: Duration::ZERO,
        ..Clocks::default()
    };
    let set = |jump: u64, seconds: u64| {
        wall.store(T + jump + seconds, std::sync::atomic::Ordering::SeqCst);
        run.store(seconds, std::sync::atomic::Ordering::SeqCst);
    };
    const DAY: u64 = 24 * 3600;
    let file = Arc::new(Sqlite::open(&at.path).unwrap());
    let store = start(&at.path, file, clocks);
    apply(&store, vec![handled(1, T - 8 * DAY), handled(2, T)]);
    let left = |store: &Store, count: u64| {
        while store.condition().counts.handled != count {
            std::thread::yield_now();
        }
    };
    left(&store, 1);
    set(366 * DAY, 60);
    for number in 3..50 {
        apply(&store, vec![handled(number, T + 60)]);
    }
    assert_eq!(
        store.condition().counts.handled,
        48,
        "nothing young has gone"
    );
    // It stays as it is: after a day it is believed.
    set(366 * DAY, 2 * DAY);
    left(&store, 0);
}

#[test]
fn closing_does_not_wait_for_ever_for_a_disk_that_fails() {
    let at = place();
    let script = Arc::new(Mutex::new(Script::default()));
    let writes = (0..100_000).map(|_| Fault::Refused(Cause::Io));
    script.lock().unwrap().writes = writes.collect();
    let backend = Flaky {
        file: Arc::new(Sqlite::open(&at.path).unwrap()),
        script,
    };
    let lock = Lock::take(&at.path).unwrap();
    let config = StoreConfig::default();
    let disk = Disk::start(
        &at.path,
        config,
        Arc::new(backend),
        Some(lock),
        Clocks::default(),
    );
    let store = Store(Kind::Disk(Arc::new(disk.unwrap())));
    let (sink, told) = tell();
    store.submit(vec![handled(1, T)], Some(Done { sink, batch: 1 }));
    store.close();
    assert!(told.try_recv().is_err(), "nobody is told what is not so");
    // It is whole, and free for the next process.
    let store = Store::open(&at.path, StoreConfig::default()).unwrap();
    assert_eq!(numbers(&store), Vec::<u64>::new());
}

/// A disk of one megabyte that is really full. Needs a user who may mount.
#[test]
#[ignore = "mounts a file system"]
fn a_real_full_disk_takes_up_again() {
    use std::process::Command;
    let folder = tempfile::tempdir().unwrap();
    let run = |program: &str, args: &[&str]| {
        let status = Command::new(program).args(args).status().unwrap();
        assert!(status.success());
    };
    let at = folder.path().to_str().unwrap();
    run("mount", &["-t", "tmpfs", "-o", "size=1m", "tmpfs", at]);
    let path = folder.path().join("botroupe.db");
    let store = Store::open(&path, StoreConfig::default()).unwrap();
    let ballast = folder.path().join("ballast");
    let (sink, told) = tell();
    let mut big = letter(1, None);
    big.draft = "x".repeat(600_000).into();
    fs::write(&ballast, vec![0; 600_000]).unwrap();
    let done = Done { sink, batch: 1 };
    store.submit(vec![Change::Queued(Box::new(big))], Some(done));
    let trouble = trouble(&store);
    fs::remove_file(&ballast).unwrap();
    let written = told.recv_timeout(Duration::from_secs(20));
    store.close();
    run("umount", &[at]);
    assert_eq!(trouble.cause, Cause::Full, "{trouble}");
    assert_eq!(written, Ok(1));
}
