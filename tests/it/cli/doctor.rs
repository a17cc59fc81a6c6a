//! `botroupe doctor` on this machine.

use super::*;
use crate::harness::sandbox as service;
use serde_json::Value;

/// Its exit code, and what it says of each thing.
fn doctor(path: &str, more: &[&str]) -> (Option<i32>, Vec<(String, String, String)>) {
    let asked = output(&[&["doctor", path, "--json"], more].concat());
    let text = String::from_utf8(asked.stdout).unwrap();
    let report: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"));
    let word = |one: &Value, key: &str| one[key].as_str().unwrap_or_default().to_owned();
    let checks = report["checks"].as_array().unwrap().iter();
    let found = checks.map(|one| {
        assert_eq!(one["remedy"].is_string(), one["verdict"] != "ok", "{one}");
        (word(one, "name"), word(one, "verdict"), word(one, "text"))
    });
    (asked.status.code(), found.collect())
}

fn of<'a>(found: &'a [(String, String, String)], name: &str) -> (&'a str, &'a str) {
    let one = found.iter().find(|(known, ..)| known == name);
    let (_, verdict, text) = one.unwrap_or_else(|| panic!("no {name} in {found:?}"));
    (verdict, text)
}

#[test]
fn a_config_of_the_sandbox_is_well() {
    let folder = tempfile::tempdir().unwrap();
    let path = fleet(&folder, "sandbox");
    let (code, found) = doctor(&path, &[]);
    assert_eq!(code, Some(0), "{found:?}");
    for name in ["files", "memory", "store", "disk", "ports", "network"] {
        assert_ne!(of(&found, name).0, "bad", "{found:?}");
    }
    assert_eq!(of(&found, "process").1, "the fleet does not run");
    let mut left = fs::read_dir(folder.path()).unwrap();
    assert_eq!(left.next().unwrap().unwrap().file_name(), "config.toml");
    assert!(left.next().is_none(), "it leaves nothing behind");

    let mut run = Running::start(&["run", "--config", &path]);
    run.line("4 of 4");
    let (code, found) = doctor(&path, &[]);
    assert_eq!(code, Some(0), "{found:?}");
    assert_eq!(of(&found, "process").1, "the fleet runs");
    assert!(of(&found, "store").1.contains("can be read and written"));
}

#[test]
fn an_endpoint_that_answers_tells_its_time_and_one_that_does_not_is_bad() {
    let service = service(|_| {});
    let folder = tempfile::tempdir().unwrap();
    let path = fleet(&folder, &service.url());
    let (code, found) = doctor(&path, &[]);
    assert_eq!(code, Some(0), "{found:?}");
    assert!(of(&found, "network").1.contains("answers directly after"));
    assert!(of(&found, "names").1.contains("1 IPv4"), "{found:?}");
    assert_ne!(of(&found, "clock").0, "bad");

    let (code, found) = doctor(&path, &["--set", "endpoint=\"ws://127.0.0.1:9\""]);
    assert_eq!(code, Some(1));
    assert_eq!(of(&found, "network").0, "bad");
    let (code, found) = doctor(&path, &["--set", "endpoint=\"wss://no.such.host.invalid\""]);
    assert_eq!(code, Some(1));
    assert_eq!(of(&found, "names").0, "bad");
}

#[test]
fn what_is_wrong_is_told_with_a_remedy_for_people() {
    let folder = tempfile::tempdir().unwrap();
    let path = fleet(&folder, "sandbox");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = format!("sandbox.listen=\"{}\"", taken.local_addr().unwrap());
    fs::write(folder.path().join("no.db"), "this is no store").unwrap();
    let asked = output(&[
        "doctor",
        &path,
        "--set",
        &listen,
        "--set",
        "store.path=\"no.db\"",
    ]);
    let out = String::from_utf8(asked.stdout).unwrap();
    let err = String::from_utf8(asked.stderr).unwrap();
    assert_eq!(asked.status.code(), Some(1), "{out}");
    assert!(out.contains("BAD      ports"), "{out}");
    assert!(out.contains("→ `ss -ltnp` tells which"), "{out}");
    assert!(out.contains("BAD      store"), "{out}");
    assert!(out.contains("2 bad"), "{out}");
    assert!(err.contains("2 things are bad"), "{err}");
    assert_eq!(
        fs::read_to_string(folder.path().join("no.db")).unwrap(),
        "this is no store"
    );

    let wrong = output(&["doctor", &path, "--set", "host.threads=0"]);
    let out = String::from_utf8(wrong.stdout).unwrap();
    assert_eq!(wrong.status.code(), Some(1));
    assert!(
        out.contains("BAD      config") && out.contains("host.threads"),
        "{out}"
    );
}
