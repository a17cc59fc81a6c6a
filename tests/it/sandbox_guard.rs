//! Tests of the sandbox's protection against web pages, over real HTTP.

use botroupe::proto::id::SdkAppId;
use botroupe::sandbox::{Sandbox, SandboxConfig};
use std::future::Future;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

fn run<F: Future<Output = ()>>(
    change: impl FnOnce(&mut SandboxConfig),
    listen: &str,
    test: impl FnOnce(Sandbox) -> F,
) {
    let mut config = SandboxConfig::new(SdkAppId::new(1_400_000_001).unwrap(), "secret");
    change(&mut config);
    let listen: SocketAddr = listen.parse().unwrap();
    actix_rt::System::new().block_on(async {
        let sandbox = Sandbox::start(config, listen).await.unwrap();
        sandbox.import("bob").unwrap();
        test(sandbox).await;
    });
}

/// Sends the raw request and returns the status of the response.
async fn status(sandbox: &Sandbox, request: String) -> u16 {
    let address = SocketAddr::from(([127, 0, 0, 1], sandbox.addr().port()));
    tokio::task::spawn_blocking(move || {
        let mut link = TcpStream::connect(address).unwrap();
        link.write_all(request.as_bytes()).unwrap();
        let mut answer = [0; 12];
        link.read_exact(&mut answer).unwrap();
        String::from_utf8_lossy(&answer[9..]).parse().unwrap()
    })
    .await
    .unwrap()
}

fn kick(headers: &str) -> String {
    let body = r#"{"user":"bob","type":1}"#;
    let length = body.len();
    format!("POST /sandbox/kick HTTP/1.1\r\n{headers}Content-Length: {length}\r\n\r\n{body}")
}

const JSON: &str = "Content-Type: application/json\r\n";

#[test]
fn e2_a_web_page_commands_nothing_and_sees_nothing() {
    run(
        |_| {},
        "127.0.0.1:0",
        |sandbox| async move {
            let orders = [
                (format!("Host: 127.0.0.1\r\n{JSON}"), 200),
                (
                    format!("Host: localhost:7080\r\n{JSON}Origin: http://localhost:3000\r\n"),
                    200,
                ),
                (
                    "Host: 127.0.0.1\r\nContent-Type: text/plain\r\n".to_owned(),
                    415,
                ),
                ("Host: 127.0.0.1\r\n".to_owned(), 415),
                (
                    format!("Host: 127.0.0.1\r\n{JSON}Origin: https://evil.example\r\n"),
                    403,
                ),
                (format!("Host: 127.0.0.1\r\n{JSON}Origin: null\r\n"), 403),
                (format!("Host: evil.example\r\n{JSON}"), 403),
            ];
            for (headers, expected) in orders {
                assert_eq!(
                    status(&sandbox, kick(&headers)).await,
                    expected,
                    "{headers}"
                );
            }
            for path in [
                "/sandbox/status",
                "/sandbox/ledger",
                "/v4/openim/sendmsg",
                "/binfo?sdkappid=1",
            ] {
                let request = format!("GET {path} HTTP/1.1\r\nHost: evil.example\r\n\r\n");
                assert_eq!(status(&sandbox, request).await, 403, "{path}");
            }
            let upgrade = |origin: &str| {
                format!(
                    "GET /binfo?sdkappid=1400000001 HTTP/1.1\r\nHost: 127.0.0.1\r\n{origin}\
                     Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
                )
            };
            assert_eq!(status(&sandbox, upgrade("")).await, 101);
            let local = upgrade("Origin: http://127.0.0.1:3000\r\n");
            assert_eq!(status(&sandbox, local).await, 101);
            let foreign = upgrade("Origin: https://evil.example\r\n");
            assert_eq!(status(&sandbox, foreign).await, 403);
            sandbox.stop().await;
        },
    );
}

#[test]
fn e2_what_others_can_reach_takes_orders_with_the_token_only() {
    run(
        |config| config.token = Some("geheim".to_owned().into()),
        "0.0.0.0:0",
        |sandbox| async move {
            let host = format!("Host: 127.0.0.1\r\n{JSON}");
            assert_eq!(status(&sandbox, kick(&host)).await, 401);
            let wrong = format!("{host}Authorization: Bearer falsch\r\n");
            assert_eq!(status(&sandbox, kick(&wrong)).await, 401);
            let right = format!("{host}Authorization: Bearer geheim\r\n");
            assert_eq!(status(&sandbox, kick(&right)).await, 200);
            sandbox.stop().await;
        },
    );
    run(
        |_| {},
        "0.0.0.0:0",
        |sandbox| async move {
            let host = format!("Host: 127.0.0.1\r\n{JSON}");
            assert_eq!(
                status(&sandbox, kick(&host)).await,
                403,
                "closed without a token"
            );
            sandbox.stop().await;
        },
    );
}
