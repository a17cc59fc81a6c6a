//! What bots do, and their settings, over the API.

use super::{Server, server};
use crate::harness;
use serde_json::{Value, json};

const SETTINGS: &str = "/api/v1/accounts/support-1/bots/greeter/settings";

/// With the greeter on `support-1` and `echo-bot`.
async fn greeting() -> Server {
    let server = server("").await;
    for account in ["support-1", "echo-bot"] {
        let path = format!("/api/v1/accounts/{account}/bots");
        let set = server
            .send("PUT", &path, json!({"bots": ["greeter"]}))
            .await;
        assert_eq!(set.status, 200, "{}", set.text);
    }
    server
}

/// Says something to an account, and waits for the answers up to then.
async fn ask(server: &Server, account: &str, text: &str, answers: usize) -> Vec<String> {
    let sandbox = server.app.sandbox().unwrap();
    sandbox.say("alice", account, text).unwrap();
    harness::eventually("it answers", || async {
        let said = harness::said(sandbox, account, "alice");
        (said.len() == answers).then_some(said)
    })
    .await
}

#[actix_rt::test]
async fn handlers_are_counted_once_with_their_times_and_mistakes() {
    let server = greeting().await;
    for n in 1..=5 {
        ask(&server, "support-1", "hi", n).await;
    }
    ask(&server, "support-1", "fail", 6).await;
    ask(&server, "echo-bot", "fail", 1).await;
    let bot = harness::eventually("all have ended", || async {
        let bot = server.get("/api/v1/bots/greeter").await.json();
        (bot["handlers"]["running"] == 0 && bot["handlers"]["begun"] == 7).then_some(bot)
    })
    .await;
    let handlers = &bot["handlers"];
    assert_eq!(
        (&handlers["done"], &handlers["failed"]),
        (&json!(5), &json!(2))
    );
    let of = |name: &str| handlers[name].as_f64().unwrap();
    assert!(
        of("p50_ms") <= of("p99_ms") && of("p99_ms") <= of("longest_ms"),
        "{bot}"
    );
    assert_eq!(
        (&bot["accounts"], &handlers["waiting"]),
        (&json!(2), &json!(0))
    );
    let mistakes = bot["mistakes"].as_array().unwrap();
    assert_eq!(mistakes.len(), 2);
    assert_eq!(mistakes[0]["account"], "echo-bot", "the newest first");
    assert!(
        mistakes[0]["text"]
            .as_str()
            .unwrap()
            .contains("I was asked"),
        "{bot}"
    );

    let shop = Some(&*server.tokens["shop"]);
    let own = server
        .ask("GET", "/api/v1/bots/greeter", None, shop, &[])
        .await
        .json();
    assert_eq!(
        (&own["accounts"], &own["handlers"]),
        (&json!(1), &Value::Null)
    );
    assert_eq!(own["mistakes"].as_array().unwrap().len(), 1);
    assert!(!own.to_string().contains("echo-bot"), "{own}");
    server.end().await;
}

#[actix_rt::test]
async fn settings_are_told_without_secrets_tried_changed_and_the_plan_says_so() {
    let server = greeting().await;
    let told = server.get(SETTINGS).await.json();
    assert_eq!(told["is_own"], false);
    let field = |told: &Value, name: &str| {
        let fields = told["fields"].as_array().unwrap();
        let found = fields.iter().find(|it| it["path"] == json!([name]));
        found.unwrap_or_else(|| panic!("no {name}: {told}")).clone()
    };
    let words = field(&told, "words");
    assert_eq!(
        (&words["kind"], &words["value"]),
        (&json!("text"), &json!("Hello"))
    );
    assert_eq!(words["required"], true);
    assert_eq!(field(&told, "tone")["choices"], json!(["kind", "loud"]));
    assert_eq!(field(&told, "times")["kind"], "integer");
    let key = field(&told, "api_key");
    assert_eq!(
        (&key["is_set"], &key["hidden"]),
        (&json!(true), &json!(true))
    );
    assert!(!told.to_string().contains("geheim"), "{told}");
    assert_eq!(ask(&server, "support-1", "hi", 1).await, ["Hello"]);

    let change = json!({"set": {"tone": "loud", "times": 1}});
    let check = format!("{SETTINGS}/check");
    let wrong = json!({"set": {"times": 300}});
    for (path, body, status) in [
        (&*check, &change, 200),
        (&*check, &wrong, 422),
        (SETTINGS, &wrong, 422),
        (SETTINGS, &json!({"unset": [["words"]]}), 422),
        (SETTINGS, &json!({"set": {"tone": null}}), 422),
        (SETTINGS, &json!({"sets": {}}), 422),
    ] {
        let got = server.send("POST", path, body.clone()).await;
        assert_eq!(got.status, status, "{path} {body}: {}", got.text);
        assert!(!got.text.contains("geheim"), "{}", got.text);
    }
    let plan = async || {
        server
            .send("POST", "/api/v1/plan", Value::Null)
            .await
            .json()
    };
    let because = |plan: &Value| plan["accounts"].to_string();
    assert!(
        !because(&plan().await).contains("settings of greeter"),
        "a trial changes nothing"
    );
    assert_eq!(ask(&server, "support-1", "hi", 2).await[1], "Hello");

    assert_eq!(server.send("POST", SETTINGS, change).await.status, 200);
    assert_eq!(ask(&server, "support-1", "hi", 3).await[2], "HELLOHELLO");
    // What was not named stays, the secret too.
    let more = json!({"set": {"words": "Moin"}, "unset": [["tone"]]});
    assert_eq!(server.send("POST", SETTINGS, more).await.status, 200);
    assert_eq!(ask(&server, "support-1", "hi", 4).await[3], "MoinMoin");
    let told = server.get(SETTINGS).await.json();
    assert_eq!(told["is_own"], true);
    assert_eq!(field(&told, "api_key")["is_set"], true);
    assert_eq!(field(&told, "tone")["is_set"], false);
    let plan = plan().await;
    let of = plan["accounts"].as_array().unwrap().iter();
    let of = of.clone().find(|it| it["account"] == "support-1").unwrap();
    assert!(of["because"].to_string().contains("bots"), "{of}");

    let audit = server.get("/api/v1/audit?what=settings").await.json();
    let entries = audit["entries"].as_array().unwrap();
    assert!(
        !audit.to_string().contains("Moin"),
        "only keys are kept: {audit}"
    );
    assert!(
        entries[0]["what"]["body"]["set"]["words"].is_string(),
        "{audit}"
    );
    assert!(
        !audit.to_string().contains("/check"),
        "a trial is no order: {audit}"
    );

    for (token, status) in [
        ("reader", 403),
        ("sender", 403),
        ("shop", 200),
        ("operator", 200),
    ] {
        let token = Some(&*server.tokens[token]);
        let got = server.ask("GET", SETTINGS, None, token, &[]).await;
        assert_eq!(got.status, status);
    }
    let shop = Some(&*server.tokens["shop"]);
    let other = "/api/v1/accounts/echo-bot/bots/greeter/settings";
    assert_eq!(server.ask("GET", other, None, shop, &[]).await.status, 404);
    server.end().await;
}
