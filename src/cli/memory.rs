//! How much memory an idle account takes, as the process itself can tell.

use std::fs;

/// With fewer accounts than this, the figure would consist mostly of the process itself.
const ENOUGH: u64 = 100;

/// The memory of the process before it had accounts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Memory {
    base: Option<u64>,
}

impl Memory {
    /// Measures now. Only Linux tells; elsewhere nothing is reported.
    pub(super) fn before() -> Self {
        Self { base: resident() }
    }

    /// The memory that the accounts added, as a text; `None` where it is unknown.
    pub(super) fn per_account(&self, online: usize, with_sandbox: bool) -> Option<String> {
        let (base, here) = (self.base?, resident()?);
        let accounts = u64::try_from(online).ok().filter(|count| *count > 0)?;
        let each = here.saturating_sub(base) as f64 / accounts as f64 / 1024.0;
        let what = if with_sandbox {
            "account, the sandbox's side of it included"
        } else {
            "account"
        };
        let (here, base) = (here as f64 / 1_048_576.0, base as f64 / 1_048_576.0);
        let rest =
            format!("{online} online, {here:.1} MiB resident, {base:.1} MiB before the first");
        Some(if accounts < ENOUGH {
            format!("memory: {rest}")
        } else {
            format!("memory: {each:.1} KiB per {what} ({rest})")
        })
    }
}

/// Resident memory in bytes.
fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
