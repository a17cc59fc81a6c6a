//! The upgrade of a stream to a WebSocket, as one request and one answer, and what the answer tells besides: the
//! server's time, and how long to stay away.

use super::stream::Stream;
use actix_http::ws::hash_key;
use awc::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Poll, ready};
use std::time::{Duration, UNIX_EPOCH};
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use url::{Position, Url};

/// Longest `Retry-After` that is honoured: after an hour a server is asked again.
const LONGEST: Duration = Duration::from_secs(3600);
/// Bytes of an answer's head at most.
const MAX_HEAD: usize = 16 << 10;
/// Header fields of an answer at most.
const MAX_FIELDS: usize = 64;

thread_local! {
    /// Every answer of a thread is read through the same buffer; only one that came in pieces is kept.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; 4 << 10].into_boxed_slice());
}

/// What the server said to the upgrade.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Upgraded {
    /// Bytes that came right behind the answer.
    pub(super) early: Vec<u8>,
    /// The server's time.
    pub(super) server_time: Option<Duration>,
}

/// Why a stream is no WebSocket.
#[derive(Debug, thiserror::Error)]
pub(super) enum UpgradeError {
    /// The stream broke.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The server has no room for us now (429, 503).
    #[error("status {status}")]
    Busy {
        status: u16,
        retry_after: Option<Duration>,
    },
    /// The answer is none to this request.
    #[error("{0}")]
    Refused(String),
}

/// Asks for a WebSocket at the path of `url`.
pub(super) async fn upgrade(stream: &mut Stream, url: &Url) -> Result<Upgraded, UpgradeError> {
    let key = Key::draw();
    let request = request(url, &key);
    stream.write_all(request.as_bytes()).await?;
    drop(request);
    stream.flush().await?;
    let mut before = Vec::new();
    loop {
        let step = poll_fn(|cx| {
            SCRATCH.with_borrow_mut(|scratch| {
                let mut buffer = ReadBuf::new(scratch);
                ready!(Pin::new(&mut *stream).poll_read(cx, &mut buffer))?;
                Poll::Ready(take(&mut before, buffer.filled(), &key))
            })
        });
        if let Some(upgraded) = step.await? {
            return Ok(upgraded);
        }
    }
}

/// The key of a request, as it is written.
struct Key([u8; 24]);

impl Key {
    fn draw() -> Self {
        let mut text = [0; 24];
        let drawn = fastrand::u128(..).to_ne_bytes();
        // 16 bytes are 24 characters.
        let _ = STANDARD.encode_slice(drawn, &mut text);
        Self(text)
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

fn request(url: &Url, key: &Key) -> String {
    let path = &url[Position::BeforePath..Position::AfterQuery];
    let host = &url[Position::BeforeHost..Position::AfterPort];
    let key = key.text();
    format!(
        "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: {key}\r\n\r\n"
    )
}

/// Takes the next bytes of an answer; `None` while its head is not complete.
fn take(before: &mut Vec<u8>, bytes: &[u8], key: &Key) -> Result<Option<Upgraded>, UpgradeError> {
    if bytes.is_empty() {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    if before.is_empty() && ends_within(bytes, 0) {
        // Nearly every answer is one segment.
        if let Some(upgraded) = read(bytes, key)? {
            return Ok(Some(upgraded));
        }
    }
    let old = before.len();
    before.extend_from_slice(bytes);
    // Only a new line that ends the head is worth reading it: the head may come byte by byte.
    if ends_within(before, old)
        && let Some(upgraded) = read(before, key)?
    {
        return Ok(Some(upgraded));
    }
    if before.len() > MAX_HEAD {
        let reason = "the head of its answer has no end".to_owned();
        return Err(UpgradeError::Refused(reason));
    }
    Ok(None)
}

/// Whether an empty line ends behind the first `old` bytes.
fn ends_within(bytes: &[u8], old: usize) -> bool {
    let from = old.saturating_sub(3);
    bytes[from..]
        .windows(2)
        .enumerate()
        .any(|(at, pair)| match pair {
            b"\n\n" => true,
            b"\n\r" => bytes.get(from + at + 2) == Some(&b'\n'),
            _ => false,
        })
}

fn read(bytes: &[u8], key: &Key) -> Result<Option<Upgraded>, UpgradeError> {
    let refused = |reason: String| UpgradeError::Refused(reason);
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut answer = httparse::Response::new(&mut fields);
    let head = match answer.parse(bytes) {
        Ok(httparse::Status::Complete(head)) if head <= MAX_HEAD => head,
        Ok(httparse::Status::Complete(_)) => {
            return Err(refused("the head of its answer is too long".to_owned()));
        }
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(refused(format!("the answer is not HTTP: {error}"))),
    };
    let status = answer.code.unwrap_or_default();
    let fields = Fields(answer.headers);
    match status {
        101 => {}
        429 | 503 => {
            return Err(UpgradeError::Busy {
                status,
                retry_after: fields.retry_after(),
            });
        }
        _ => {
            let shown = StatusCode::from_u16(status).map_or(status.to_string(), |s| s.to_string());
            return Err(refused(format!("status {shown}")));
        }
    }
    fields
        .check(key)
        .map_err(|wrong| refused(wrong.to_owned()))?;
    Ok(Some(Upgraded {
        early: bytes[head..].to_vec(),
        server_time: fields.date(),
    }))
}

/// The header fields of an answer.
struct Fields<'a>(&'a [httparse::Header<'a>]);

impl<'a> Fields<'a> {
    fn all(&self, name: &str) -> impl Iterator<Item = &'a str> {
        let fields = self
            .0
            .iter()
            .filter(move |field| field.name.eq_ignore_ascii_case(name));
        fields.filter_map(|field| std::str::from_utf8(field.value).ok())
    }

    fn first(&self, name: &str) -> Option<&'a str> {
        self.all(name).next().map(str::trim)
    }

    /// Whether the list that a field holds has this word.
    fn lists(&self, name: &str, word: &str) -> bool {
        self.all(name)
            .flat_map(|list| list.split(','))
            .any(|item| item.trim().eq_ignore_ascii_case(word))
    }

    /// Whether this is the answer to a request with that key.
    fn check(&self, key: &Key) -> Result<(), &'static str> {
        if !self.lists("upgrade", "websocket") {
            return Err("its answer does not upgrade to a WebSocket");
        }
        if !self.lists("connection", "upgrade") || self.lists("connection", "close") {
            return Err("its answer does not upgrade the connection");
        }
        match self.first("sec-websocket-accept") {
            None => Err("its answer accepts no key"),
            Some(accept) if accept.as_bytes() == hash_key(&key.0) => Ok(()),
            Some(_) => Err("its answer accepts another key"),
        }
    }

    /// `Retry-After`, in seconds or as a date, which is measured against the server's own.
    fn retry_after(&self) -> Option<Duration> {
        let text = self.first("retry-after")?;
        let wait = match text.parse() {
            Ok(seconds) => Duration::from_secs(seconds),
            Err(_) => {
                let at = httpdate::parse_http_date(text).ok()?;
                at.duration_since(UNIX_EPOCH)
                    .ok()?
                    .saturating_sub(self.date()?)
            }
        };
        Some(wait.min(LONGEST))
    }

    /// The server's time, as it told it.
    fn date(&self) -> Option<Duration> {
        let at = httpdate::parse_http_date(self.first("date")?).ok()?;
        at.duration_since(UNIX_EPOCH).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key = Key(*b"dGhlIHNhbXBsZSBub25jZQ==");
    const GOOD: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\n\
                        Connection: keep-alive, Upgrade\r\nSec-WebSocket-Accept: ACCEPT\r\n\r\n";

    fn good() -> String {
        GOOD.replace("ACCEPT", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    }

    /// Feeds the pieces until the answer is complete.
    fn fed<'a>(
        pieces: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Option<Upgraded>, UpgradeError> {
        let mut before = Vec::new();
        for piece in pieces {
            if let Some(upgraded) = take(&mut before, piece, &KEY)? {
                return Ok(Some(upgraded));
            }
        }
        Ok(None)
    }

    fn refusal(answer: &str) -> String {
        match fed([answer.as_bytes()]) {
            Err(UpgradeError::Refused(reason)) => reason,
            other => panic!("{answer:?}: {other:?}"),
        }
    }

    #[test]
    fn the_request_names_host_path_and_key() {
        for (url, path, host) in [
            ("ws://h.example", "/", "h.example"),
            ("ws://h.example:80/a?b=c#d", "/a?b=c", "h.example"),
            ("wss://h.example:8443/?x", "/?x", "h.example:8443"),
            ("ws://[::1]:7080/info", "/info", "[::1]:7080"),
        ] {
            let text = request(&Url::parse(url).unwrap(), &KEY);
            assert!(text.starts_with(&format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n")));
            assert!(text.ends_with("sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"));
        }
        let (one, other) = (Key::draw(), Key::draw());
        assert_ne!(one.text(), other.text());
        assert_eq!(STANDARD.decode(one.text()).unwrap().len(), 16);
    }

    #[test]
    fn an_answer_may_come_in_any_pieces_and_what_follows_is_kept() {
        let whole = [good().as_bytes(), b"\x82\x01x"].concat();
        for cut in 1..whole.len() {
            let (a, b) = whole.split_at(cut);
            let upgraded = fed([a, b]).unwrap().unwrap();
            let early = if cut < good().len() {
                3
            } else {
                cut - good().len()
            };
            assert_eq!(upgraded.early.len(), early, "cut at {cut}");
        }
        let upgraded = fed(whole.chunks(1)).unwrap().unwrap();
        assert!(upgraded.early.is_empty());
    }

    #[test]
    fn an_answer_that_is_none_is_refused() {
        let accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
        for (answer, reason) in [
            (
                good().replace(accept, "c3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
                "another key",
            ),
            (good().replace(accept, ""), "another key"),
            (
                good().replace("Sec-WebSocket-Accept", "X"),
                "accepts no key",
            ),
            (
                good().replace("Upgrade: WebSocket", "Upgrade: h2c"),
                "upgrade to a WebSocket",
            ),
            (
                good().replace("keep-alive, Upgrade", "keep-alive"),
                "upgrade the connection",
            ),
            (
                good().replace("keep-alive", "close"),
                "upgrade the connection",
            ),
            (
                good().replace("101 Switching Protocols", "200 OK"),
                "status 200 OK",
            ),
            (good().replace("HTTP/1.1", "SMTP/1.1"), "not HTTP"),
            ("\0\0\n\n".to_owned(), "not HTTP"),
            ("HTTP/1.1 999 x\r\n\r\n".to_owned(), "status 999"),
        ] {
            let said = refusal(&answer);
            assert!(said.contains(reason), "{said:?} for {answer:?}");
        }
        let many = "A: b\r\n".repeat(MAX_FIELDS + 1);
        refusal(&good().replace("Upgrade: WebSocket\r\n", &many));
    }

    #[test]
    fn a_head_without_an_end_is_given_up() {
        let line = format!("X-{}: y\r\n", "x".repeat(400));
        let mut before = Vec::new();
        let mut fed = 0;
        let error = loop {
            let piece = if fed == 0 {
                "HTTP/1.1 101 S\r\n"
            } else {
                &line
            };
            fed += piece.len();
            match take(&mut before, piece.as_bytes(), &KEY) {
                Ok(None) => assert!(fed <= MAX_HEAD),
                Ok(Some(upgraded)) => panic!("{upgraded:?}"),
                Err(error) => break error,
            }
        };
        assert!(error.to_string().contains("has no end"), "{error}");
        let long = format!("HTTP/1.1 101 S\r\nX: {}\r\n\r\n", "x".repeat(MAX_HEAD));
        assert!(refusal(&long).contains("too long"));
        assert!(matches!(fed_end(), Err(UpgradeError::Io(_))));
    }

    fn fed_end() -> Result<Option<Upgraded>, UpgradeError> {
        fed([&b"HTTP/1.1 101 S\r\n"[..], &[]])
    }

    proptest::proptest! {
        #[test]
        fn no_answer_is_too_odd(
            mut bytes: Vec<u8>,
            at: proptest::sample::Index,
            piece in 1_usize..40,
        ) {
            // Odd bytes alone, and within a good answer.
            let _ = fed(bytes.chunks(piece));
            let good = good();
            let (a, b) = good.as_bytes().split_at(at.index(good.len()));
            bytes.truncate(8);
            let odd = [a, &bytes[..], b].concat();
            let _ = fed(odd.chunks(piece));
        }
    }

    #[test]
    fn retry_after_is_read_in_both_forms_and_capped() {
        let now = "Sun, 06 Nov 1994 08:49:37 GMT";
        for (text, expected) in [
            ("120", Some(120)),
            (" 7 ", Some(7)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("999999999", Some(3600)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(3600)),
            ("-1", None),
            ("99999999999999999999999", None),
            ("soon", None),
            ("", None),
        ] {
            let field = |name, value: &'static str| httparse::Header {
                name,
                value: value.as_bytes(),
            };
            let fields = [field("Date", now), field("retry-after", text)];
            let expected = expected.map(Duration::from_secs);
            assert_eq!(Fields(&fields).retry_after(), expected, "{text}");
        }
    }
}
