//! Talks and faults in the sandbox over the API.

use super::{Server, server};
use crate::harness;
use serde_json::{Value, json};

/// One red pixel.
const PIXEL: &[u8] = &[
    0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, b'I', b'H', b'D', b'R', 0, 0, 0,
    1, 0, 0, 0, 1, 8, 2, 0, 0, 0, 0x90, 0x77, 0x53, 0xde, 0, 0, 0, 12, b'I', b'D', b'A', b'T', 8,
    0xd7, 0x63, 0xf8, 0xcf, 0xc0, 0, 0, 3, 1, 1, 0, 0x18, 0xdd, 0x8d, 0xb0, 0, 0, 0, 0, b'I', b'E',
    b'N', b'D', 0xae, 0x42, 0x60, 0x82,
];

async fn show(server: &Server, path: &str, kind: &str, body: &'static [u8]) -> u16 {
    let url = format!("{}{path}?width=1&height=1", server.url());
    let request = awc::Client::default().post(url).bearer_auth(&server.token);
    let request = request.insert_header(("content-type", kind));
    request.send_body(body).await.unwrap().status().as_u16()
}

/// What was said, when it is as long as that.
async fn said(server: &Server, path: &str, count: usize) -> Vec<Value> {
    harness::eventually("it is said", || async {
        let told = server.get(path).await.json();
        let messages = told["messages"].as_array().unwrap();
        (messages.len() == count).then(|| messages.clone())
    })
    .await
}

#[actix_rt::test]
async fn a_bot_is_talked_to_in_a_group_that_is_made_for_it() {
    let server = server("").await;
    let path = "/api/v1/sandbox/groups/ops/alice/echo-bot";
    assert_eq!(server.get(path).await.json()["messages"], json!([]));
    for text in ["good morning", "good evening"] {
        let done = server.send("POST", path, json!({ "text": text })).await;
        assert_eq!(done.status, 200, "{}", done.text);
    }
    let messages = said(&server, path, 4).await;
    let of = |from: &str| {
        let of = messages.iter().filter(|it| it["from"] == from);
        of.map(|it| it["text"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(of("alice"), ["good morning", "good evening"]);
    assert_eq!(of("echo-bot"), ["good morning", "good evening"]);
    // Another one joins, and an account that is in no group of that name hears nothing of it.
    let bob = "/api/v1/sandbox/groups/ops/bob/echo-bot";
    assert_eq!(
        server
            .send("POST", bob, json!({"text": "me too"}))
            .await
            .status,
        200
    );
    said(&server, bob, 6).await;
    let other = "/api/v1/sandbox/groups/ops/bob/support-1";
    assert_eq!(server.get(other).await.json()["messages"], json!([]));
    for (path, status) in [
        ("/api/v1/sandbox/groups/ops/support-2/echo-bot", 409),
        ("/api/v1/sandbox/groups/ops/bob/nobody", 404),
    ] {
        let refused = server.send("POST", path, json!({"text": "x"})).await;
        assert_eq!(refused.status, status, "{path}");
    }
    let long = format!("/api/v1/sandbox/groups/{}/bob/echo-bot", "x".repeat(100));
    assert_eq!(
        server
            .send("POST", &long, json!({"text": "x"}))
            .await
            .status,
        502
    );
    server.end().await;
}

#[actix_rt::test]
async fn a_picture_is_shown_to_a_bot_and_comes_back_as_it_was() {
    let server = server("").await;
    let talk = "/api/v1/sandbox/conversations/alice/echo-bot";
    let pictures = format!("{talk}/pictures");
    assert_eq!(show(&server, &pictures, "image/png", PIXEL).await, 200);
    let group = "/api/v1/sandbox/groups/ops/alice/echo-bot";
    let in_group = format!("{group}/pictures");
    assert_eq!(show(&server, &in_group, "image/png", PIXEL).await, 200);
    for path in [talk, group] {
        let messages = said(&server, path, 1).await;
        assert_eq!(messages[0]["text"], "");
        let address = messages[0]["pictures"][0].as_str().unwrap();
        let at = format!(
            "{}/api/v1/sandbox/pictures/echo-bot/{address}",
            server.url()
        );
        let request = awc::Client::default().get(at).bearer_auth(&server.token);
        let mut answer = request.send().await.unwrap();
        assert_eq!(answer.headers().get("content-type").unwrap(), "image/png");
        assert_eq!(
            answer.headers().get("x-content-type-options").unwrap(),
            "nosniff"
        );
        assert_eq!(answer.body().await.unwrap(), PIXEL);
    }
    // What is no picture would be a page of this server to a browser.
    assert_eq!(
        show(&server, &pictures, "text/html", b"<script>").await,
        422
    );
    assert_eq!(show(&server, &pictures, "image/png", b"").await, 422);
    static LARGE: [u8; 300 << 10] = [0; 300 << 10];
    assert_eq!(show(&server, &pictures, "image/png", &LARGE).await, 413);
    for address in ["0123/picture.png", "..%2f..%2fstatus/x", "x/.."] {
        let at = format!("/api/v1/sandbox/pictures/echo-bot/{address}");
        let status = server.get(&at).await.status;
        assert!(status == 502 || status == 404, "{address}: {status}");
    }
    server.end().await;
}

#[actix_rt::test]
async fn each_fault_does_to_the_account_what_it_says() {
    let server = server("").await;
    let path = "/api/v1/sandbox/accounts/support-1/faults";
    let state = async || server.get("/api/v1/accounts/support-1").await.json();
    for (fault, cause, comes_back) in [
        ("multipleAccount", "multipleAccount", true),
        ("drop_link", "link_lost", true),
        ("userSigExpired", "userSigExpired", true),
        ("multipleDevice", "multipleDevice", true),
        ("REST_API_Kick", "REST_API_Kick", false),
    ] {
        let before = state().await["records"].as_array().unwrap().len();
        let done = server.send("POST", path, json!({ "fault": fault })).await;
        assert_eq!(done.status, 200, "{}", done.text);
        // An account notices that its UserSig is over when it says something.
        let talk = "/api/v1/sandbox/conversations/alice/support-1";
        let said = server.send("POST", talk, json!({"text": "hi"})).await;
        assert_eq!(said.status, 200);
        harness::eventually(fault, || async {
            let account = state().await;
            let records = account["records"].as_array().unwrap();
            let new = records.iter().skip(before.min(records.len()));
            let mut causes = new.filter_map(|it| it["cause"].as_str());
            causes.any(|it| it.contains(cause)).then_some(())
        })
        .await;
        if comes_back {
            assert_eq!(server.order("support-1", "resume").await.status, 200);
            harness::eventually("it is back", || async {
                (state().await["state"] == "online").then_some(())
            })
            .await;
        }
    }
    let operator = Some(&*server.tokens["sender"]);
    let body = Some(json!({"fault": "drop_link"}));
    assert_eq!(
        server.ask("POST", path, body, operator, &[]).await.status,
        403
    );
    let wrong = server
        .send("POST", path, json!({"fault": "earthquake"}))
        .await;
    assert_eq!(wrong.status, 422);
    server.end().await;
}
