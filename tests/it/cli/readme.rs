//! Runs the terminal sessions of the READMEs and of "Getting started".

use super::*;
use std::path::Path;

/// Returns the lines below the line `first` of a quoted session, up to the end of its block.
fn quoted(document: &str, first: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(document);
    let text = fs::read_to_string(path).unwrap();
    let at = text
        .find(&format!("```text\n{first}\n"))
        .unwrap_or_else(|| panic!("{document} does not quote {first:?}"));
    let block = text[at..].split("```").nth(1).unwrap();
    block.lines().skip(2).map(str::to_owned).collect()
}

/// Removes the parts of a line that differ between runs.
fn plain(line: &str, port: &str) -> String {
    let line = line.replace(port, "7080");
    match line.split_once(" online after ") {
        Some((accounts, _)) => format!("{accounts} online after 0.0 s"),
        None => line,
    }
}

async fn fault(port: &str, name: &str, body: &str) -> String {
    let url = format!("http://127.0.0.1:{port}/sandbox/{name}");
    let request = awc::Client::default().post(url);
    let request = request.insert_header(("Content-Type", "application/json"));
    let mut answer = request.send_body(body.to_owned()).await.unwrap();
    String::from_utf8(answer.body().await.unwrap().to_vec()).unwrap()
}

const DOCUMENTS: [&str; 3] = [
    "README.md",
    "README.zh-CN.md",
    "docs/src/getting-started.md",
];

#[actix_rt::test]
async fn the_first_sessions_of_the_documents_are_true() {
    let folder = tempfile::tempdir().unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("config.toml");
    fs::copy(shipped, folder.path().join("config.toml")).unwrap();
    let here = |args: &[&str]| {
        let mut command = botroupe();
        command.args(args).current_dir(folder.path());
        Running::of(command)
    };
    let mut run = here(&["run", "--set", "sandbox.listen=127.0.0.1:0"]);
    run.line("Ctrl-C stops");
    let port = run.seen[0].split(['(', ' ']).nth(3).unwrap();
    let port = port.rsplit_once(':').unwrap().1.to_owned();
    let mut said: Vec<String> = run.seen.iter().map(|line| plain(line, &port)).collect();
    said.sort();
    for document in DOCUMENTS {
        let mut expected = quoted(document, "$ cargo run");
        expected.sort();
        assert_eq!(said, expected, "{document}");
    }

    let set = format!("endpoint=ws://127.0.0.1:{port}");
    let mut chat = here(&["chat", "--as", "alice", "--to", "echo-bot", "--set", &set]);
    for line in ["hello", "你好"] {
        writeln!(chat.child.stdin.as_mut().unwrap(), "{line}").unwrap();
        chat.line(&format!("echo-bot: {line}"));
    }
    let (_, out, _) = chat.end();
    for document in DOCUMENTS {
        let first = "$ cargo run --quiet -- chat --as alice --to echo-bot";
        // The first line and the typed lines only appear on a terminal.
        let quoted = quoted(document, first);
        let answers = quoted.iter().filter(|line| line.starts_with("echo-bot: "));
        let answers: Vec<&str> = answers.map(String::as_str).collect();
        assert_eq!(out.lines().collect::<Vec<_>>(), answers, "{document}");
    }

    let answer = fault(&port, "drop_link", r#"{"user":"echo-bot"}"#).await;
    assert_eq!(answer, r#"{"ok":true}"#);
    let mut seen = vec![run.line("echo-bot offline"), run.line("echo-bot online")];
    fault(&port, "kick", r#"{"user":"counter-bot","type":3}"#).await;
    seen.push(run.line("counter-bot offline"));
    for document in DOCUMENTS {
        let quoted = quoted(document, "account echo-bot offline link_lost");
        let quoted = [
            vec!["account echo-bot offline link_lost".to_owned()],
            quoted,
        ]
        .concat();
        assert_eq!(seen, quoted[..3], "{document}");
    }
}
