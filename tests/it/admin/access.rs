//! Who gets what.

use super::server;
use serde_json::{Value, json};

#[actix_rt::test]
async fn nothing_is_told_without_a_token() {
    let server = server("").await;
    let description = serde_json::to_value(botroupe::admin::describe()).unwrap();
    let mut asked = 0;
    for (path, operations) in description["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let is_open = operation["security"].is_array();
            let at = path
                .replace("{account}", "echo-bot")
                .replace("{bot}", "echo")
                .replace("{letter}", "1");
            let method = method.to_uppercase();
            let answer = server.ask(&method, &at, None, None, &[]).await;
            if is_open {
                let open = [
                    ("GET", "/healthz"),
                    ("GET", "/readyz"),
                    ("POST", "/api/v1/session"),
                ];
                assert!(open.contains(&(&*method, &**path)), "{method} {path}");
                assert_ne!(answer.status, 401, "{method} {path}");
                continue;
            }
            assert_eq!(answer.status, 401, "{method} {path}: {}", answer.text);
            let problem = answer.json();
            assert_eq!(problem["code"], "unauthorized");
            assert!(problem["remedy"].as_str().unwrap().contains("Bearer"));
            asked += 1;
        }
    }
    assert!(asked > 15, "{asked}");
    server.end().await;
}

#[actix_rt::test]
async fn each_scope_is_for_its_paths_and_each_token_for_its_accounts() {
    let server = server("").await;
    let to = json!({"to": {"user": "alice"}, "text": "hi"});
    let hold = json!({"order": "resume"});
    let paths: [(&str, &str, Option<Value>, &str); 7] = [
        ("GET", "/api/v1/status", None, "reader"),
        ("GET", "/api/v1/events", None, "reader"),
        ("GET", "/metrics", None, "reader"),
        (
            "POST",
            "/api/v1/accounts/support-1/orders",
            Some(hold),
            "operator",
        ),
        (
            "PUT",
            "/api/v1/accounts/support-1/bots/echo",
            None,
            "operator",
        ),
        (
            "POST",
            "/api/v1/accounts/support-1/messages",
            Some(to),
            "sender",
        ),
        ("POST", "/api/v1/console-link", None, "all"),
    ];
    for (method, path, body, right) in paths {
        for name in ["reader", "operator", "sender", "all"] {
            if path == "/api/v1/events" && (name == right || name == "all") {
                continue; // It would not end.
            }
            let token = Some(&*server.tokens[name]);
            let answer = server.ask(method, path, body.clone(), token, &[]).await;
            if name == right || name == "all" {
                assert_eq!(answer.status, 200, "{name} {path}: {}", answer.text);
            } else {
                assert_eq!(answer.status, 403, "{name} {path}: {}", answer.text);
                assert!(answer.json()["remedy"].as_str().unwrap().contains("scopes"));
            }
        }
    }
    let shop = Some(&*server.tokens["shop"]);
    let page = server
        .ask("GET", "/api/v1/accounts", None, shop, &[])
        .await
        .json();
    assert_eq!(page["total"], 3);
    let fleet = server
        .ask("GET", "/api/v1/status", None, shop, &[])
        .await
        .json();
    assert_eq!(fleet["accounts"], 3);
    for (method, path, body) in [
        ("GET", "/api/v1/accounts/echo-bot", None),
        ("GET", "/api/v1/accounts/echo-bot/bots", None),
        ("PUT", "/api/v1/accounts/echo-bot/bots/counter", None),
        (
            "POST",
            "/api/v1/accounts/echo-bot/orders",
            Some(json!({"order": "hold"})),
        ),
        (
            "POST",
            "/api/v1/accounts/echo-bot/messages",
            Some(json!({"to": {"user": "alice"}, "text": "hi"})),
        ),
    ] {
        let answer = server.ask(method, path, body, shop, &[]).await;
        assert_eq!(answer.status, 404, "{method} {path}: {}", answer.text);
    }
    assert_eq!(server.app.controller().online().await, 4, "nobody was held");
    server.end().await;
}

#[actix_rt::test]
async fn pages_of_other_sites_are_not_heard_and_wrong_tokens_are_slowed() {
    let server = server("origins = [\"https://ops.example\"]").await;
    let token = Some(&*server.token);
    let path = "/api/v1/status";
    for (headers, status) in [
        (vec![], 200),
        (vec![("Origin", "https://evil.example")], 403),
        (vec![("Origin", "null")], 403),
        (vec![("Origin", "http://127.0.0.1:1")], 403),
        (vec![("Origin", server.url())], 200),
        (vec![("Origin", "https://ops.example")], 200),
        (vec![("Host", "evil.example")], 403),
        (vec![("Host", "localhost")], 200),
    ] {
        let answer = server.ask("GET", path, None, token, &headers).await;
        assert_eq!(answer.status, status, "{headers:?}: {}", answer.text);
        let allowed = answer.headers.get("access-control-allow-origin");
        let origin = headers.iter().find(|(name, _)| *name == "Origin");
        let expected = origin.filter(|_| status == 200).map(|(_, origin)| *origin);
        assert_eq!(allowed.map(|it| it.to_str().unwrap()), expected);
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
        ] {
            assert_eq!(answer.headers.get(name).unwrap(), value);
        }
    }
    let ask = async |token: &str| server.ask("GET", path, None, Some(token), &[]).await;
    for _ in 0..5 {
        assert_eq!(ask("btr_wrong").await.status, 401);
    }
    let slowed = ask("btr_wrong").await;
    assert_eq!(slowed.status, 429);
    assert!(slowed.headers.contains_key("retry-after"));
    assert_eq!(
        ask(&server.token).await.status,
        200,
        "a right one is not slowed"
    );
    let figures = server.get("/metrics").await.text;
    for line in [
        "botroupe_admin_wrong_tokens_total 6.0",
        "botroupe_admin_refused_total{reason=\"foreign_site\"} 4.0",
        "botroupe_admin_refused_total{reason=\"too_many\"} 1.0",
        "botroupe_admin_refused_total{reason=\"unauthorized\"} 5.0",
    ] {
        assert!(figures.lines().any(|it| it == line), "{line}: {figures}");
    }
    server.end().await;
}

#[actix_rt::test]
async fn a_token_that_is_taken_out_of_the_config_is_worth_nothing_after_a_reload() {
    let server = server("").await;
    let reader = server.tokens["reader"].clone();
    let begin = json!({ "token": reader });
    let begun = server.send("POST", "/api/v1/session", begin).await;
    let session = begun.json()["session"].as_str().unwrap().to_owned();
    let ask = async |token: &str| {
        let path = "/api/v1/status";
        server.ask("GET", path, None, Some(token), &[]).await.status
    };
    assert_eq!((ask(&reader).await, ask(&session).await), (200, 200));
    let text = server.text.lock().unwrap().clone();
    let (before, from) = text
        .split_once("[[admin.tokens]]\nname = \"reader\"")
        .unwrap();
    let (_, after) = from.split_once("[[admin.tokens]]").unwrap();
    *server.text.lock().unwrap() = format!("{before}[[admin.tokens]]{after}");
    let done = server.send("POST", "/api/v1/reload", Value::Null).await;
    assert_eq!(done.status, 200, "{}", done.text);
    assert!(
        done.json()["fleet"][0]
            .as_str()
            .unwrap()
            .starts_with("admin.tokens")
    );
    assert_eq!((ask(&reader).await, ask(&session).await), (401, 401));
    assert_eq!(ask(&server.token).await, 200);
    server.end().await;
}
