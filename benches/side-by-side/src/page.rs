//! The page of the book that a run writes.

use crate::error::Result;
use crate::tables::Name;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

const HEAD: &str = "\
# Benchmarks

Written by `cargo run --release -p botroupe-bench -- all --write docs/src/benchmarks.md`, which measures Botroupe beside
two clients that were written by hand for the same exchange:

| client | what it is |
|---|---|
| botroupe | the release binary with the bot `echo`, and its setting of `isolation` |
| b | a tokio task an account, tokio-tungstenite tuned for idle accounts (2 KiB to read into, no buffer for writing) |
| c | a tokio task an account, frames of its own, buffers that all accounts share: the floor |

All three talk to the same load server (one thread, the real wire format) over the loopback, send the same requests at
login, parse a push typed, acknowledge it, and match the answer to what they sent. b and c do no more than that: nobody
supervises them, they keep no memory of what was handed out, send no read reports, and have no heartbeat timer.

**How to read it.** A figure is the median of its runs with the extremes behind it, `12.1 [11.8..13.0]`. The runs of all
clients take turns, and a ratio compares those of one turn, so that a machine that is busy for a while spoils neither. On
a shared machine absolute figures scatter by tens of percent from one day to the next; ratios hardly do. In loads the
client has one core and the server another. `--quick` shows within minutes whether everything runs; its figures mean
little.
";

/// What stands before and after a table in the page, so that a run that measures some keeps the others.
fn marks(name: Name) -> (String, String) {
    let name = name.text();
    (
        format!("<!-- begin {name} -->\n"),
        format!("<!-- end {name} -->\n"),
    )
}

/// Writes the tables into the page, in the place of those of earlier runs.
pub(crate) fn write(file: &Path, tables: &BTreeMap<&'static str, String>) -> Result<()> {
    let old = std::fs::read_to_string(file).unwrap_or_default();
    Ok(std::fs::write(file, page(&old, tables))?)
}

fn page(old: &str, tables: &BTreeMap<&'static str, String>) -> String {
    let mut page = HEAD.to_owned();
    for name in Name::All.tables() {
        let (begin, end) = marks(*name);
        let before = old
            .split_once(&begin)
            .and_then(|(_, rest)| rest.split_once(&end));
        let before = before.map(|(table, _)| table);
        let table = tables.get(name.text()).map(String::as_str).or(before);
        if let Some(table) = table {
            page += &format!("\n{begin}{table}{end}");
        }
    }
    page
}

/// One line on what was measured where: it stands below each table, because tables may be of different runs.
pub(crate) fn place(runs: usize, is_quick: bool) -> String {
    let said = |program: &str, words: &[&str]| {
        let output = Command::new(program).args(words).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    };
    let unknown = || "unknown".to_owned();
    let commit = said("git", &["rev-parse", "--short=12", "HEAD"]).unwrap_or_else(unknown);
    let changed = said(
        "git",
        &[
            "status",
            "--porcelain",
            "--",
            "src",
            "Cargo.lock",
            "Cargo.toml",
        ],
    );
    let changed = if changed.is_some() {
        " with changes"
    } else {
        ""
    };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease");
    let kernel = kernel.map_or_else(|_| unknown(), |text| text.trim().to_owned());
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let files = files.map_or_else(|| "any number of".to_owned(), |files| files.to_string());
    let date = httpdate::fmt_http_date(SystemTime::now());
    let quick = if is_quick { ", `--quick`" } else { "" };
    format!(
        "{date}; commit {commit}{changed}; runs: {runs}{quick}; {cores} cores, Linux {kernel}, {files} open files."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_replaces_its_tables_and_keeps_the_others() {
        let of = |name, text: &str| BTreeMap::from([(name, text.to_owned())]);
        let first = page("", &of("memory", "## Memory\n\nold\n"));
        let second = page(&first, &of("echo", "## Echo\n"));
        let third = page(&second, &of("memory", "## Memory\n\nnew\n"));
        assert!(third.find("## Echo") < third.find("## Memory"));
        assert!(third.contains("new") && !third.contains("old"));
        assert_eq!(page(&third, &BTreeMap::new()), third);
    }
}
