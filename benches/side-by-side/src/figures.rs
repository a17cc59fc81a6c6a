//! What Linux knows of a process.

use std::fs;

/// Seconds of CPU that the threads of a process took, those of another name than `except`.
pub(crate) fn cpu_seconds(pid: u32, except: &str) -> f64 {
    let nanoseconds: u64 = threads(pid)
        .filter(|thread| {
            let name = fs::read_to_string(format!("{thread}/comm"));
            except.is_empty() || !name.is_ok_and(|name| name.trim_end() == except)
        })
        .filter_map(|thread| {
            let text = fs::read_to_string(format!("{thread}/schedstat")).ok()?;
            text.split_whitespace().next()?.parse::<u64>().ok()
        })
        .sum();
    nanoseconds as f64 / 1e9
}

/// How often its threads left their core, by themselves or not.
pub(crate) fn switches(pid: u32) -> u64 {
    threads(pid)
        .filter_map(|thread| fs::read_to_string(format!("{thread}/status")).ok())
        .map(|status| {
            field(&status, "voluntary_ctxt_switches") + field(&status, "nonvoluntary_ctxt_switches")
        })
        .sum()
}

/// Memory of a process, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// Resident now.
    pub(crate) resident: f64,
    /// The most that was resident.
    pub(crate) peak: f64,
}

/// The memory of a process; nothing of one that is gone.
pub(crate) fn memory(pid: u32) -> Memory {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    Memory {
        resident: field(&status, "VmRSS") as f64 * 1024.0,
        peak: field(&status, "VmHWM") as f64 * 1024.0,
    }
}

/// The folders of its threads.
fn threads(pid: u32) -> impl Iterator<Item = String> {
    let folder = format!("/proc/{pid}/task");
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().display().to_string())
}

/// The number of a line of a status file.
fn field(status: &str, name: &str) -> u64 {
    let of = |line: &str| {
        let value = line.strip_prefix(name)?.strip_prefix(':')?;
        value.split_whitespace().next()?.parse().ok()
    };
    status.lines().find_map(of).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_and_takes_time() {
        let here = std::process::id();
        let memory = memory(here);
        assert!(memory.resident > 0.0 && memory.peak >= memory.resident);
        assert!(cpu_seconds(here, "") >= cpu_seconds(here, "no thread of this name") - 0.1);
    }

    #[test]
    fn a_line_is_found_by_its_whole_name() {
        let status =
            "nonvoluntary_ctxt_switches:\t7\nvoluntary_ctxt_switches:\t5\nVmRSS:\t  12 kB\n";
        assert_eq!(field(status, "voluntary_ctxt_switches"), 5);
        assert_eq!(field(status, "VmRSS"), 12);
        assert_eq!(field(status, "VmHWM"), 0);
    }
}
