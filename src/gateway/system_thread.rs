//! A thread of the system: its priority, and how long others kept it from running.

use std::time::Duration;

/// The nice value of a thread that somebody blocks.
#[cfg(target_os = "linux")]
const NICE: i32 = 19;

/// A thread of the system, seen from any thread. It knows nothing until [`note`](Self::note) was called on it.
#[derive(Debug, Default)]
pub struct SystemThread {
    #[cfg(target_os = "linux")]
    id: std::sync::OnceLock<rustix::process::Pid>,
    /// What the kernel counts of it: nanoseconds that it ran, and that it was ready and did not run.
    #[cfg(target_os = "linux")]
    counters: std::sync::OnceLock<std::fs::File>,
}

impl SystemThread {
    /// Notes the current thread.
    pub fn note(&self) {
        #[cfg(target_os = "linux")]
        {
            let _ = self.id.set(rustix::thread::gettid());
            if let Ok(file) = std::fs::File::open("/proc/thread-self/schedstat") {
                let _ = self.counters.set(file);
            }
        }
    }

    /// Lowers the thread's priority below every other thread of the process.
    pub fn give_way(&self) {
        // On Linux the nice value belongs to the thread. If it is not permitted, the thread keeps its priority.
        #[cfg(target_os = "linux")]
        if let Some(thread) = self.id.get() {
            let _ = rustix::process::setpriority_process(Some(*thread), NICE);
        }
    }

    /// How long the thread was ready to run so far while a busy machine ran others; zero where the system does
    /// not tell.
    #[must_use]
    pub fn run_delay(&self) -> Duration {
        #[cfg(target_os = "linux")]
        {
            use std::os::unix::fs::FileExt;
            let mut text = [0; 64];
            let read = self
                .counters
                .get()
                .and_then(|file| file.read_at(&mut text, 0).ok());
            let text = read.and_then(|length| std::str::from_utf8(text.get(..length)?).ok());
            let delay = text.and_then(|text| text.split_whitespace().nth(1)?.parse().ok());
            Duration::from_nanos(delay.unwrap_or(0))
        }
        #[cfg(not(target_os = "linux"))]
        Duration::ZERO
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_sleeps_was_not_kept_from_running() {
        let thread = SystemThread::default();
        assert_eq!(thread.run_delay(), Duration::ZERO, "not noted");
        thread.note();
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
        let told: u64 = text.split_whitespace().nth(1).unwrap().parse().unwrap();
        assert!(thread.run_delay() >= Duration::from_nanos(told));
    }
}
