//! What people have ordered of a process.

use super::*;

#[test]
fn every_order_is_written_down_and_one_changed_byte_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = fleet(&folder, "sandbox");
    let mut run = Running::start(&["run", "--config", &path]);
    run.line("4 of 4");
    for args in [
        &["hold", "support-01"][..],
        &["resume", "support-01"],
        &["reload"],
    ] {
        let done = output(&[args, &["--config", &path]].concat());
        assert_eq!(done.status.code(), Some(0));
    }
    let unknown = output(&["hold", "nobody", "--config", &path]);
    assert_eq!(unknown.status.code(), Some(1));
    let told = |args: &[&str]| {
        let output = output(&[args, &["--config", &path]].concat());
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (
            output.status.code(),
            text(output.stdout),
            text(output.stderr),
        )
    };
    // Beside the running process.
    let (code, verified, err) = told(&["audit", "verify"]);
    assert_eq!(code, Some(0), "{err}");
    assert!(verified.starts_with("5 entries, head "), "{verified}");
    let (_, entries, _) = told(&["audit", "export"]);
    let entries: Vec<serde_json::Value> = entries
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let what: Vec<&serde_json::Value> = entries.iter().map(|entry| &entry["what"]).collect();
    assert_eq!(what[0]["path"], "/api/v1/accounts/support%2D01/orders");
    assert_eq!(what[0]["body"]["order"], "hold");
    assert_eq!(what[2]["path"], "/api/v1/reload");
    assert_eq!(what[4]["refused"], 404);
    assert_eq!(entries[0]["who"], "the owner of the control socket");
    assert_eq!(entries[0]["from"], "control socket");
    run.signal("TERM");
    run.end();

    let store = folder.path().join("botroupe.db");
    let bytes = fs::read(&store).unwrap();
    let words = b"\"order\":\"resume\"";
    let at = bytes
        .windows(words.len())
        .position(|it| it == words)
        .unwrap();
    let mut changed = bytes.clone();
    changed[at + 9] = b'R';
    fs::write(&store, changed).unwrap();
    let (code, _, err) = told(&["audit", "verify"]);
    assert_eq!(code, Some(1));
    assert!(err.contains("audit: entry 2 was changed"), "{err}");
    fs::write(&store, bytes).unwrap();
    assert_eq!(told(&["audit", "verify"]).1, verified);
}
