//! Tests of the addresses from which a bot may download a file, over real sockets. `cli::network`
//! tests the settings of the whole process (proxies, certificates).

use crate::harness::{eventually, phase, said, sandbox, start};
use botroupe::account::Phase;
use botroupe::bot::Bots;
use botroupe::prelude::*;
use botroupe::sandbox::Sandbox;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

async fn read(file: Attachment) -> String {
    match file.download().await {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => error.to_string(),
    }
}

fn careful_bots() -> Bots {
    Bots::new().with("careful", || Bot::new("careful").on_message(read))
}

fn curious_bots() -> Bots {
    Bots::new().with("curious", || {
        Bot::new("curious").on_message(read).files_from_anywhere()
    })
}

/// Starts a service that only this machine can reach. Returns the number of its connections too.
async fn service() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let count = Arc::new(AtomicUsize::new(0));
    let counter = count.clone();
    actix_rt::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::SeqCst);
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(stream.read_u8().await.unwrap());
            }
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\nonly for us";
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (format!("http://127.0.0.1:{port}/credentials"), count)
}

/// Makes alice send a file message with the given URL to the account.
fn send_file(sandbox: &Sandbox, to: &str, url: &str) {
    let sent = sandbox.administer(
        "openim/sendmsg",
        &json!({"From_Account": "alice", "To_Account": to, "MsgRandom": 7, "MsgBody": [
            {"MsgType": "TIMFileElem", "MsgContent":
                {"Url": url, "UUID": "x", "FileName": "report.pdf", "FileSize": 11, "Download_Flag": 2}},
        ]}),
    );
    assert_eq!(sent["ErrorCode"], 0, "{sent}");
}

#[actix_rt::test]
async fn e1_a_file_on_this_machine_is_not_fetched_unless_the_bot_says_so() {
    let sandbox = sandbox(|_| {});
    sandbox.import("alice").unwrap();
    let (url, connects) = service().await;
    let answer = |user| {
        let sandbox = &sandbox;
        eventually("an answer", move || async move {
            said(sandbox, user, "alice").pop()
        })
    };
    let app = start(&sandbox.url(), &careful_bots(), &["one"], "").await;
    phase(&app, "one", Phase::Online).await;
    send_file(&sandbox, "one", &url);
    let refused = answer("one").await;
    assert!(
        refused.contains("127.0.0.1") && refused.contains("Bot::files_from_anywhere"),
        "the error has to name what would help, for an address of this machine: {refused}"
    );
    assert_eq!(connects.load(Ordering::SeqCst), 0, "somebody connected");
    app.stop().await;

    let app = start(&sandbox.url(), &curious_bots(), &["two"], "").await;
    phase(&app, "two", Phase::Online).await;
    send_file(&sandbox, "two", &url);
    assert_eq!(answer("two").await, "only for us");
    assert_eq!(connects.load(Ordering::SeqCst), 1);
    app.stop().await;
}
