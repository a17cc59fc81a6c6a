//! Tests of absent, foreign and hostile servers: clear causes, back-off, and no tight loop.

use crate::harness::{eventually, sandbox, start, status};
use botroupe::account::{OutboxError, Phase, SendError};
use botroupe::bot::Bots;
use botroupe::prelude::Conversation;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

fn no_bots() -> Bots {
    Bots::new()
}

/// Starts a server that runs `serve` for every connection, and counts the connections.
async fn server<F: Future<Output = ()> + 'static>(
    serve: impl Fn(TcpStream) -> F + 'static,
) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let count = Arc::new(AtomicUsize::new(0));
    let counter = count.clone();
    actix_rt::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::SeqCst);
            actix_rt::spawn(serve(stream));
        }
    });
    (port, count)
}

/// Reads the request and answers the upgrade according to RFC 6455.
async fn upgrade(stream: &mut TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    let key = head
        .lines()
        .find_map(|line| line.strip_prefix("sec-websocket-key: "))
        .unwrap();
    let accept = actix_http::ws::hash_key(key.as_bytes());
    let answer = [
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ".as_slice(),
        &accept,
        b"\r\n\r\n",
    ]
    .concat();
    stream.write_all(&answer).await.unwrap();
}

async fn cause_at(endpoint: &str, starts: &str) -> String {
    let app = start(endpoint, &no_bots(), &["bot"], "").await;
    let cause = eventually(&format!("{endpoint} gives {starts}"), || async {
        let status = status(&app, "bot").await;
        assert_ne!(status.phase, Phase::Online);
        Some(status.cause.word().into_owned()).filter(|word| word.starts_with(starts))
    })
    .await;
    let status = status(&app, "bot").await;
    assert!(
        status.next.is_some() || status.phase != Phase::Waiting,
        "waits without a next action"
    );
    app.stop().await;
    cause
}

#[actix_rt::test]
async fn a_port_where_nobody_listens() {
    // The socket is bound but never listens. After a listening one is closed, another test could
    // reuse its port.
    let deaf = TcpSocket::new_v4().unwrap();
    deaf.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = deaf.local_addr().unwrap().port();
    assert_eq!(
        cause_at(&format!("ws://127.0.0.1:{port}"), "connect").await,
        "connect_failed:refused"
    );
}

#[actix_rt::test]
async fn a_name_that_does_not_exist() {
    assert_eq!(
        cause_at("ws://no-such-host.invalid", "connect").await,
        "connect_failed:dns"
    );
}

#[actix_rt::test]
async fn tls_to_a_server_that_speaks_none() {
    let sandbox = sandbox(|_| {});
    let endpoint = sandbox.url().replace("ws://", "wss://");
    assert_eq!(cause_at(&endpoint, "connect").await, "connect_failed:tls");
}

#[actix_rt::test]
async fn a_web_server_that_is_no_websocket_server() {
    let (port, _) = server(|mut stream| async move {
        let _ = stream
            .write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")
            .await;
        let _ = stream.read(&mut [0; 1024]).await;
    })
    .await;
    assert_eq!(
        cause_at(&format!("ws://127.0.0.1:{port}"), "connect").await,
        "connect_failed:upgrade"
    );
}

#[actix_rt::test]
async fn a_server_that_hangs_up_at_once_is_not_called_in_a_tight_loop() {
    let (port, count) = server(|mut stream| async move {
        upgrade(&mut stream).await;
    })
    .await;
    let app = start(&format!("ws://127.0.0.1:{port}"), &no_bots(), &["bot"], "").await;
    eventually("five tries", || async {
        (count.load(Ordering::SeqCst) >= 5).then_some(())
    })
    .await;
    let began = tokio::time::Instant::now();
    let before = count.load(Ordering::SeqCst);
    let status = eventually("the cause", || async {
        Some(status(&app, "bot").await).filter(|s| s.cause.word() == "link_lost")
    })
    .await;
    assert_eq!(status.cause.word(), "link_lost");
    // There is at most one attempt per half of the smallest delay (20 ms), on any machine.
    let tries = count.load(Ordering::SeqCst) - before;
    let most = began.elapsed().as_millis() / 10 + 2;
    assert!(
        tries as u128 <= most,
        "{tries} tries in {:?}",
        began.elapsed()
    );
    app.stop().await;
}

#[actix_rt::test]
async fn a_server_that_says_nothing_is_given_up_after_the_heartbeats_limit() {
    let (port, count) = server(|mut stream| async move {
        upgrade(&mut stream).await;
        let mut sink = [0; 1024];
        while stream.read(&mut sink).await.is_ok_and(|read| read > 0) {}
    })
    .await;
    let app = start(&format!("ws://127.0.0.1:{port}"), &no_bots(), &["bot"], "").await;
    let status = eventually("heartbeat unanswered", || async {
        Some(status(&app, "bot").await)
            .filter(|status| status.cause.to_string().contains("heartbeat unanswered"))
    })
    .await;
    assert_eq!(status.cause.word(), "link_lost");
    assert!(count.load(Ordering::SeqCst) <= 3);
    app.stop().await;
}

#[actix_rt::test]
async fn garbage_and_broken_frames_end_the_link_with_a_cause() {
    let frames: [(&'static [u8], &str); 3] = [
        (&[0x82, 0x80, 0, 0, 0, 0], "masked"),
        (&[0xC2, 0x01, 0x00], "reserved"),
        (&[0x82, 127, 0, 0, 0, 1, 0, 0, 0, 0], "longer than"),
    ];
    for (bytes, words) in frames {
        let (port, _) = server(move |mut stream| async move {
            upgrade(&mut stream).await;
            let _ = stream.write_all(bytes).await;
            let mut sink = [0; 1024];
            while stream.read(&mut sink).await.is_ok_and(|read| read > 0) {}
        })
        .await;
        let app = start(&format!("ws://127.0.0.1:{port}"), &no_bots(), &["bot"], "").await;
        eventually(words, || async {
            status(&app, "bot")
                .await
                .cause
                .to_string()
                .contains(words)
                .then_some(())
        })
        .await;
        app.stop().await;
    }
}

#[actix_rt::test]
async fn a_server_that_never_reads_costs_no_memory_and_no_other_account() {
    let sandbox = sandbox(|_| {});
    let app = start(&sandbox.url(), &no_bots(), &["one", "two"], "").await;
    crate::harness::phase(&app, "one", Phase::Online).await;
    crate::harness::phase(&app, "two", Phase::Online).await;
    sandbox.stop_answering("one", None).unwrap();
    let handle = app.account("one").unwrap();
    let sends: Vec<_> = (0..400)
        .map(|n| {
            let handle = handle.clone();
            async move {
                let text = format!("{n} {}", "x".repeat(8000));
                tokio::time::timeout(
                    Duration::from_millis(500),
                    handle.send(Conversation::c2c("alice"), text),
                )
                .await
            }
        })
        .collect();
    let outcomes = futures_util::future::join_all(sends).await;
    assert!(
        outcomes.iter().all(|outcome| !matches!(outcome, Ok(Ok(_)))),
        "nothing was sent"
    );
    // Items in the outbox still occupy their places, although nobody waits for them any more.
    let full = handle.send(Conversation::c2c("alice"), "one more").await;
    assert!(
        matches!(full, Err(SendError::Outbox(OutboxError::Full))),
        "the outbox is not bounded: {full:?}"
    );
    assert_eq!(status(&app, "two").await.phase, Phase::Online);
    assert_eq!(status(&app, "two").await.counters.lost_links, 0);
    app.stop().await;
}
