//! A thread of the system, and its priority.

/// The nice value of a thread that somebody blocks.
#[cfg(target_os = "linux")]
const NICE: i32 = 19;

/// The system's ID of a thread.
#[derive(Debug, Default)]
pub struct SystemThread(#[cfg(target_os = "linux")] std::sync::OnceLock<rustix::process::Pid>);

impl SystemThread {
    /// Notes the current thread.
    pub fn note(&self) {
        #[cfg(target_os = "linux")]
        let _ = self.0.set(rustix::thread::gettid());
    }

    /// Lowers the thread's priority below every other thread of the process.
    pub fn give_way(&self) {
        // On Linux the nice value belongs to the thread. If it is not permitted, the thread keeps its priority.
        #[cfg(target_os = "linux")]
        if let Some(thread) = self.0.get() {
            let _ = rustix::process::setpriority_process(Some(*thread), NICE);
        }
    }
}
