//! Sources that give, fail, hang and lie.

use super::*;
use crate::proto::id::SdkAppId;
use secrecy::SecretString;
use std::net::SocketAddr;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinHandle;

/// For what is to succeed: only decides how long a failure takes to show.
const PATIENT: Duration = Duration::from_secs(60);
/// For what hangs.
const SHORT: Duration = Duration::from_millis(100);

fn user(text: &str) -> UserId {
    UserId::parse(text).unwrap()
}

fn sig_of(name: &str) -> String {
    let key = SecretString::from("key");
    let sig = usersig::sign(app(), &key, &user(name), 1_700_000_000, 1000);
    sig.expose().to_owned()
}

fn app() -> SdkAppId {
    SdkAppId::new(1_400_000_001).unwrap()
}

async fn ask(source: External, name: &str) -> Result<String, String> {
    match fetch(Arc::new(source), app(), user(name)).await {
        Ok(sig) => Ok(sig.expose().to_owned()),
        Err(error) => {
            assert!(error.is_passing());
            let text = error.to_string();
            // Short words may begin like one: folders with names made of chance do.
            let mut words = text.split(|c: char| !c.is_alphanumeric());
            let shown = words.any(|word| word.len() > 12 && word.starts_with("eJ"));
            assert!(!shown, "a UserSig is shown: {text}");
            Err(text)
        }
    }
}

#[track_caller]
fn says(outcome: &Result<String, String>, fragments: &[&str]) {
    let said = outcome.as_ref().unwrap_err();
    for fragment in fragments {
        assert!(said.contains(fragment), "expected {fragment:?} in {said:?}");
    }
}

#[test]
fn answers_are_text_or_json() {
    let sig = sig_of("bot");
    let other = sig_of("other");
    for good in [
        sig.clone(),
        format!("  {sig}\r\n"),
        format!(r#"{{"userSig": "{sig}", "expire": 1}}"#),
        format!("\n{{\"user_sig\": \" {sig}\\n\"}}"),
        format!(r#"{{"usersig": "{sig}"}}"#),
    ] {
        let taken = take(good.as_bytes(), app(), &user("bot")).unwrap();
        assert_eq!(taken.expose(), sig, "{good}");
    }
    for (bad, expected) in [
        (String::new(), "it is empty"),
        (" \n".to_owned(), "it is empty"),
        (r#"{"userSig": ""}"#.to_owned(), "it is empty"),
        (format!(r#"{{"sig": "{sig}"}}"#), "no text field userSig"),
        (r#"{"userSig": 1}"#.to_owned(), "no text field userSig"),
        (format!(r#"{{"userSig": "{sig}"#), "not JSON"),
        (sig.get(..40).unwrap().to_owned(), "not a UserSig"),
        ("<html>".to_owned(), "not a UserSig"),
        (other, "of another account"),
    ] {
        let said = take(bad.as_bytes(), app(), &user("bot")).unwrap_err();
        assert!(said.contains(expected), "{bad}: {said}");
        assert!(!said.contains("eJ"), "{said}");
    }
    assert!(take(b"\xff\xfe", app(), &user("bot")).is_err());
    let elsewhere = SdkAppId::new(1_400_000_002).unwrap();
    let said = take(sig.as_bytes(), elsewhere, &user("bot")).unwrap_err();
    assert!(said.contains("of another app"), "{said}");
}

#[test]
fn a_user_id_is_put_in_as_each_source_needs_it() {
    let http = |url: &str, body: &str| External::Http {
        url: url.to_owned(),
        body: Some(Redacted(body.to_owned())),
        headers: Vec::new(),
        timeout: SHORT,
    };
    for (source, expected) in [
        (
            External::File("d/{user_id}/{user_id}.sig".into()),
            External::File("d/a_\"ü-1/a_\"ü-1.sig".into()),
        ),
        (
            External::Env("SIG_{sdk_app_id}_{user_id}".to_owned()),
            External::Env("SIG_1400000001_A____1".to_owned()),
        ),
        (
            http(
                "http://h/{user_id}?u={user_id}&a={sdk_app_id}",
                r#"{"u":"{user_id}","a":{sdk_app_id}}"#,
            ),
            http(
                "http://h/a%2F%22%C3%BC-1?u=a%2F%22%C3%BC-1&a=1400000001",
                r#"{"u":"a/\"ü-1","a":1400000001}"#,
            ),
        ),
        (
            http("http://h", "u={user_id}"),
            http("http://h", "u=a%2F%22%C3%BC-1"),
        ),
    ] {
        // Its own equality, because what is shown leaves out what matters here.
        assert!(
            for_account(&source, app(), &user("a/\"ü-1")) == expected,
            "{expected:?}"
        );
    }
}

#[actix_rt::test]
async fn files() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| External::File(folder.path().join(name));
    std::fs::write(folder.path().join("bot.sig"), sig_of("bot") + "\n").unwrap();
    let found = ask(file("{user_id}.sig"), "bot").await;
    assert_eq!(found, Ok(sig_of("bot")));
    // Read anew each time.
    std::fs::write(folder.path().join("bot.sig"), "").unwrap();
    let emptied = ask(file("{user_id}.sig"), "bot").await;
    says(&emptied, &["no UserSig from file ", "bot.sig: it is empty"]);
    let absent = ask(file("{user_id}.sig"), "other").await;
    says(&absent, &["other.sig: No such file"]);
    says(&ask(file("."), "bot").await, &["not a regular file"]);
    let large = "e".repeat(MAX_ANSWER + 1);
    std::fs::write(folder.path().join("large"), large).unwrap();
    says(&ask(file("large"), "bot").await, &["more than 64 KiB"]);
}

#[actix_rt::test]
async fn variables() {
    // One that cargo sets, since no test may change the environment of another.
    let found = ask(External::Env("CARGO_{user_id}".to_owned()), "pkg-name").await;
    says(&found, &["CARGO_PKG_NAME: what it gave is not a UserSig"]);
    let unset = ask(External::Env("BOTROUPE_NO_{user_id}".to_owned()), "a-b").await;
    says(
        &unset,
        &["environment variable BOTROUPE_NO_A_B: it is not set"],
    );
    for name in ["", "a=b", "a\0b"] {
        let outcome = ask(External::Env(name.to_owned()), "bot").await;
        says(&outcome, &["no variable can have that name"]);
    }
}

fn shell(script: &str, timeout: Duration) -> External {
    External::Command {
        program: "sh".to_owned(),
        args: ["-c", script, "sign", USER_ID].map(str::to_owned).into(),
        timeout,
    }
}

#[actix_rt::test]
async fn commands() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bot"), sig_of("bot")).unwrap();
    let sig = sig_of("bot");
    let from_folder = format!("cat '{}'/$1", folder.path().display());
    let found = ask(shell(&from_folder, PATIENT), "bot").await;
    assert_eq!(found, Ok(sig.clone()));
    for (script, expected) in [
        (
            format!("echo {sig}; echo first >&2; echo 'no key' >&2; echo >&2; exit 3"),
            "command sh: it ended with exit status: 3: no key",
        ),
        (
            format!("echo {sig}; exit 4"),
            "it ended with exit status: 4",
        ),
        (format!("echo key {sig} >&2; exit 1"), "status: 1: key …"),
        ("kill -9 $$".to_owned(), "it ended with signal: 9"),
        (String::new(), "it is empty"),
        ("yes".to_owned(), "it gave more than 64 KiB"),
        (
            // More complaints than a pipe holds: they must not stop it.
            "yes 2>&1 | head -c 300000 >&2; exit 5".to_owned(),
            "exit status: 5: y",
        ),
    ] {
        let outcome = ask(shell(&script, PATIENT), "bot").await;
        says(&outcome, &[expected]);
    }
    // A terminal that waits for ever for somebody to type is not there.
    let reads = ask(shell("read line; exit 6", PATIENT), "bot").await;
    says(&reads, &["exit status: 6"]);
    let hangs = ask(shell("exec sleep 600", SHORT), "bot").await;
    says(&hangs, &["command sh: nothing within 100ms"]);
    let absent = External::Command {
        program: "/nowhere/at-all".to_owned(),
        args: Vec::new(),
        timeout: PATIENT,
    };
    let outcome = ask(absent, "bot").await;
    says(&outcome, &["command /nowhere/at-all: it does not start: "]);
}

#[cfg(unix)]
#[actix_rt::test]
async fn what_a_command_started_ends_when_it_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let alive = folder.path().join("alive");
    let made = std::process::Command::new("mkfifo").arg(&alive).status();
    assert!(made.unwrap().success());
    let script = format!("exec 9>{}; sleep 600 & wait", alive.display());
    let opened = tokio::task::spawn_blocking(move || std::fs::File::open(alive).unwrap());
    let mut opened = tokio::select! {
        outcome = ask(shell(&script, PATIENT), "bot") => panic!("{outcome:?}"),
        opened = opened => opened.unwrap(),
    };
    // Its child has the pipe open for as long as it lives.
    let ended = tokio::task::spawn_blocking(move || {
        let mut rest = Vec::new();
        std::io::Read::read_to_end(&mut opened, &mut rest)
    });
    assert_eq!(ended.await.unwrap().unwrap(), 0);
}

/// Reads a request with its body.
async fn heard(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| {
                    line.to_lowercase()
                        .strip_prefix("content-length: ")?
                        .parse()
                        .ok()
                })
                .unwrap_or(0);
            if body.len() >= length {
                return text;
            }
        }
        if stream.read_buf(&mut bytes).await.unwrap() == 0 {
            return text;
        }
    }
}

/// What a connection gets that is reset instead of being closed.
const RESET: &str = "reset";

/// Serves one connection for each of `answers`: `None` hangs up without one, an empty one is
/// never finished. Returns what was asked.
async fn serve(answers: Vec<Option<String>>) -> (SocketAddr, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let served = actix_rt::spawn(async move {
        let (mut asked, mut open) = (Vec::new(), Vec::new());
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            asked.push(heard(&mut stream).await);
            match answer {
                Some(answer) if answer.is_empty() => open.push(stream),
                Some(answer) if answer == RESET => stream.set_zero_linger().unwrap(),
                Some(answer) => {
                    let _ = stream.write_all(answer.as_bytes()).await;
                }
                None => {}
            }
        }
        if !open.is_empty() {
            std::future::pending::<()>().await;
        }
        asked
    });
    (address, served)
}

fn answer(status: &str, body: &str) -> Option<String> {
    Some(format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    ))
}

fn get(address: SocketAddr, timeout: Duration) -> External {
    External::Http {
        url: format!("http://{address}/sig/{{user_id}}?key=s3cret"),
        body: None,
        headers: vec![("Authorization".to_owned(), Redacted("s3cret".to_owned()))],
        timeout,
    }
}

#[actix_rt::test]
async fn http_answers() {
    let sig = sig_of("a/b");
    let json = format!(r#"{{"userSig": "{sig}"}}"#);
    for good in [answer("200 OK", &sig), answer("201 Created", &json)] {
        let (address, served) = serve(vec![good]).await;
        assert_eq!(ask(get(address, PATIENT), "a/b").await, Ok(sig.clone()));
        let asked = served.await.unwrap().concat();
        assert!(
            asked.starts_with("GET /sig/a%2Fb?key=s3cret HTTP/1.1"),
            "{asked}"
        );
        assert!(
            asked
                .to_lowercase()
                .contains("\r\nauthorization: s3cret\r\n"),
            "{asked}"
        );
    }
    let elsewhere = "HTTP/1.1 302 Found\r\nLocation: /sig\r\nContent-Length: 0\r\n\r\n";
    let endless = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{}",
        MAX_ANSWER + 1,
        "e".repeat(MAX_ANSWER + 1)
    );
    let cut_off = format!("HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{sig}");
    for (bad, expected) in [
        (answer("500 Internal Server Error", &sig), "status 500"),
        (answer("404 Not Found", ""), "status 404"),
        (Some(elsewhere.to_owned()), "status 302"),
        (answer("200 OK", ""), "it is empty"),
        (Some(endless), "more than 64 KiB"),
        (Some(cut_off), "broke off"),
        (Some("SSH-2.0\r\n\r\n".to_owned()), "the answer is not HTTP"),
    ] {
        let (address, served) = serve(vec![bad]).await;
        let outcome = ask(get(address, PATIENT), "a/b").await;
        let named = format!("HTTP http://{address}/sig/a%2Fb: ");
        says(&outcome, &[&named, expected]);
        assert!(!outcome.unwrap_err().contains("s3cret"));
        assert_eq!(
            served.await.unwrap().len(),
            1,
            "only a lost connection is tried again"
        );
    }
}

#[actix_rt::test]
async fn http_posts_a_body() {
    let (address, served) = serve(vec![answer("200 OK", &sig_of("bot"))]).await;
    let source = External::Http {
        url: format!("http://{address}/"),
        body: Some(Redacted(r#"{"user": "{user_id}"}"#.to_owned())),
        headers: Vec::new(),
        timeout: PATIENT,
    };
    assert_eq!(ask(source, "bot").await, Ok(sig_of("bot")));
    let asked = served.await.unwrap().concat();
    assert!(asked.starts_with("POST / HTTP/1.1"), "{asked}");
    assert!(asked.ends_with(r#"{"user": "bot"}"#), "{asked}");
    assert!(
        asked
            .to_lowercase()
            .contains("content-type: application/json"),
        "{asked}"
    );
}

#[actix_rt::test]
async fn http_connections_that_fail() {
    let reset = || Some(RESET.to_owned());
    for (lost, named) in [
        (None, "the connection was closed before an answer"),
        (reset(), "the connection broke: "),
    ] {
        let (address, served) = serve(vec![lost.clone(), answer("200 OK", &sig_of("bot"))]).await;
        assert_eq!(ask(get(address, PATIENT), "bot").await, Ok(sig_of("bot")));
        assert_eq!(served.await.unwrap().len(), 2);
        let (address, served) = serve(vec![lost.clone(), lost]).await;
        says(&ask(get(address, PATIENT), "bot").await, &[named]);
        assert_eq!(served.await.unwrap().len(), 2);
    }
    // Bound and never listening: a listener that is closed lives on for a moment in programs that
    // other tests are just starting, and its port may be taken again.
    let deaf = TcpSocket::new_v4().unwrap();
    deaf.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let outcome = ask(get(deaf.local_addr().unwrap(), PATIENT), "bot").await;
    says(&outcome, &["no connection: "]);
    let (address, served) = serve(vec![Some(String::new())]).await;
    says(
        &ask(get(address, SHORT), "bot").await,
        &["nothing within 100ms"],
    );
    served.abort();
}
