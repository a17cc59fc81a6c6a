//! Tests of the sandbox over real sockets: frames, paths, faults over HTTP, back-pressure, start
//! and stop.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests may panic as tests do"
)]

use crate::harness::eventually;
use std::{net::SocketAddr, time::Duration};

use actix_codec::Framed;
use actix_http::ws::{CloseCode, Frame, Item};
use awc::{BoxedSocket, ws};
use botroupe::{
    proto::{checksum::checksum, endpoint::connect_url, id::SdkAppId},
    sandbox::{CompressMode, Sandbox, SandboxConfig, SandboxError},
};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};

const APP: u32 = 1_400_000_001;
const LOCAL: ([u8; 4], u16) = ([127, 0, 0, 1], 0);
const LIMIT: Duration = Duration::from_secs(10);

fn config() -> SandboxConfig {
    SandboxConfig::new(SdkAppId::new(APP).unwrap(), "secret")
}

fn run<F: Future<Output = ()>>(config: SandboxConfig, test: impl FnOnce(Sandbox) -> F) {
    actix_rt::System::new().block_on(async {
        let sandbox = Sandbox::start(config, LOCAL.into()).await.unwrap();
        tokio::time::timeout(Duration::from_secs(60), test(sandbox))
            .await
            .unwrap();
    });
}

pub(crate) struct Client {
    link: Framed<BoxedSocket, ws::Codec>,
    text: bool,
    seq: u64,
    pub(crate) a2: Option<String>,
}

async fn try_connect(sandbox: &Sandbox, text: bool) -> Result<Client, String> {
    let url = connect_url(&sandbox.url(), sandbox.app(), &"0a".repeat(16), 0.25, text);
    let (_, link) = awc::Client::new()
        .ws(url)
        .connect()
        .await
        .map_err(|error| format!("{error:?}"))?;
    let link = link.into_map_codec(|codec| codec.max_size(8 * 1024 * 1024));
    Ok(Client {
        link,
        text,
        seq: 0,
        a2: None,
    })
}

pub(crate) async fn connect(sandbox: &Sandbox) -> Client {
    try_connect(sandbox, false).await.unwrap()
}

impl Client {
    fn packet(&mut self, servcmd: &str, head: Value, body: &Value) -> String {
        self.seq += 1;
        let text = body.to_string();
        let mut head = head;
        head["servcmd"] = json!(servcmd);
        head["seq"] = json!(self.seq);
        head["sdkappid"] = json!(APP);
        head["cs"] = json!(checksum(servcmd, &text));
        if let Some(a2) = &self.a2 {
            head["a2"] = json!(a2);
        }
        format!("{{\"head\":{head},\"body\":{text}}}")
    }

    async fn send(&mut self, packet: String) {
        let message = if self.text {
            ws::Message::Text(packet.into())
        } else {
            ws::Message::Binary(packet.into())
        };
        self.link.send(message).await.unwrap();
    }

    async fn frame(&mut self) -> Option<Frame> {
        let next = tokio::time::timeout(LIMIT, self.link.next())
            .await
            .expect("a frame in time");
        next.and_then(Result::ok)
    }

    async fn receive(&mut self) -> Value {
        match (self.frame().await.expect("an open link"), self.text) {
            (Frame::Binary(bytes), false) | (Frame::Text(bytes), true) => {
                serde_json::from_slice(&bytes).unwrap()
            }
            (other, _) => panic!("a frame of the wrong kind: {other:?}"),
        }
    }

    pub(crate) async fn call(&mut self, servcmd: &str, body: Value) -> Value {
        let packet = self.packet(servcmd, json!({}), &body);
        self.send(packet).await;
        self.receive().await["body"].take()
    }

    pub(crate) async fn login(&mut self, sandbox: &Sandbox, user: &str) -> Value {
        let sig = sandbox.user_sig(user).unwrap();
        let head = json!({"identifier": user, "usersig": sig.expose(), "status_instid": 0});
        let packet = self.packet("im_open_status.wslogin", head, &json!({"State": "Online"}));
        self.send(packet).await;
        let answer = self.receive().await["body"].take();
        self.a2 = answer["A2Key"].as_str().map(str::to_owned);
        answer
    }
}

fn text_of(push: &Value) -> &Value {
    &push["body"]["EventArray"][0]["C2cMsgArray"][0]["MsgBody"][0]["MsgContent"]["Text"]
}

async fn post(sandbox: &Sandbox, path: &str, body: Value) -> (u16, Value) {
    let url = format!("{}{path}", sandbox.rest_url());
    let mut answer = awc::Client::new().post(url).send_json(&body).await.unwrap();
    (
        answer.status().as_u16(),
        answer.json().await.unwrap_or_default(),
    )
}

#[test]
fn login_and_messages_with_both_kinds_of_frames() {
    run(config(), |sandbox| async move {
        for text in [false, true] {
            let mut alice = try_connect(&sandbox, text).await.unwrap();
            assert_eq!(
                alice.call("heartbeat.alive", json!({})).await["ErrorCode"],
                0
            );
            let answer = alice.login(&sandbox, "alice").await;
            assert_eq!(answer["ErrorCode"], 0, "{answer}");
            assert_eq!(
                sandbox.instances("alice"),
                [answer["InstId"].as_u64().unwrap()]
            );
            sandbox.say("bob", "alice", "你好 🙂").unwrap();
            assert_eq!(text_of(&alice.receive().await), "你好 🙂");
            assert_eq!(
                alice.call("im_open_status.wslogout", json!({})).await["ErrorCode"],
                0
            );
            assert!(!sandbox.is_online("alice"));
        }
        sandbox.stop().await;
    });
}

#[test]
fn a_prefix_before_the_path_is_fine() {
    run(config(), |sandbox| async move {
        let url = format!("{}/some/proxy", sandbox.url());
        let url = connect_url(&url, sandbox.app(), "0a", 0.5, false);
        assert!(awc::Client::new().ws(url).connect().await.is_ok());
        let url = format!("{}/elsewhere", sandbox.url());
        assert!(awc::Client::new().ws(url).connect().await.is_err());
        sandbox.stop().await;
    });
}

#[test]
fn fragments_pings_and_the_wrong_kind() {
    run(config(), |sandbox| async move {
        let mut link = connect(&sandbox).await;
        let packet = link.packet("heartbeat.alive", json!({}), &json!({}));
        let (a, b) = packet.split_at(20);
        for item in [
            Item::FirstBinary(a.to_owned().into()),
            Item::Continue(bytes::Bytes::new()),
            Item::Last(b.to_owned().into()),
        ] {
            link.link
                .send(ws::Message::Continuation(item))
                .await
                .unwrap();
        }
        assert_eq!(link.receive().await["head"]["servcmd"], "heartbeat.alive");
        link.link.send(ws::Message::Ping("p".into())).await.unwrap();
        assert!(matches!(link.frame().await, Some(Frame::Pong(data)) if data == "p"));
        // The server silently drops text on a binary link.
        let packet = link.packet("heartbeat.alive", json!({}), &json!({}));
        link.link
            .send(ws::Message::Text(packet.into()))
            .await
            .unwrap();
        assert_eq!(
            link.call("heartbeat.alive", json!({})).await["ErrorCode"],
            0
        );
        assert_eq!(sandbox.status().counters.garbage, 1);
        sandbox.stop().await;
    });
}

#[test]
fn a_frame_beyond_the_limit_ends_its_link_only() {
    run(
        SandboxConfig {
            max_frame: 4096,
            ..config()
        },
        |sandbox| async move {
            let (mut bad, mut good) = (connect(&sandbox).await, connect(&sandbox).await);
            bad.link
                .send(ws::Message::Binary(vec![b'x'; 10_000].into()))
                .await
                .unwrap();
            assert!(
                matches!(bad.frame().await, Some(Frame::Close(Some(r))) if r.code == CloseCode::Size)
            );
            assert_eq!(
                good.call("heartbeat.alive", json!({})).await["ErrorCode"],
                0
            );
            sandbox.stop().await;
        },
    );
}

#[test]
fn faults_over_http() {
    run(config(), |sandbox| async move {
        let mut alice = connect(&sandbox).await;
        alice.login(&sandbox, "alice").await;
        assert_eq!(
            post(
                &sandbox,
                "/sandbox/kick",
                json!({"user": "alice", "type": 2})
            )
            .await
            .0,
            200
        );
        let push = alice.receive().await;
        assert_eq!(push["head"]["servcmd"], "im_open_status.stat_forceoffline");
        let (status, answer) = post(&sandbox, "/sandbox/kick", json!({"user": "alice"})).await;
        assert_eq!(status, 400);
        assert!(answer["error"].as_str().unwrap().contains("type"));
        let (status, answer) = post(&sandbox, "/sandbox/nonsense", json!({})).await;
        assert_eq!(status, 404);
        assert!(answer["error"].as_str().unwrap().contains("drop_link"));
        assert_eq!(
            post(&sandbox, "/sandbox/drop_link", json!({"user": "alice"}))
                .await
                .0,
            200
        );
        assert!(alice.frame().await.is_none(), "cut without a close frame");
        let url = format!("{}/sandbox/status", sandbox.rest_url());
        let status: Value = awc::Client::new()
            .get(url)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        assert_eq!(status["counters"]["kicks"], 1);
        let mut bob = connect(&sandbox).await;
        bob.login(&sandbox, "bob").await;
        let (status, _) = post(
            &sandbox,
            "/sandbox/close_link",
            json!({"user": "bob", "code": 4005}),
        )
        .await;
        assert_eq!(status, 200);
        let close = bob.frame().await;
        assert!(matches!(close, Some(Frame::Close(Some(r))) if u16::from(r.code) == 4005));
        sandbox.stop().await;
    });
}

#[test]
fn rest_over_http() {
    run(config(), |sandbox| async move {
        let mut bob = connect(&sandbox).await;
        bob.login(&sandbox, "bob").await;
        let sig = sandbox.user_sig("administrator").unwrap();
        let path = format!(
            "/v4/openim/sendmsg?sdkappid={APP}&identifier=administrator&usersig={}&random=1\
             &contenttype=json",
            sig.expose()
        );
        let body = json!({"To_Account": "bob", "MsgRandom": 1, "MsgBody": [
            {"MsgType": "TIMTextElem", "MsgContent": {"Text": "from above"}},
        ]});
        let (status, answer) = post(&sandbox, &path, body).await;
        assert_eq!((status, &answer["ActionStatus"]), (200, &json!("OK")));
        assert_eq!(text_of(&bob.receive().await), "from above");
        sandbox.stop().await;
    });
}

#[test]
fn compressed_frames_leave_as_comp() {
    run(config(), |sandbox| async move {
        sandbox.compress(CompressMode::Sync);
        let mut link = connect(&sandbox).await;
        let packet = link.packet("heartbeat.alive", json!({}), &json!({}));
        link.send(packet).await;
        let Some(Frame::Binary(bytes)) = link.frame().await else {
            panic!("no binary frame")
        };
        assert!(bytes.starts_with(b"COMP\x1f\x8b") && bytes.ends_with(&[0, 0, 0xff, 0xff]));
        sandbox.stop().await;
    });
}

#[test]
fn a_client_that_never_reads_is_cut_and_others_are_not() {
    let config = SandboxConfig {
        outgoing_limit: 64 * 1024,
        ..config()
    };
    run(config, |sandbox| async move {
        let (mut deaf, mut good) = (connect(&sandbox).await, connect(&sandbox).await);
        deaf.login(&sandbox, "deaf").await;
        good.login(&sandbox, "good").await;
        let text = "x".repeat(11_000);
        // The kernel's buffers hold some megabytes.
        let mut cut = false;
        for _ in 0..200 {
            for _ in 0..20 {
                sandbox.say("bob", "deaf", &text).unwrap();
            }
            sandbox.say("bob", "good", "still here?").unwrap();
            assert_eq!(text_of(&good.receive().await), "still here?");
            if sandbox.status().counters.slow_cut == 1 {
                cut = true;
                break;
            }
        }
        assert!(cut, "the deaf client was not cut");
        while sandbox.status().links > 1 {
            good.call("heartbeat.alive", json!({})).await;
        }
        sandbox.stop().await;
    });
}

#[test]
fn connections_are_bounded() {
    run(
        SandboxConfig {
            max_connections: 2,
            ..config()
        },
        |sandbox| async move {
            let (mut one, two) = (connect(&sandbox).await, connect(&sandbox).await);
            // The second link is registered shortly after its handshake.
            while sandbox.status().links < 2 {
                one.call("heartbeat.alive", json!({})).await;
            }
            let refused = try_connect(&sandbox, false).await.err().unwrap();
            assert!(refused.contains("503"), "{refused}");
            drop(two);
            while sandbox.status().links > 1 {
                one.call("heartbeat.alive", json!({})).await;
            }
            assert!(try_connect(&sandbox, false).await.is_ok());
            sandbox.stop().await;
        },
    );
}

#[test]
fn stopping_says_goodbye() {
    run(config(), |sandbox| async move {
        let mut alice = connect(&sandbox).await;
        alice.login(&sandbox, "alice").await;
        let addr = sandbox.addr();
        let (frame, _) = futures_util::future::join(alice.frame(), sandbox.stop()).await;
        assert!(matches!(frame, Some(Frame::Close(Some(r))) if r.code == CloseCode::Away));
        // A child process that another test is starting may hold the port a little longer.
        eventually("the port is free again", || async {
            std::net::TcpListener::bind(addr).ok()
        })
        .await;
    });
}

#[test]
fn a_taken_port_is_explained() {
    let taken = std::net::TcpListener::bind(SocketAddr::from(LOCAL)).unwrap();
    let addr = taken.local_addr().unwrap();
    let error = Sandbox::spawn_thread(config(), addr).unwrap_err();
    assert!(matches!(error, SandboxError::Bind { .. }));
    let text = error.to_string();
    assert!(
        text.contains(&addr.to_string()) && text.contains("another port"),
        "{text}"
    );
}

#[test]
fn a_thread_of_its_own() {
    let sandbox = Sandbox::spawn_thread(config(), LOCAL.into()).unwrap();
    let url = format!("{}/sandbox/status", sandbox.rest_url());
    actix_rt::System::new().block_on(async {
        let status: Value = awc::Client::new()
            .get(url)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        assert_eq!(status["accounts"], 1, "the administrator");
    });
    sandbox.shutdown();
}
