//! Fetches UserSigs from outside: files, the environment, programs, HTTP services.
//!
//! *When* one is fetched is [`Core`](super::Core)'s decision. No error shows any part of what a
//! source gave: it may be a UserSig, or most of one.

use super::credential::{CredentialError, External, Redacted};
use crate::gateway::http_client;
use crate::proto::id::UserId;
use crate::proto::usersig::{self, UserSig};
use awc::error::SendRequestError;
use awc::http::{Method, header};
use futures_util::StreamExt;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::Semaphore;

/// What is replaced by the account's UserID.
const USER_ID: &str = "{user_id}";
/// The most that is taken from a source; a UserSig has some hundred characters.
const MAX_ANSWER: usize = 64 * 1024;
/// How long a file may take: network file systems hang.
const FILE_LIMIT: Duration = Duration::from_secs(10);
/// Programs that run at once in this process; a fleet that logs in together would start hundreds.
static PROGRAMS: Semaphore = Semaphore::const_new(32);
/// How much of a program's standard error is kept, its end.
const MAX_COMPLAINT: usize = 4 * 1024;
/// How much of its last line is shown, in characters.
const SHOWN_COMPLAINT: usize = 200;
/// Words of it that are longer are left out: they may be a UserSig or a key.
const MAX_WORD: usize = 64;

/// Fetches one UserSig for `user`. Waits on the runtime it is polled on and never blocks it.
///
/// # Errors
/// [`CredentialError::Source`] when there is none, with what to look at.
pub(super) async fn fetch(source: Arc<External>, user: UserId) -> Result<UserSig, CredentialError> {
    let source = for_user(&source, &user);
    let fetched = match &source {
        External::File(path) => read_file(path).await,
        External::Env(name) => read_variable(name),
        External::Command {
            program,
            args,
            timeout,
        } => {
            // Waiting for a turn is not the program's fault. It is never closed.
            let _turn = PROGRAMS.acquire().await;
            within(*timeout, run(program, args)).await
        }
        External::Http {
            url,
            body,
            headers,
            timeout,
        } => within(*timeout, request(url, body.as_ref(), headers)).await,
    };
    fetched
        .and_then(|bytes| take(&bytes, &user))
        .map_err(|reason| CredentialError::Source {
            from: source.to_string(),
            reason,
        })
}

/// The source with `{user_id}` replaced, as each kind needs it.
fn for_user(source: &External, user: &UserId) -> External {
    let mut source = source.clone();
    let user = user.as_str();
    match &mut source {
        External::File(path) => {
            if let Some(text) = path.to_str() {
                *path = text.replace(USER_ID, &user.replace('/', "_")).into();
            }
        }
        External::Env(name) => {
            let upper = |c: char| match c {
                c if c.is_ascii_alphanumeric() => c.to_ascii_uppercase(),
                _ => '_',
            };
            *name = name.replace(USER_ID, &user.chars().map(upper).collect::<String>());
        }
        External::Command { args, .. } => {
            for arg in args {
                *arg = arg.replace(USER_ID, user);
            }
        }
        External::Http { url, body, .. } => {
            *url = url.replace(USER_ID, &percent_encoded(user));
            if let Some(Redacted(body)) = body {
                let user = if is_json(body) {
                    json_escaped(user)
                } else {
                    percent_encoded(user)
                };
                *body = body.replace(USER_ID, &user);
            }
        }
    }
    source
}

fn percent_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// What stands between the quotes of a JSON text.
fn json_escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    let inner = quoted.strip_prefix('"').and_then(|q| q.strip_suffix('"'));
    inner.unwrap_or_default().to_owned()
}

fn is_json(body: &str) -> bool {
    body.trim_start().starts_with(['{', '['])
}

/// What a source gave, as a UserSig of `user`.
fn take(bytes: &[u8], user: &UserId) -> Result<UserSig, String> {
    let text = str::from_utf8(bytes).map_err(|_| "what it gave is not text".to_owned())?;
    let text = text.trim();
    let sig = if text.starts_with('{') {
        from_json(text)?
    } else {
        text.to_owned()
    };
    if sig.is_empty() {
        return Err("it is empty".to_owned());
    }
    // Half a file, an error page: asking again later helps, the server's refusal would not.
    let claims = usersig::inspect(&sig).map_err(|_| "what it gave is not a UserSig".to_owned())?;
    if claims.user_id != user.as_str() {
        return Err("what it gave is the UserSig of another account".to_owned());
    }
    Ok(UserSig::from(sig))
}

fn from_json(text: &str) -> Result<String, String> {
    // serde_json's own words would quote the text.
    let object: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(text).map_err(|_| "what it gave is not JSON".to_owned())?;
    ["userSig", "user_sig", "usersig"]
        .into_iter()
        .find_map(|field| object.get(field)?.as_str())
        .map(|sig| sig.trim().to_owned())
        .ok_or_else(|| "its JSON has no text field userSig, user_sig or usersig".to_owned())
}

async fn within(
    limit: Duration,
    fetching: impl Future<Output = Result<Vec<u8>, String>>,
) -> Result<Vec<u8>, String> {
    tokio::time::timeout(limit, fetching)
        .await
        .unwrap_or_else(|_| Err(format!("nothing within {limit:?}")))
}

async fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    within(FILE_LIMIT, async {
        let said = |error: std::io::Error| error.to_string();
        // Opening a pipe would wait for its writer, on a thread that nothing could get back.
        let about = tokio::fs::metadata(path).await.map_err(said)?;
        if !about.is_file() {
            return Err("it is not a regular file".to_owned());
        }
        let file = tokio::fs::File::open(path).await.map_err(said)?;
        read_all(file).await
    })
    .await
}

fn read_variable(name: &str) -> Result<Vec<u8>, String> {
    // `var_os` panics on no name, only on one no variable can have.
    if name.is_empty() || name.contains(['=', '\0']) {
        return Err("no variable can have that name".to_owned());
    }
    match std::env::var_os(name) {
        Some(value) => Ok(value.into_encoded_bytes()),
        None => Err("it is not set".to_owned()),
    }
}

async fn read_all(source: impl AsyncRead + Unpin) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let limit = MAX_ANSWER as u64 + 1;
    source
        .take(limit)
        .read_to_end(&mut bytes)
        .await
        .map_err(|error| error.to_string())?;
    if bytes.len() > MAX_ANSWER {
        return Err(too_much());
    }
    Ok(bytes)
}

fn too_much() -> String {
    format!("it gave more than {} KiB", MAX_ANSWER / 1024)
}

async fn run(program: &str, args: &[String]) -> Result<Vec<u8>, String> {
    let mut child = tokio::process::Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // However this ends: by an error, at the deadline, with the account.
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("it does not start: {error}"))?;
    let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err("it has no output".to_owned());
    };
    let complaint = async { Ok(last_line(stderr).await) };
    let (answer, complaint) = tokio::try_join!(read_all(stdout), complaint)?;
    let status = child.wait().await.map_err(|error| error.to_string())?;
    if status.success() {
        return Ok(answer);
    }
    match complaint {
        Some(line) => Err(format!("it ended with {status}: {line}")),
        None => Err(format!("it ended with {status}")),
    }
}

/// Reads to the end and keeps the last line that says something, fit to be shown.
async fn last_line(mut source: impl AsyncRead + Unpin) -> Option<String> {
    let mut kept: Vec<u8> = Vec::new();
    let mut chunk = [0; 1024];
    while let Ok(count @ 1..) = source.read(&mut chunk).await {
        kept.extend(chunk.iter().take(count));
        let surplus = kept.len().saturating_sub(MAX_COMPLAINT);
        kept.drain(..surplus);
    }
    let text = String::from_utf8_lossy(&kept);
    let line = text.lines().rev().find(|line| !line.trim().is_empty())?;
    let words: Vec<&str> = line
        .split_whitespace()
        .map(|word| if word.len() > MAX_WORD { "…" } else { word })
        .collect();
    let shown = words.join(" ");
    Some(
        shown
            .chars()
            .filter(|c| !c.is_control())
            .take(SHOWN_COMPLAINT)
            .collect(),
    )
}

async fn request(
    url: &str,
    body: Option<&Redacted>,
    headers: &[(String, Redacted)],
) -> Result<Vec<u8>, String> {
    // A connection that was kept open may be dead by now, and a service may be restarting.
    match send(url, body, headers).await {
        Err(SendRequestError::Connect(_) | SendRequestError::Send(_)) => {
            send(url, body, headers).await
        }
        outcome => outcome,
    }
    .map_err(|error| explain(&error))?
}

/// One try: the outer error is that of the request, the inner that of the answer.
async fn send(
    url: &str,
    body: Option<&Redacted>,
    headers: &[(String, Redacted)],
) -> Result<Result<Vec<u8>, String>, SendRequestError> {
    let method = if body.is_some() {
        Method::POST
    } else {
        Method::GET
    };
    let mut request = http_client().request(method, url);
    if let Some(Redacted(body)) = body {
        let content = if is_json(body) {
            "application/json"
        } else {
            "application/x-www-form-urlencoded"
        };
        request = request.insert_header((header::CONTENT_TYPE, content));
    }
    for (name, Redacted(value)) in headers {
        request = request.insert_header((name.as_str(), value.as_str()));
    }
    let mut answer = match body {
        Some(Redacted(body)) => request.send_body(body.clone()).await?,
        None => request.send().await?,
    };
    if !answer.status().is_success() {
        return Ok(Err(format!("status {}", answer.status())));
    }
    let length = answer.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    let broke_off = || Ok(Err("the answer broke off".to_owned()));
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.next().await {
        let Ok(chunk) = chunk else {
            return broke_off();
        };
        if bytes.len() + chunk.len() > MAX_ANSWER {
            return Ok(Err(too_much()));
        }
        bytes.extend_from_slice(&chunk);
    }
    // awc takes the end of the connection for that of the answer.
    if length.is_some_and(|length| bytes.len() < length) {
        return broke_off();
    }
    Ok(Ok(bytes))
}

/// In words that hold neither the URL nor a header field.
fn explain(error: &SendRequestError) -> String {
    match error {
        SendRequestError::Connect(error) => format!("no connection: {error}"),
        SendRequestError::Send(error) => format!("the connection broke: {error}"),
        SendRequestError::Response(_) => "the answer is not HTTP".to_owned(),
        SendRequestError::Url(_) => "the URL cannot be used".to_owned(),
        SendRequestError::Http(_) => "a header field cannot be used".to_owned(),
        _ => "the request failed".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::id::SdkAppId;
    use secrecy::SecretString;
    use std::net::SocketAddr;
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;
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
        let app = SdkAppId::new(1_400_000_001).unwrap();
        let sig = usersig::sign(app, &key, &user(name), 1_700_000_000, 1000);
        sig.expose().to_owned()
    }

    async fn ask(source: External, name: &str) -> Result<String, String> {
        match fetch(Arc::new(source), user(name)).await {
            Ok(sig) => Ok(sig.expose().to_owned()),
            Err(error) => {
                assert!(error.is_passing());
                let text = error.to_string();
                assert!(!text.contains("eJ"), "a UserSig is shown: {text}");
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
            let taken = take(good.as_bytes(), &user("bot")).unwrap();
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
            let said = take(bad.as_bytes(), &user("bot")).unwrap_err();
            assert!(said.contains(expected), "{bad}: {said}");
            assert!(!said.contains("eJ"), "{said}");
        }
        assert!(take(b"\xff\xfe", &user("bot")).is_err());
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
                External::Env("SIG_{user_id}".to_owned()),
                External::Env("SIG_A____1".to_owned()),
            ),
            (
                http("http://h/{user_id}?u={user_id}", r#"{"u":"{user_id}"}"#),
                http(
                    "http://h/a%2F%22%C3%BC-1?u=a%2F%22%C3%BC-1",
                    r#"{"u":"a/\"ü-1"}"#,
                ),
            ),
            (
                http("http://h", "u={user_id}"),
                http("http://h", "u=a%2F%22%C3%BC-1"),
            ),
        ] {
            // Its own equality, because what is shown leaves out what matters here.
            assert!(
                for_user(&source, &user("a/\"ü-1")) == expected,
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
        let (address, served) = serve(vec![None, answer("200 OK", &sig_of("bot"))]).await;
        assert_eq!(ask(get(address, PATIENT), "bot").await, Ok(sig_of("bot")));
        assert_eq!(served.await.unwrap().len(), 2);
        let (address, served) = serve(vec![None, None]).await;
        assert!(ask(get(address, PATIENT), "bot").await.is_err());
        assert_eq!(served.await.unwrap().len(), 2);
        // The listener is gone by now.
        says(
            &ask(get(address, PATIENT), "bot").await,
            &["no connection: "],
        );
        let (address, served) = serve(vec![Some(String::new())]).await;
        says(
            &ask(get(address, SHORT), "bot").await,
            &["nothing within 100ms"],
        );
        served.abort();
    }
}
