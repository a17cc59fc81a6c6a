//! Fetches UserSigs and SecretKeys from outside: files, the environment, programs, HTTP services.
//!
//! [`Core`](super::Core) decides when. No error shows any part of what a source gave, because it may be most of
//! a UserSig.

mod program;

pub use program::end_programs;

use crate::gateway::{http_client, is_lost, without_url};
use crate::proto::id::{SdkAppId, UserId};
use crate::proto::usersig::{self, UserSig};
use awc::error::SendRequestError;
use awc::http::{Method, header};
use botroupe_core::account::{CredentialError, External, Redacted};
use futures_util::StreamExt;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::SecretString;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::Semaphore;

/// What is replaced by the account's UserID, and by the SDKAppID of its app.
const USER_ID: &str = "{user_id}";
const SDK_APP_ID: &str = "{sdk_app_id}";
/// Bytes taken from a source at most; a UserSig has some hundred characters.
const MAX_ANSWER: usize = 64 * 1024;
/// Bytes taken of a list of accounts at most; 100,000 with a few keys each have some ten MiB.
const MAX_ACCOUNTS: usize = 64 * 1024 * 1024;
/// How long a file may take: network file systems hang.
const FILE_LIMIT: Duration = Duration::from_secs(10);
/// Programs that run at once at most; a fleet that logs in together would start hundreds.
static PROGRAMS: Semaphore = Semaphore::const_new(32);
/// Bytes kept of the end of a program's standard error.
const MAX_COMPLAINT: usize = 4 * 1024;
/// Characters shown of its last line.
const SHOWN_COMPLAINT: usize = 200;

/// Fetches one UserSig for `user` of `app`. Waits on the runtime it is polled on and never blocks it.
///
/// # Errors
/// [`CredentialError::Source`] when there is none, with what to look at.
pub(super) async fn fetch(
    source: Arc<External>,
    app: SdkAppId,
    user: UserId,
) -> Result<UserSig, CredentialError> {
    let source = for_account(&source, app, &user);
    let fetched = bytes_of(&source).await;
    fetched
        .and_then(|bytes| take(&bytes, app, &user))
        .map_err(|reason| CredentialError::Source {
            from: source.to_string(),
            reason,
        })
}

/// Fetches a SecretKey: the text that the source gives, white space around it aside.
///
/// # Errors
/// What is wrong, without any part of the text.
pub(crate) async fn fetch_key(source: &External) -> Result<SecretString, String> {
    let bytes = bytes_of(source).await?;
    let text = str::from_utf8(&bytes).map_err(|_| "what it gave is not text".to_owned())?;
    match text.trim() {
        "" => Err("it is empty".to_owned()),
        key if key.contains(char::is_whitespace) => {
            Err("what it gave is not one word; a SecretKey is".to_owned())
        }
        key => Ok(SecretString::from(key)),
    }
}

/// Asks a program or a service which accounts there are.
///
/// # Errors
/// What is wrong, without any part of the answer.
pub(crate) async fn fetch_accounts(source: &External) -> Result<String, String> {
    let bytes = limited_bytes_of(source, MAX_ACCOUNTS).await?;
    String::from_utf8(bytes).map_err(|_| "what it gave is not text".to_owned())
}

async fn bytes_of(source: &External) -> Result<Vec<u8>, String> {
    limited_bytes_of(source, MAX_ANSWER).await
}

/// What a source gives, of at most `most` bytes.
async fn limited_bytes_of(source: &External, most: usize) -> Result<Vec<u8>, String> {
    match source {
        External::File(path) => read_file(path).await,
        External::Env(name) => read_variable(name),
        External::Command {
            program,
            args,
            timeout,
        } => {
            // Waiting for a turn is not the program's fault. It is never closed.
            let _turn = PROGRAMS.acquire().await;
            within(*timeout, program::run(program, args, most)).await
        }
        External::Http {
            url,
            body,
            headers,
            timeout,
        } => within(*timeout, request(url, body.as_ref(), headers, most)).await,
    }
}

/// The source with `{user_id}` and `{sdk_app_id}` replaced, as each kind needs it.
fn for_account(source: &External, app: SdkAppId, user: &UserId) -> External {
    let mut source = source.clone();
    let (app, user) = (app.get().to_string(), user.as_str());
    let with_app = |text: &str| text.replace(SDK_APP_ID, &app);
    match &mut source {
        External::File(path) => {
            if let Some(text) = path.to_str() {
                *path = with_app(text)
                    .replace(USER_ID, &user.replace('/', "_"))
                    .into();
            }
        }
        External::Env(name) => {
            let upper = |c: char| match c {
                c if c.is_ascii_alphanumeric() => c.to_ascii_uppercase(),
                _ => '_',
            };
            *name = with_app(name).replace(USER_ID, &user.chars().map(upper).collect::<String>());
        }
        External::Command { args, .. } => {
            for arg in args {
                *arg = with_app(arg).replace(USER_ID, user);
            }
        }
        External::Http { url, body, .. } => {
            *url = with_app(url).replace(USER_ID, &percent_encoded(user));
            if let Some(Redacted(body)) = body {
                let user = if is_json(body) {
                    json_escaped(user)
                } else {
                    percent_encoded(user)
                };
                *body = with_app(body).replace(USER_ID, &user);
            }
        }
    }
    source
}

/// Everything but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

fn percent_encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// Escapes a text for use between the quotes of a JSON string.
fn json_escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    let inner = quoted.strip_prefix('"').and_then(|q| q.strip_suffix('"'));
    inner.unwrap_or_default().to_owned()
}

fn is_json(body: &str) -> bool {
    body.trim_start().starts_with(['{', '['])
}

/// Reads a UserSig of `user` of `app` from what a source gave.
fn take(bytes: &[u8], app: SdkAppId, user: &UserId) -> Result<UserSig, String> {
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
    if claims.sdk_app_id != u64::from(app.get()) {
        return Err("what it gave is the UserSig of another app".to_owned());
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
        read_all(file, MAX_ANSWER).await
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

async fn read_all(source: impl AsyncRead + Unpin, most: usize) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let limit = most as u64 + 1;
    source
        .take(limit)
        .read_to_end(&mut bytes)
        .await
        .map_err(|error| error.to_string())?;
    if bytes.len() > most {
        return Err(too_much(most));
    }
    Ok(bytes)
}

fn too_much(most: usize) -> String {
    format!("it gave more than {} KiB", most / 1024)
}

async fn request(
    url: &str,
    body: Option<&Redacted>,
    headers: &[(String, Redacted)],
    most: usize,
) -> Result<Vec<u8>, String> {
    // A connection that was kept open may be dead by now, and a service may be restarting.
    match send(url, body, headers, most).await {
        Err(error) if is_lost(&error) => send(url, body, headers, most).await,
        outcome => outcome,
    }
    .map_err(|error| without_url(&error))?
}

/// One try: the outer error is that of the request, the inner that of the answer.
async fn send(
    url: &str,
    body: Option<&Redacted>,
    headers: &[(String, Redacted)],
    most: usize,
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
        if bytes.len() + chunk.len() > most {
            return Ok(Err(too_much(most)));
        }
        bytes.extend_from_slice(&chunk);
    }
    // awc takes the end of the connection for that of the answer.
    if length.is_some_and(|length| bytes.len() < length) {
        return broke_off();
    }
    Ok(Ok(bytes))
}

#[cfg(test)]
mod tests;
