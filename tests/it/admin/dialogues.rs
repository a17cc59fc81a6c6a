//! Dialogues over the API.

use super::{Server, server};
use crate::harness;
use serde_json::{Value, json};

const DIALOGUES: &str = "/api/v1/dialogues";

async fn page(server: &Server, query: &str, token: &str) -> Value {
    let token = Some(&*server.tokens[token]);
    let path = format!("{DIALOGUES}{query}");
    server.ask("GET", &path, None, token, &[]).await.json()
}

async fn end(server: &Server, id: &str, token: &str) -> u16 {
    let token = Some(&*server.tokens[token]);
    let path = format!("{DIALOGUES}/{id}");
    server.ask("DELETE", &path, None, token, &[]).await.status
}

fn say(server: &Server, from: &str, to: &str, text: &str) {
    server.app.sandbox().unwrap().say(from, to, text).unwrap();
}

/// What an account has said to somebody.
fn said(server: &Server, account: &str, to: &str) -> Vec<String> {
    harness::said(server.app.sandbox().unwrap(), account, to)
}

#[actix_rt::test]
async fn a_dialogue_is_seen_with_its_question_and_dropped_and_what_is_said_then_is_no_answer() {
    let server = server("").await;
    for account in ["support-1", "echo-bot"] {
        let path = format!("/api/v1/accounts/{account}/bots");
        let bots = server.send("PUT", &path, json!({"bots": ["signup"]})).await;
        assert_eq!(bots.status, 200, "{}", bots.text);
    }
    for user in ["alice", "bob", "carol"] {
        say(&server, user, "support-1", "hello");
    }
    say(&server, "dora", "echo-bot", "hello");
    let wait = async |count: usize| {
        harness::eventually("the dialogues wait, and are written down", || async {
            let all = page(&server, "", "all").await;
            let dialogues = all["dialogues"].as_array().unwrap();
            let written = dialogues.iter().filter(|it| it["since"].is_u64()).count();
            (all["total"] == count && written == count).then_some(all)
        })
        .await
    };
    let all = wait(4).await;
    let times = all["dialogues"].as_array().unwrap().iter();
    let times: Vec<_> = times.map(|it| it["deadline"].as_u64()).collect();
    assert!(times.is_sorted(), "{times:?}");
    assert_eq!(
        page(&server, "", "shop").await["total"],
        3,
        "dora's is of another"
    );
    assert_eq!(page(&server, "?bot=echo", "all").await["total"], 0);
    let next = page(&server, "?limit=3", "all").await["next"].clone();
    assert_eq!(next, 3);
    let last = page(&server, "?limit=3&from=3", "all").await;
    assert_eq!(last["dialogues"].as_array().unwrap().len(), 1);
    assert!(last["next"].is_null());

    let of = async |person: &str| {
        let page = page(&server, &format!("?person={person}"), "all").await;
        page["dialogues"][0].clone()
    };
    let bob = of("bob").await;
    assert_eq!(bob["question"], "What is your name?");
    assert_eq!(
        (&bob["account"], &bob["bot"]),
        (&json!("support-1"), &json!("signup"))
    );
    assert_eq!(bob["conversation"], json!({"user": "bob"}));
    assert_eq!(bob["approver"], Value::Null);
    assert!(bob["deadline"].as_u64() > bob["since"].as_u64());
    say(&server, "bob", "support-1", "Bob");
    harness::eventually("the next question waits", || async {
        (of("bob").await["question"] == "How old are you?").then_some(())
    })
    .await;
    assert_eq!(of("bob").await["id"], bob["id"], "it is the same dialogue");

    let id = |it: &Value| it["id"].as_str().unwrap().to_owned();
    let (bob, alice, dora) = (id(&bob), id(&of("alice").await), id(&of("dora").await));
    assert_eq!(end(&server, &dora, "shop").await, 404);
    assert_eq!(end(&server, &bob, "reader").await, 403);
    assert_eq!(end(&server, &bob, "operator").await, 200);
    assert_eq!(end(&server, &bob, "operator").await, 404);
    assert_eq!(end(&server, &alice, "shop").await, 200);
    assert_eq!(wait(2).await["total"], 2);
    // What bob says now begins a new one.
    say(&server, "bob", "support-1", "41");
    assert_eq!(wait(3).await["total"], 3);
    let name = "What is your name?";
    harness::eventually("it asks from the start", || async {
        let told = said(&server, "support-1", "bob");
        (told == [name, "How old are you?", name]).then_some(())
    })
    .await;
    server.end().await;
}
