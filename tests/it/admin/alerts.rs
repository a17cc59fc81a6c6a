//! Alerts over the API.

use super::{Server, server};
use crate::harness;
use botroupe::sandbox::KickType;
use serde_json::{Value, json};

const SILENCES: &str = "/api/v1/alerts/silences";

async fn firing(server: &Server, token: &str) -> Vec<(String, Value)> {
    let token = Some(&*server.tokens[token]);
    let told = server.ask("GET", "/api/v1/alerts", None, token, &[]).await;
    let told = told.json();
    let alerts = told["alerts"].as_array().unwrap().iter();
    let name = |alert: &Value| {
        format!(
            "{}/{}",
            alert["rule"].as_str().unwrap(),
            alert["account"].as_str().unwrap_or_default()
        )
    };
    alerts
        .map(|alert| (name(alert), alert["silenced_until"].clone()))
        .collect()
}

/// Two accounts that an administrator threw out, each of somebody else.
async fn troubled() -> Server {
    let server = server("").await;
    for account in ["echo-bot", "support-1"] {
        let sandbox = server.app.sandbox().unwrap();
        sandbox.kick(account, KickType::Rest).unwrap();
    }
    harness::eventually("both are told", || async {
        (firing(&server, "all").await.len() == 2).then_some(())
    })
    .await;
    server
}

#[actix_rt::test]
async fn what_fires_is_seen_without_a_receiver_and_until_when_it_is_quiet() {
    let server = troubled().await;
    let both = [
        ("held/echo-bot".to_owned(), Value::Null),
        ("held/support-1".to_owned(), Value::Null),
    ];
    assert_eq!(firing(&server, "all").await, both);
    assert_eq!(firing(&server, "shop").await, both[1..]);

    let quiet = json!({"rule": "held", "account": "support-*", "for": "2h", "reason": "a move"});
    let made = server.send("POST", SILENCES, quiet).await;
    assert_eq!(made.status, 200, "{}", made.text);
    let made = made.json();
    let after = firing(&server, "all").await;
    assert_eq!(after[0].1, Value::Null);
    assert_eq!(after[1].1, made["until"]);
    let list = server.get("/api/v1/alerts").await.json();
    assert_eq!(list["silences"], json!([made]));
    assert_eq!(
        (&made["reason"], &made["by"]),
        (&json!("a move"), &json!("all"))
    );

    let path = format!("{SILENCES}/{}", made["number"]);
    assert_eq!(
        server
            .ask("DELETE", &path, None, Some(&server.token), &[])
            .await
            .status,
        200
    );
    assert_eq!(firing(&server, "all").await, both);
    assert_eq!(
        server
            .ask("DELETE", &path, None, Some(&server.token), &[])
            .await
            .status,
        404
    );

    // It is over when the account is back.
    assert_eq!(server.order("echo-bot", "resume").await.status, 200);
    harness::eventually("one is over", || async {
        (firing(&server, "all").await == both[1..]).then_some(())
    })
    .await;
    server.end().await;
}

#[actix_rt::test]
async fn a_token_keeps_its_own_accounts_quiet_and_no_others() {
    let server = troubled().await;
    let ask = async |token: &str, method: &str, path: &str, body: Option<Value>| {
        let token = Some(&*server.tokens[token]);
        server.ask(method, path, body, token, &[]).await
    };
    let new = |account: Value| Some(json!({"account": account, "for": "1h"}));
    for (token, account, status) in [
        ("reader", json!("support-1"), 403),
        ("sender", json!("support-1"), 403),
        ("shop", json!("echo-bot"), 404),
        ("shop", json!("*"), 404),
        ("shop", Value::Null, 422),
        ("shop", json!(""), 422),
        ("shop", json!("support-1"), 200),
        ("operator", Value::Null, 200),
    ] {
        let got = ask(token, "POST", SILENCES, new(account.clone())).await;
        assert_eq!(got.status, status, "{token} {account}: {}", got.text);
    }
    for body in [
        json!({"for": "30s"}),
        json!({"for": "31d"}),
        json!({"for": "1h", "rule": "loud"}),
        json!({"for": "1h", "reason": "x".repeat(501)}),
        json!({}),
    ] {
        let got = ask("operator", "POST", SILENCES, Some(body.clone())).await;
        assert_eq!(got.status, 422, "{body}");
    }
    let shop = ask("shop", "GET", "/api/v1/alerts", None).await.json();
    assert_eq!(shop["silences"].as_array().unwrap().len(), 1);
    let of_all = format!("{SILENCES}/2");
    assert_eq!(ask("shop", "DELETE", &of_all, None).await.status, 404);
    assert_eq!(ask("operator", "DELETE", &of_all, None).await.status, 200);
    server.end().await;
}
