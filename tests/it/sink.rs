//! A small HTTP server that keeps what it gets.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

/// What came.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) path: String,
    /// By names in small letters.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Got {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The rules and states of a webhook's alerts, as `+contested/a` or `-share`.
    pub(crate) fn alerts(&self) -> Vec<String> {
        let body = self.json();
        let alerts = body["alerts"].as_array().unwrap().iter();
        let names = alerts.map(|alert| {
            let sign = match alert["state"].as_str().unwrap() {
                "firing" => "+",
                _ => "-",
            };
            let rule = alert["rule"].as_str().unwrap();
            match alert["account"].as_str() {
                Some(account) => format!("{sign}{rule}/{account}"),
                None => format!("{sign}{rule}"),
            }
        });
        names.collect()
    }
}

/// It answers for as long as the test runs.
pub(crate) struct Sink {
    pub(crate) url: String,
    got: Receiver<Got>,
}

impl Sink {
    /// Answers each request with the next of these statuses and bodies, and the last one for ever.
    pub(crate) fn answering(answers: &'static [(u16, &'static str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, got) = channel();
        thread::spawn(move || {
            let mut count = 0;
            for stream in listener.incoming().map_while(Result::ok) {
                if serve(stream, answers, &mut count, &sender).is_none() {
                    continue;
                }
            }
        });
        Self { url, got }
    }

    pub(crate) fn new() -> Self {
        Self::answering(&[(200, "ok")])
    }

    /// The next request.
    pub(crate) fn next(&self) -> Got {
        self.got.recv_timeout(crate::cli::PATIENCE).unwrap()
    }

    /// Waits for a request with this alert.
    pub(crate) fn until(&self, alert: &str) -> Got {
        loop {
            let got = self.next();
            if got.alerts().iter().any(|one| one == alert) {
                return got;
            }
        }
    }

    /// What has come and was not taken.
    pub(crate) fn rest(&self) -> Vec<Got> {
        self.got.try_iter().collect()
    }
}

/// Serves one connection; `None` when it breaks or ends.
fn serve(
    stream: TcpStream,
    answers: &[(u16, &str)],
    count: &mut usize,
    to: &Sender<Got>,
) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut first = String::new();
    reader.read_line(&mut first).ok()?;
    let path = first.split(' ').nth(1)?.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length")?.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let (status, answer) = answers.get(*count).or(answers.last())?;
    *count += 1;
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 {status} Status\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}",
        answer.len()
    )
    .ok()?;
    let body = String::from_utf8(body).ok()?;
    to.send(Got {
        path,
        headers,
        body,
    })
    .ok()
}
