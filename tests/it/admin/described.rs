//! Every path of a running server, and every answer, is what `/api/v1/openapi.json` says.

use super::schema::mistakes;
use super::{Answer, Server, server};
use crate::harness;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Asks, and compares the answer with the description.
struct Checked<'a> {
    server: &'a Server,
    description: Value,
    /// Operations and statuses that were seen.
    seen: BTreeSet<(String, String, u16)>,
}

impl Checked<'_> {
    async fn ask(&mut self, method: &str, path: &str, at: &str, body: Option<Value>) -> Answer {
        let token = Some(&*self.server.token);
        let answer = self.server.ask(method, at, body, token, &[]).await;
        self.compare(method, path, &answer);
        answer
    }

    fn compare(&mut self, method: &str, path: &str, answer: &Answer) {
        let method = method.to_lowercase();
        let operation = &self.description["paths"][path][&method];
        assert!(operation.is_object(), "{method} {path} is not described");
        let response = &operation["responses"][answer.status.to_string()];
        assert!(
            response.is_object(),
            "{method} {path} answers {}, which is not described: {}",
            answer.status,
            answer.text
        );
        let kind = answer.headers.get("content-type").unwrap();
        let kind = kind.to_str().unwrap().split(';').next().unwrap();
        let content = &response["content"][kind];
        assert!(content.is_object(), "{method} {path} answers {kind}");
        if kind == "application/json" {
            let wrong = mistakes(&self.description, &content["schema"], &answer.json());
            assert!(wrong.is_empty(), "{method} {path}: {wrong:#?}");
        }
        self.seen.insert((method, path.to_owned(), answer.status));
    }
}

#[actix_rt::test]
async fn every_answer_is_what_the_description_says() {
    let server = server("").await;
    let description = server.get("/api/v1/openapi.json").await.json();
    assert_eq!(
        description,
        serde_json::to_value(botroupe::admin::describe()).unwrap()
    );
    let mut checked = Checked {
        server: &server,
        description,
        seen: BTreeSet::new(),
    };
    const ONE: &str = "/api/v1/accounts/{account}";
    let one = "/api/v1/accounts/support-1";
    let nobody = "/api/v1/accounts/nobody";
    let orders = format!("{ONE}/orders");
    let bots = format!("{ONE}/bots");
    let bot = format!("{bots}/{{bot}}");
    let settings = format!("{bot}/settings");
    let messages = format!("{ONE}/messages");

    for path in [
        "/healthz",
        "/readyz",
        "/metrics",
        "/api/v1/status",
        "/api/v1/store",
        "/api/v1/history",
        "/api/v1/session",
        "/api/v1/bots",
        "/api/v1/alerts",
        "/api/v1/audit",
        "/api/v1/audit/verify",
        "/api/v1/dialogues",
        "/api/v1/logs",
        "/api/v1/logs/levels",
        "/api/v1/openapi.json",
    ] {
        assert_eq!(
            checked.ask("GET", path, path, None).await.status,
            200,
            "{path}"
        );
    }
    let fleet = server.get("/api/v1/status").await.json();
    assert_eq!(
        (&fleet["accounts"], &fleet["online"]),
        (&json!(4), &json!(4))
    );
    assert_eq!(fleet["sandbox"]["sdk_app_id"], harness::APP);

    let accounts = "/api/v1/accounts";
    let page = checked.ask("GET", accounts, accounts, None).await.json();
    assert_eq!(page["total"], 4);
    let at = format!(
        "{accounts}?limit=1&from=1&match=support-*&state=online,renewing&bot=counter&records=true"
    );
    let page = checked.ask("GET", accounts, &at, None).await.json();
    assert_eq!((&page["total"], &page["next"]), (&json!(3), &json!(2)));
    assert_eq!(page["accounts"][0]["account"], "support-2");
    assert_eq!(page["accounts"][0]["records"][0]["event"], "online");
    for query in ["limit=0", "limit=x", "nonsense=1", "limit=2001"] {
        let at = format!("{accounts}?{query}");
        assert_eq!(
            checked.ask("GET", accounts, &at, None).await.status,
            422,
            "{query}"
        );
    }
    let conversations = format!("{ONE}/conversations");
    for (account, status) in [(one, 200), (nobody, 404)] {
        let at = format!("{account}/conversations");
        let answer = checked.ask("GET", &conversations, &at, None).await;
        assert_eq!(answer.status, status);
    }
    let told = checked.ask("GET", ONE, one, None).await.json();
    assert_eq!(told["bots"], json!(["echo", "counter"]));
    assert_eq!(checked.ask("GET", ONE, nobody, None).await.status, 404);

    let at = format!("{one}/orders");
    let order = |order: &str| Some(json!({ "order": order }));
    let outlook = format!("{orders}/{{order}}");
    let would = checked
        .ask("GET", &outlook, &format!("{at}/hold"), None)
        .await
        .json();
    assert_eq!(would["steps"], json!(["logs_out", "stays_away"]));
    assert_eq!(
        (&would["state"], &would["then"]),
        (&json!("online"), &json!("held"))
    );
    for (path, status) in [
        (format!("{nobody}/orders/hold"), 404),
        (format!("{at}/dance"), 404),
    ] {
        assert_eq!(
            checked.ask("GET", &outlook, &path, None).await.status,
            status
        );
    }
    assert_eq!(
        checked
            .ask("POST", &orders, &at, order("hold"))
            .await
            .status,
        200
    );
    harness::eventually("it is held", || async {
        let page = server
            .get(&format!("{accounts}?state=away&cause=ordered"))
            .await
            .json();
        (page["accounts"][0]["state"] == "held").then_some(())
    })
    .await;
    let would = server.get(&format!("{at}/relogin")).await.json();
    assert_eq!(would["refused"], true, "{would}");
    let conflict = checked.ask("POST", &orders, &at, order("relogin")).await;
    assert_eq!(conflict.status, 409);
    assert_eq!(conflict.json()["code"], "conflict");
    let to = json!({"to": {"user": "alice"}, "text": "hello"});
    let away = checked
        .ask("POST", &messages, &format!("{one}/messages"), Some(to))
        .await;
    assert_eq!(away.status, 409, "{}", away.text);
    assert_eq!(
        checked.ask("GET", "/readyz", "/readyz", None).await.status,
        503
    );
    assert_eq!(
        checked
            .ask("POST", &orders, &at, order("release"))
            .await
            .status,
        200
    );
    for body in [
        json!({"order": "dance"}),
        json!({"order": "hold", "more": 1}),
        json!([]),
    ] {
        assert_eq!(
            checked.ask("POST", &orders, &at, Some(body)).await.status,
            422
        );
    }
    assert_eq!(checked.ask("POST", &orders, &at, None).await.status, 415);
    let long = Some(json!({"order": "x".repeat(300 << 10)}));
    assert_eq!(checked.ask("POST", &orders, &at, long).await.status, 413);
    let gone = checked
        .ask("POST", &orders, &format!("{nobody}/orders"), order("hold"))
        .await;
    assert_eq!(gone.status, 404);

    let at = format!("{one}/bots");
    assert_eq!(
        checked.ask("GET", &bots, &at, None).await.json()["bots"],
        json!(["echo", "counter"])
    );
    let set = Some(json!({"bots": ["counter"]}));
    assert_eq!(
        checked.ask("PUT", &bots, &at, set).await.json()["bots"],
        json!(["counter"])
    );
    let twice = Some(json!({"bots": ["echo", "echo"]}));
    assert_eq!(checked.ask("PUT", &bots, &at, twice).await.status, 422);
    let with = |name: &str| format!("{one}/bots/{name}");
    assert_eq!(
        checked.ask("PUT", &bot, &with("echo"), None).await.json()["bots"],
        json!(["counter", "echo"])
    );
    assert_eq!(
        checked.ask("PUT", &bot, &with("nobot"), None).await.status,
        404
    );
    assert_eq!(
        checked
            .ask("DELETE", &bot, &with("echo"), None)
            .await
            .json()["bots"],
        json!(["counter"])
    );
    assert_eq!(
        checked
            .ask("DELETE", &bot, &with("echo"), None)
            .await
            .status,
        409
    );
    let at = format!("{}/settings", with("counter"));
    let refused = checked
        .ask("PUT", &settings, &at, Some(json!({"a": 1})))
        .await;
    assert_eq!(
        refused.status, 422,
        "the bot has no settings: {}",
        refused.text
    );

    assert_eq!(checked.ask("GET", &settings, &at, None).await.status, 200);
    let none = format!("{}/settings", with("echo"));
    assert_eq!(checked.ask("GET", &settings, &none, None).await.status, 409);
    let trial = format!("{settings}/check");
    for (path, at) in [(&settings, at.clone()), (&trial, format!("{at}/check"))] {
        for (body, status) in [(json!({}), 200), (json!({"set": {"a": 1}}), 422)] {
            let answer = checked.ask("POST", path, &at, Some(body)).await;
            assert_eq!(answer.status, status, "{}", answer.text);
        }
    }
    let detail = "/api/v1/bots/{bot}";
    for (bot, status) in [("echo", 200), ("nobot", 404)] {
        let at = format!("/api/v1/bots/{bot}");
        assert_eq!(checked.ask("GET", detail, &at, None).await.status, status);
    }

    harness::eventually("it is back", || async {
        (server.app.controller().online().await == 4).then_some(())
    })
    .await;
    let send = |to: Value, text: &str| Some(json!({"to": to, "text": text, "key": "k"}));
    let at = format!("{one}/messages");
    let sent = checked
        .ask(
            "POST",
            &messages,
            &at,
            send(json!({"user": "echo-bot"}), "hi"),
        )
        .await;
    assert_eq!(sent.status, 200, "{}", sent.text);
    let again = checked
        .ask(
            "POST",
            &messages,
            &at,
            send(json!({"user": "echo-bot"}), "hi"),
        )
        .await;
    assert_eq!(
        again.json(),
        sent.json(),
        "the same key is the same message"
    );
    assert_eq!(
        checked
            .ask(
                "POST",
                &messages,
                &at,
                send(json!({"user": "echo-bot"}), "")
            )
            .await
            .status,
        422
    );
    let refused = checked
        .ask(
            "POST",
            &messages,
            &at,
            Some(json!({"to": {"group": "none"}, "text": "hi"})),
        )
        .await;
    assert_eq!(refused.status, 502, "{}", refused.text);

    let levels = "/api/v1/logs/levels";
    for (body, status) in [
        (
            json!({"account": "shop-*", "level": "debug", "for": "10m"}),
            200,
        ),
        (json!({"module": "gateway", "level": null}), 200),
        (json!({"level": "loud"}), 422),
        (json!({"level": "debug", "for": "2d"}), 422),
        (
            json!({"level": "debug", "module": "a", "account": "b"}),
            422,
        ),
    ] {
        let answer = checked.ask("PUT", levels, levels, Some(body)).await;
        assert_eq!(answer.status, status, "{}", answer.text);
    }
    let dialogue = "/api/v1/dialogues/{dialogue}";
    let none = "/api/v1/dialogues/0123";
    let gone = checked.ask("DELETE", dialogue, none, None).await;
    assert_eq!(gone.status, 404);
    let silences = "/api/v1/alerts/silences";
    let new = Some(json!({"rule": "share", "for": "1h"}));
    let made = checked.ask("POST", silences, silences, new).await.json();
    let silence = format!("{silences}/{{silence}}");
    let at = format!("{silences}/{}", made["number"]);
    for status in [200, 404] {
        assert_eq!(
            checked.ask("DELETE", &silence, &at, None).await.status,
            status
        );
    }
    let outbox = "/api/v1/outbox";
    let (letter, retry) = (
        format!("{outbox}/{{letter}}"),
        format!("{outbox}/{{letter}}/retry"),
    );
    assert_eq!(
        checked
            .ask("GET", outbox, &format!("{outbox}?state=failed"), None)
            .await
            .status,
        200
    );
    assert_eq!(
        checked
            .ask("DELETE", &letter, &format!("{outbox}/7777"), None)
            .await
            .status,
        404
    );
    assert_eq!(
        checked
            .ask("POST", &retry, &format!("{outbox}/7777/retry"), None)
            .await
            .status,
        404
    );

    for path in ["/api/v1/plan", "/api/v1/reload"] {
        let plan = checked.ask("POST", path, path, None).await.json();
        // The bots of one account were changed above: the config says otherwise.
        assert_eq!(
            (&plan["unchanged"], &plan["logins"]),
            (&json!(3), &json!(0))
        );
        assert_eq!(plan["accounts"][0]["because"][0], "bots");
    }
    let more = "[[accounts]]\nuser_id = \"new\"\nbots = [\"echo\"]\n";
    let good = server.text.lock().unwrap().clone();
    server.text.lock().unwrap().push_str(more);
    let reload = "/api/v1/reload";
    let done = checked.ask("POST", reload, reload, None).await.json();
    assert_eq!(done["accounts"][0]["action"], "start");
    assert!(
        done["text"]
            .as_str()
            .unwrap()
            .starts_with("+ start     new\n")
    );
    for (text, status, words) in [
        (
            format!("{good}{more}{more}"),
            422,
            "duplicate account \"new\"",
        ),
        (format!("{good}[io]\narbiters = 9\n"), 409, "only a restart"),
    ] {
        *server.text.lock().unwrap() = text;
        let refused = checked.ask("POST", reload, reload, None).await;
        assert_eq!(refused.status, status);
        assert!(
            refused.text.contains(&words.replace('"', "\\\"")),
            "{}",
            refused.text
        );
    }
    *server.text.lock().unwrap() = good;
    let done = checked.ask("POST", reload, reload, None).await.json();
    assert_eq!(done["accounts"][0]["action"], "stop");
    let handover = "/api/v1/handover";
    let to = Some(json!({ "socket": "/tmp/s" }));
    let refused = checked.ask("POST", handover, handover, to).await;
    assert_eq!(
        refused.status, 403,
        "logins go to the owner of the machine only"
    );

    let operator = Some(&*server.tokens["operator"]);
    let refused = server.ask("POST", reload, None, operator, &[]).await;
    assert_eq!(refused.status, 403, "a reload is for administrators");
    let talk = "/api/v1/sandbox/conversations/{user}/{account}";
    let at = "/api/v1/sandbox/conversations/alice/echo-bot";
    let said = Some(json!({"text": "good morning"}));
    let answer = checked.ask("POST", talk, at, said.clone()).await;
    assert_eq!(answer.status, 200);
    harness::eventually("the bot has answered", || async {
        let told = server.get(at).await.json();
        let messages = told["messages"].as_array().unwrap();
        let texts = messages.iter().filter_map(|it| it["text"].as_str());
        (texts.collect::<Vec<_>>() == ["good morning", "good morning"]).then_some(())
    })
    .await;
    assert_eq!(checked.ask("GET", talk, at, None).await.status, 200);
    let own = "/api/v1/sandbox/conversations/support-1/echo-bot";
    let answer = checked.ask("POST", talk, own, said.clone()).await;
    assert_eq!(
        answer.status, 409,
        "nobody speaks in the name of an account"
    );
    let none = "/api/v1/sandbox/conversations/alice/nobody";
    assert_eq!(checked.ask("POST", talk, none, said).await.status, 404);

    let group = "/api/v1/sandbox/groups/{group}/{user}/{account}";
    let at = "/api/v1/sandbox/groups/ops/alice/echo-bot";
    let said = Some(json!({"text": "good morning"}));
    assert_eq!(checked.ask("POST", group, at, said).await.status, 200);
    assert_eq!(checked.ask("GET", group, at, None).await.status, 200);
    for place in [
        "conversations/{user}/{account}",
        "groups/{group}/{user}/{account}",
    ] {
        let path = format!("/api/v1/sandbox/{place}/pictures");
        let at = path.replace("{group}", "ops");
        let at = at
            .replace("{user}", "alice")
            .replace("{account}", "echo-bot");
        let no_picture = checked.ask("POST", &path, &at, Some(json!({}))).await;
        assert_eq!(no_picture.status, 422, "{}", no_picture.text);
    }
    let picture = "/api/v1/sandbox/pictures/{account}/{token}/{name}";
    let none = "/api/v1/sandbox/pictures/echo-bot/0/x.png";
    assert_eq!(checked.ask("GET", picture, none, None).await.status, 502);
    let faults = "/api/v1/sandbox/accounts/{account}/faults";
    let at = "/api/v1/sandbox/accounts/echo-bot/faults";
    let fault = Some(json!({"fault": "stop_answering"}));
    assert_eq!(checked.ask("POST", faults, at, fault).await.status, 200);

    let link = checked
        .ask("POST", "/api/v1/console-link", "/api/v1/console-link", None)
        .await;
    let link = link.json()["url"].as_str().unwrap().to_owned();
    let (page, link) = link.split_once("#link=").unwrap();
    assert_eq!(page, format!("{}/console/", server.url()));
    let session = "/api/v1/session";
    let begun = server
        .ask("POST", session, Some(json!({ "link": link })), None, &[])
        .await;
    checked.compare("POST", session, &begun);
    let own = begun.json()["session"].as_str().unwrap().to_owned();
    let again = server
        .ask("POST", session, Some(json!({ "link": link })), None, &[])
        .await;
    checked.compare("POST", session, &again);
    assert_eq!(again.status, 401, "a link leads in once");
    let who = server.ask("GET", session, None, Some(&own), &[]).await;
    assert_eq!(who.json()["name"], "console");
    let ended = server.ask("DELETE", session, None, Some(&own), &[]).await;
    checked.compare("DELETE", session, &ended);
    let who = server.ask("GET", session, None, Some(&own), &[]).await;
    checked.compare("GET", session, &who);
    assert_eq!(who.status, 401, "it has ended");

    for (path, operations) in checked.description["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            // Streams do not end; they have a test of their own.
            let was_seen = checked
                .seen
                .iter()
                .any(|(m, p, _)| m == method && p == path);
            assert!(
                was_seen || path == "/api/v1/events" || path == "/api/v1/logs/stream",
                "{method} {path} was not asked"
            );
        }
    }
    let other = server.get("/api/v1/nothing").await;
    assert_eq!(
        (other.status, &other.json()["code"]),
        (404, &json!("not_found"))
    );
    let other = server.send("POST", "/api/v1/status", json!({})).await;
    assert_eq!(
        (other.status, &other.json()["code"]),
        (405, &json!("method_not_allowed"))
    );
    server.end().await;
}
