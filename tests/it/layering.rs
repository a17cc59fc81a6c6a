//! Arrows point down: which layer may name which, and what the pure ones may not name at all.

use std::fs;
use std::path::{Path, PathBuf};

/// Each room and the rooms it may name. Order is from the bottom up.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("policy", &[]),
    ("proto", &[]),
    ("session", &["proto", "policy"]),
    ("config", &["proto"]),
    ("gateway", &["session", "proto", "policy"]),
    ("rest", &["gateway", "proto"]),
    (
        "account",
        &["rest", "gateway", "session", "proto", "policy"],
    ),
    (
        "supervisor",
        &["account", "rest", "gateway", "proto", "policy"],
    ),
    ("bot", &["account", "gateway", "proto"]),
    ("sandbox", &["proto", "policy"]),
    (
        "simulator",
        &[
            "account", "gateway", "session", "sandbox", "proto", "policy",
        ],
    ),
];

/// Rooms below the IO line, or files of others that must be as pure.
const PURE: &[&str] = &[
    "policy",
    "proto",
    "session",
    "config",
    "simulator",
    "sandbox/state",
    "sandbox/seed",
    "account/core.rs",
    "account/course.rs",
    "account/effect.rs",
    "account/recovery.rs",
    "account/status.rs",
    "account/typing.rs",
    "account/decide.rs",
    "account/outbox.rs",
    "account/cause.rs",
    "account/credential.rs",
    "gateway/frame.rs",
];

/// What a pure file must not name.
const IMPURE: &[&str] = &[
    "actix",
    "tokio::",
    "awc::",
    "Instant::now",
    "SystemTime",
    "println!",
    "eprintln!",
    "std::net::Tcp",
    "std::fs",
    "std::thread",
    "fastrand::u",
    "fastrand::f",
];

fn sources(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_file() {
        found.push(path.to_owned());
        return;
    }
    for entry in fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() || path.extension().is_some_and(|extension| extension == "rs") {
            sources(&path, found);
        }
    }
}

/// The code of a file without comments and without the tests at its end.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let text = text
        .split("\n#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or_default();
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn files(room: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    sources(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(room),
        &mut found,
    );
    found.retain(|path| {
        !path.ends_with("tests.rs") && !path.components().any(|part| part.as_os_str() == "tests")
    });
    assert!(!found.is_empty(), "no files in {room}");
    found
}

/// Rooms named in a text, as `crate::room` or within `use crate::{…}`.
fn named(text: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for rest in text.split("crate::").skip(1) {
        let names: Vec<&str> = match rest.strip_prefix('{') {
            Some(group) => top_level(group),
            None => vec![rest],
        };
        for name in names.into_iter().filter(|name| !name.is_empty()) {
            let end = name
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(name.len());
            rooms.push(name[..end].to_owned());
        }
    }
    rooms
}

/// The items of a brace group, not those of groups inside it.
fn top_level(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut items) = (0, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                items.push(group[start..at].trim());
                return items;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                items.push(group[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    items
}

#[test]
fn no_layer_looks_up() {
    let rooms: Vec<&str> = MAY_NAME
        .iter()
        .map(|(room, _)| *room)
        .chain(["app", "cli"])
        .collect();
    let mut wrong = Vec::new();
    for (room, allowed) in MAY_NAME {
        for path in files(room) {
            for name in named(&code(&path)) {
                let is_room = rooms.contains(&name.as_str());
                if is_room && name != *room && !allowed.contains(&name.as_str()) {
                    wrong.push(format!("{} names {name}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_is_pure_stays_pure() {
    let mut wrong = Vec::new();
    for room in PURE {
        for path in files(room) {
            let code = code(&path);
            for word in IMPURE.iter().filter(|word| code.contains(**word)) {
                wrong.push(format!("{} names {word}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_check_itself_sees_groups_and_paths() {
    let text = "use crate::{\n  proto::{id::UserId, code},\n  gateway::now,\n};\nfn f() { crate::bot::x() }";
    assert_eq!(named(text), ["proto", "gateway", "bot"]);
}
