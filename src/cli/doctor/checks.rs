//! What facts about a machine mean for a config. Pure: the facts are arguments.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::finding::Finding;

const MIB: u64 = 1 << 20;
/// With less free, writing stops within hours.
const LITTLE_ROOM: u64 = 1 << 30;
/// With less free, writing stops within minutes.
const NO_ROOM: u64 = 64 * MIB;
/// What an account takes in memory: 12 KiB idle over TLS (docs/src/benchmarks.md), and more for bots and bursts.
const ACCOUNT: u64 = 32 << 10;
/// What the process takes without accounts.
const PROCESS: u64 = 64 * MIB;

/// The limit of open files against what the config needs.
pub(super) fn files(
    allowed: Option<u64>,
    needed: u64,
    fitting: Option<u64>,
    remedy: String,
) -> Finding {
    let name = "files";
    match (allowed, fitting) {
        (None, _) => Finding::ok(name, format!("{needed} needed, no limit")),
        (Some(allowed), None) => Finding::ok(name, format!("{needed} needed, {allowed} allowed")),
        (Some(allowed), Some(fitting)) => Finding::bad(
            name,
            format!(
                "{needed} needed, and only {allowed} open files are allowed: {fitting} accounts fit"
            ),
            remedy,
        ),
    }
}

/// How far the machine's clock is from the server's, in seconds, and how long asking took; `None` when nobody told.
pub(super) fn clock(off: Option<(i64, Duration)>) -> Finding {
    let name = "clock";
    let Some((off, took)) = off else {
        return Finding::warning(
            name,
            "not compared: the endpoint told no time",
            "see `network` below; `timedatectl` tells whether this machine asks a time server",
        );
    };
    let side = if off > 0 { "behind" } else { "ahead of" };
    let size = off.unsigned_abs();
    // A date tells whole seconds, and was made before the answer came.
    let doubt = took.as_secs() + 2;
    let text = format!("{size} s {side} the endpoint's");
    let remedy = "set it: `timedatectl set-ntp true`, or start chrony or systemd-timesyncd";
    match size {
        size if size <= doubt => Finding::ok(name, "agrees with the endpoint's"),
        0..=60 => Finding::warning(name, text, remedy),
        _ => Finding::bad(
            name,
            format!("{text}; UserSigs and certificates may be refused"),
            remedy,
        ),
    }
}

/// The addresses of the endpoint's name.
pub(super) fn names(host: &str, found: &io::Result<Vec<SocketAddr>>) -> Finding {
    let name = "names";
    match found {
        Ok(found) if found.is_empty() => Finding::bad(
            name,
            format!("{host} has no address"),
            "look at /etc/resolv.conf and at endpoint in the config",
        ),
        Ok(found) => {
            let fours = found.iter().filter(|address| address.is_ipv4()).count();
            let sixes = found.len() - fours;
            Finding::ok(
                name,
                format!("{host} has {fours} IPv4 and {sixes} IPv6 addresses"),
            )
        }
        Err(error) => Finding::bad(
            name,
            format!("{host} is not resolved: {error}"),
            "look at /etc/resolv.conf, or let a proxy resolve names: proxy.url = \"socks5h://…\"",
        ),
    }
}

/// What came of asking the endpoint over HTTP or HTTPS: the status and how long it took, or the reason.
pub(super) fn network(
    origin: &str,
    proxy: Option<&str>,
    answer: &Result<(u16, Duration), String>,
) -> Finding {
    let name = "network";
    let way = match proxy {
        None => "directly".to_owned(),
        Some(proxy) => format!("by the proxy {proxy}"),
    };
    match answer {
        Ok((_, took)) if *took > Duration::from_secs(5) => Finding::warning(
            name,
            format!("{origin} answers {way} after {:.1} s", took.as_secs_f64()),
            "accounts have defaults.connect_timeout (10 s) for this; look for lost packets or a slow proxy",
        ),
        Ok((_, took)) => Finding::ok(
            name,
            format!("{origin} answers {way} after {} ms", took.as_millis()),
        ),
        Err(reason) => {
            let remedy = match reason.contains("certificate") {
                true => {
                    "a proxy that looks into TLS needs its certificate in tls.ca_file; otherwise look at the clock"
                }
                false => {
                    "let this machine reach it on that port; a proxy on the way is proxy.url or HTTPS_PROXY"
                }
            };
            Finding::bad(
                name,
                format!("{origin} does not answer {way}: {reason}"),
                remedy,
            )
        }
    }
}

/// An address to listen at, and whether it was free.
pub(super) fn listening(
    what: &str,
    address: SocketAddr,
    bound: &io::Result<()>,
    runs: bool,
) -> Finding {
    let name = "ports";
    match bound {
        Ok(()) => Finding::ok(name, format!("{address} ({what}) is free")),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && runs => Finding::ok(
            name,
            format!("{address} ({what}) is taken, and the fleet runs"),
        ),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Finding::bad(
            name,
            format!("{address} ({what}) is taken by another program"),
            format!("`ss -ltnp` tells which; end it, or change {what}"),
        ),
        Err(error) => Finding::bad(
            name,
            format!("{address} ({what}) cannot be listened at: {error}"),
            format!("write an address of this machine to {what}, and a port above 1023"),
        ),
    }
}

/// Ports for links, against those that the system gives to one address.
pub(super) fn links(accounts: u64, range: Option<(u16, u16)>, sources: u64) -> Option<Finding> {
    let (low, high) = range?;
    let each = u64::from(high.saturating_sub(low)) + 1;
    let all = each.saturating_mul(sources.max(1));
    let text = format!("{accounts} links need a port each, and there are {all} to one address");
    let remedy =
        "name more addresses of this machine in io.bind, or widen net.ipv4.ip_local_port_range";
    Some(match accounts {
        // Those that were just closed are kept for a minute.
        accounts if accounts > all => Finding::bad("ports", text, remedy),
        accounts if accounts > all / 10 * 8 => Finding::warning("ports", text, remedy),
        _ => Finding::ok("ports", text),
    })
}

/// What is known of the store.
#[derive(Debug)]
pub(super) struct StoreFacts {
    /// `None` for a store in memory.
    pub(super) path: Option<PathBuf>,
    /// Why a file cannot be made in its folder, or the file not be written to.
    pub(super) unwritable: Option<String>,
    /// Why it cannot be opened, when it is there.
    pub(super) unreadable: Option<String>,
    pub(super) exists: bool,
    /// Free bytes.
    pub(super) free: Option<u64>,
}

/// Whether the store can be written, is of this version, and has room.
pub(super) fn store(facts: &StoreFacts) -> Vec<Finding> {
    let name = "store";
    let Some(path) = &facts.path else {
        return vec![Finding::warning(
            name,
            "in memory: what is handled, and messages that wait, are forgotten at the end of the process",
            "name a file: [store] path",
        )];
    };
    let path = path.display();
    let mut findings = vec![match (&facts.unwritable, &facts.unreadable, facts.exists) {
        (Some(reason), ..) => Finding::bad(
            name,
            format!("{path} cannot be written to: {reason}"),
            "let this user write to the file and its folder, or name another one: [store] path",
        ),
        (None, Some(reason), _) => Finding::bad(
            name,
            reason.clone(),
            "`botroupe store check` looks through it; put a back-up in its place if it is damaged",
        ),
        (None, None, true) => Finding::ok(name, format!("{path} can be read and written")),
        (None, None, false) => Finding::ok(name, format!("{path} will be made")),
    }];
    findings.extend(facts.free.map(|free| {
        let text = format!("{} MiB are free where {path} is", free / MIB);
        match free {
            free if free < NO_ROOM => Finding::bad("disk", text, "free some space"),
            free if free < LITTLE_ROOM => Finding::warning("disk", text, "free some space"),
            _ => Finding::ok("disk", text),
        }
    }));
    findings
}

/// Memory that is available, against what so many accounts take.
pub(super) fn memory(available: Option<u64>, accounts: u64) -> Finding {
    let name = "memory";
    let needed = PROCESS + accounts * ACCOUNT;
    let Some(available) = available else {
        return Finding::ok(name, format!("about {} MiB needed", needed / MIB));
    };
    let text = format!(
        "about {} MiB needed, {} MiB available",
        needed / MIB,
        available / MIB
    );
    let remedy = "free some, or split the config over machines";
    match available {
        available if available < needed / 2 => Finding::bad(name, text, remedy),
        available if available < needed => Finding::warning(name, text, remedy),
        _ => Finding::ok(name, text),
    }
}

/// What is not wrong with a config, and still hardly what anybody wants.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct ConfigFacts {
    /// The accounts are real ones.
    pub(super) is_real: bool,
    /// Others of this machine may read the file.
    pub(super) readable_by_others: bool,
    /// A secret stands in it.
    pub(super) holds_secret: bool,
    /// Somebody is told when something is wrong.
    pub(super) alerts: bool,
    /// Accounts that are enabled, and those of them without a bot.
    pub(super) accounts: usize,
    pub(super) idle: usize,
}

/// See [`ConfigFacts`].
pub(super) fn config(facts: ConfigFacts) -> Vec<Finding> {
    let name = "config";
    let mut findings = Vec::new();
    if facts.readable_by_others && facts.holds_secret {
        findings.push(Finding::warning(
            name,
            "it holds a secret, and every user of this machine may read it",
            "write ${NAME} in its place and set the variable, or chmod 600 the file",
        ));
    }
    if facts.idle > 0 {
        findings.push(Finding::warning(
            name,
            format!(
                "{} of {} accounts run no bot: they are online and answer nobody",
                facts.idle, facts.accounts
            ),
            "name bots in [[accounts]] bots, or set enabled = false",
        ));
    }
    if facts.is_real && !facts.alerts {
        findings.push(Finding::warning(
            name,
            "nobody is told when something is wrong",
            "add [[alerts]], and try it with `botroupe alerts test`",
        ));
    }
    if findings.is_empty() {
        findings.push(Finding::ok(name, format!("{} accounts", facts.accounts)));
    }
    findings
}

/// A folder that the log file is in.
pub(super) fn log_file(path: &std::path::Path, unwritable: Option<String>) -> Finding {
    let path = path.display();
    match unwritable {
        None => Finding::ok("log", format!("{path} can be written to")),
        Some(reason) => Finding::warning(
            "log",
            format!("{path} cannot be written to: {reason}; its lines will be lost"),
            "let this user write there, or name another file: [log.file] path",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict::{self, Bad, Ok as Fine, Warning};
    use super::*;

    fn verdicts(findings: &[Finding]) -> Vec<Verdict> {
        for finding in findings {
            assert_eq!(
                finding.remedy.is_some(),
                finding.verdict != Fine,
                "{finding:?}"
            );
        }
        findings.iter().map(|finding| finding.verdict).collect()
    }

    #[test]
    fn the_table_of_open_files() {
        for (allowed, fitting, expected) in [
            (None, None, Fine),
            (Some(1024), None, Fine),
            (Some(1024), Some(960), Bad),
        ] {
            let found = files(allowed, 2000, fitting, "allow more".into());
            assert_eq!(verdicts(&[found]), [expected]);
        }
    }

    #[test]
    fn the_table_of_clocks() {
        let quick = Duration::from_millis(80);
        for (off, expected) in [
            (None, Warning),
            (Some((0, quick)), Fine),
            (Some((-2, quick)), Fine),
            (Some((3, quick)), Warning),
            (Some((-60, quick)), Warning),
            (Some((61, quick)), Bad),
            (Some((-86_400, quick)), Bad),
            // An answer that took five seconds tells little.
            (Some((6, Duration::from_secs(5))), Fine),
        ] {
            assert_eq!(verdicts(&[clock(off)]), [expected], "{off:?}");
        }
        assert!(clock(Some((90, quick))).text.starts_with("90 s behind"));
        assert!(clock(Some((-90, quick))).text.starts_with("90 s ahead of"));
    }

    #[test]
    fn the_table_of_names_and_networks() {
        let address: SocketAddr = "10.0.0.1:443".parse().unwrap();
        for (found, expected) in [
            (Ok(vec![address]), Fine),
            (Ok(vec![]), Bad),
            (Err(io::ErrorKind::NotFound.into()), Bad),
        ] {
            assert_eq!(verdicts(&[names("h", &found)]), [expected]);
        }
        for (answer, words, expected) in [
            (
                Ok((426, Duration::from_millis(30))),
                "directly after 30 ms",
                Fine,
            ),
            (Ok((200, Duration::from_secs(6))), "6.0 s", Warning),
            (
                Err("invalid peer certificate".to_owned()),
                "certificate",
                Bad,
            ),
            (Err("connection refused".to_owned()), "refused", Bad),
        ] {
            let found = network("https://h", None, &answer);
            assert!(found.text.contains(words), "{found:?}");
            assert_eq!(verdicts(&[found]), [expected]);
        }
        let by = network("https://h", Some("http://p:1"), &Err("x".into()));
        assert!(by.text.contains("by the proxy http://p:1"), "{by:?}");
    }

    #[test]
    fn the_table_of_ports() {
        let address = "127.0.0.1:7080".parse().unwrap();
        let bound = |kind: Option<io::ErrorKind>| match kind {
            None => Ok(()),
            Some(kind) => Err(kind.into()),
        };
        for (kind, runs, expected) in [
            (None, false, Fine),
            (Some(io::ErrorKind::AddrInUse), true, Fine),
            (Some(io::ErrorKind::AddrInUse), false, Bad),
            (Some(io::ErrorKind::PermissionDenied), true, Bad),
            (Some(io::ErrorKind::AddrNotAvailable), false, Bad),
        ] {
            let found = listening("sandbox.listen", address, &bound(kind), runs);
            assert_eq!(verdicts(&[found]), [expected], "{kind:?} {runs}");
        }
        let range = Some((32_768, 60_999));
        for (accounts, sources, expected) in [
            (10, 0, Fine),
            (22_500, 1, Fine),
            (25_000, 1, Warning),
            (28_233, 1, Bad),
            (28_233, 2, Fine),
        ] {
            let found = links(accounts, range, sources).unwrap();
            assert_eq!(verdicts(&[found]), [expected], "{accounts} {sources}");
        }
        assert_eq!(links(1, None, 1), None);
    }

    #[test]
    fn the_table_of_stores() {
        let facts = |unwritable: bool, unreadable: bool, exists, free| StoreFacts {
            path: Some("/x/b.db".into()),
            unwritable: unwritable.then(|| "permission denied".to_owned()),
            unreadable: unreadable.then(|| "it is no store".to_owned()),
            exists,
            free,
        };
        for (facts, expected) in [
            (facts(false, false, true, Some(2 << 30)), vec![Fine, Fine]),
            (facts(false, false, false, None), vec![Fine]),
            (facts(true, false, false, None), vec![Bad]),
            (
                facts(false, true, true, Some(900 * MIB)),
                vec![Bad, Warning],
            ),
            (facts(false, false, true, Some(MIB)), vec![Fine, Bad]),
        ] {
            assert_eq!(verdicts(&store(&facts)), expected, "{facts:?}");
        }
        let memory = StoreFacts {
            path: None,
            ..facts(false, false, false, None)
        };
        assert_eq!(verdicts(&store(&memory)), [Warning]);
    }

    #[test]
    fn the_table_of_memory() {
        for (available, accounts, expected) in [
            (None, 1, Fine),
            (Some(1 << 30), 1_000, Fine),
            (Some(300 * MIB), 10_000, Warning),
            (Some(100 * MIB), 10_000, Bad),
        ] {
            assert_eq!(verdicts(&[memory(available, accounts)]), [expected]);
        }
    }

    #[test]
    fn the_table_of_configs() {
        let fine = ConfigFacts {
            accounts: 4,
            alerts: true,
            is_real: true,
            ..ConfigFacts::default()
        };
        for (facts, expected) in [
            (fine, vec![Fine]),
            (
                ConfigFacts {
                    readable_by_others: true,
                    ..fine
                },
                vec![Fine],
            ),
            (
                ConfigFacts {
                    readable_by_others: true,
                    holds_secret: true,
                    idle: 2,
                    alerts: false,
                    ..fine
                },
                vec![Warning; 3],
            ),
            (
                ConfigFacts {
                    alerts: false,
                    is_real: false,
                    ..fine
                },
                vec![Fine],
            ),
        ] {
            assert_eq!(verdicts(&config(facts)), expected, "{facts:?}");
        }
        let path = std::path::Path::new("b.log");
        assert_eq!(verdicts(&[log_file(path, None)]), [Fine]);
        assert_eq!(verdicts(&[log_file(path, Some("no".into()))]), [Warning]);
    }
}
