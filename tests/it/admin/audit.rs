//! The audit over the API.

use super::{Server, server};
use serde_json::{Value, json};

async fn page(server: &Server, query: &str) -> Value {
    let page = server.get(&format!("/api/v1/audit{query}")).await;
    assert_eq!(page.status, 200, "{}", page.text);
    page.json()
}

fn numbers(page: &Value) -> Vec<u64> {
    let entries = page["entries"].as_array().unwrap().iter();
    entries.filter_map(|it| it["number"].as_u64()).collect()
}

#[actix_rt::test]
async fn what_was_ordered_is_seen_newest_first_filtered_and_known_to_be_whole() {
    let server = server("").await;
    assert_eq!(page(&server, "").await["entries"], json!([]));
    for account in ["echo-bot", "support-1", "support-2", "nobody"] {
        server.order(account, "hold").await;
    }
    let operator = Some(&*server.tokens["operator"]);
    let path = "/api/v1/accounts/support-3/bots/counter";
    assert_eq!(
        server.ask("DELETE", path, None, operator, &[]).await.status,
        200
    );

    let all = page(&server, "").await;
    // The order to nobody is there twice: with its refusal.
    assert_eq!(numbers(&all), [6, 5, 4, 3, 2, 1]);
    assert!(all["next"].is_null());
    let newest = &all["entries"][0];
    assert_eq!(
        (&newest["who"], &newest["from"]),
        (&json!("operator"), &json!("127.0.0.1"))
    );
    assert_eq!(newest["what"]["path"], path);
    assert_eq!(all["entries"][1]["what"]["refused"], 404);
    assert_eq!(all["entries"][5]["what"]["body"], json!({"order": "hold"}));

    assert_eq!(numbers(&page(&server, "?who=OPER").await), [6]);
    assert_eq!(numbers(&page(&server, "?what=SUPPORT-").await), [6, 3, 2]);
    assert_eq!(numbers(&page(&server, "?who=all&what=echo").await), [1]);
    let first = page(&server, "?limit=4").await;
    assert_eq!(
        (numbers(&first), &first["next"]),
        (vec![6, 5, 4, 3], &json!(3))
    );
    let second = page(&server, "?limit=4&before=3").await;
    assert_eq!(
        (numbers(&second), &second["next"]),
        (vec![2, 1], &Value::Null)
    );

    let verified = server.get("/api/v1/audit/verify").await.json();
    assert_eq!(verified["entries"], 6);
    assert_eq!(verified["head"], newest["hash"]);
    assert!(verified["broken"].is_null());
    for path in ["/api/v1/audit", "/api/v1/audit/verify"] {
        assert_eq!(
            server.ask("GET", path, None, operator, &[]).await.status,
            403,
            "{path}"
        );
    }
    server.end().await;
}

#[actix_rt::test]
async fn an_entry_that_was_changed_in_the_file_is_found() {
    let server = server("").await;
    for account in ["echo-bot", "support-1", "support-2"] {
        server.order(account, "hold").await;
    }
    let config = server.app.controller().config();
    let file = rusqlite::Connection::open(&*config.store.path).unwrap();
    file.busy_timeout(std::time::Duration::from_secs(30))
        .unwrap();
    let changed = file.execute(
        "UPDATE audit SET who = 'somebody else' WHERE number = 2",
        (),
    );
    assert_eq!(changed, Ok(1));
    let verified = server.get("/api/v1/audit/verify").await.json();
    assert_eq!(verified["entries"], 1);
    let broken = verified["broken"].as_str().unwrap();
    assert!(broken.contains("entry 2 was changed"), "{broken}");
    server.end().await;
}
