//! Tests every REST call of the sandbox over real HTTP, once with a good body and once with a bad
//! one.
//!
//! The table has a row for each of the following, in this order:
//! * accounts: import, multi-import, check, kick, delete;
//! * C2C (`openim`): send, batch send, import, withdraw, history, online status, read, unread;
//! * profiles: get, set; `sns`: friends, applications, friend lists, blacklist; `follow`;
//! * groups: create, import, members, messages, receipts, pins, attributes, counters, profiles,
//!   joining and applications, recalls, notices, owner, quitting, dismissing;
//! * reactions and extensions (`openim_msg_ext_http_svc`), topics;
//! * other calls of an app: muting accounts, robots, corrections, conversation lists, messages to
//!   all accounts.
//!
//! The last test reads the dispatchers and fails if they contain a command without a row.

mod app;
mod groups;
mod people;
mod reaction;

use std::{collections::BTreeSet, time::Duration};

use awc::http::StatusCode;
use botroupe::{
    proto::id::SdkAppId,
    sandbox::{Sandbox, SandboxConfig},
};
use serde_json::{Value, json};

const APP: u32 = 1_400_000_001;

/// The expected fields of an answer, by JSON pointer. Null stands for any existing value.
type Fields = Vec<(&'static str, Value)>;

/// A command, a good body with its expected answer, and a bad body with its expected code.
struct Row {
    command: &'static str,
    good: Value,
    answer: Fields,
    /// A text, so that a bad body can be invalid JSON.
    bad: String,
    code: i64,
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "tables are easier to read without references"
)]
fn row(
    command: &'static str,
    good: Value,
    answer: impl Into<Fields>,
    bad: impl ToString,
    code: i64,
) -> Row {
    Row {
        command,
        good,
        answer: answer.into(),
        bad: bad.to_string(),
        code,
    }
}

/// A body that is not JSON, for calls that accept every JSON object.
const NO_JSON: &str = "{";

fn text(text: &str) -> Value {
    json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": text}}])
}

/// Returns all rows with the full command, in the order in which they depend on each other.
fn rows() -> Vec<(String, Row)> {
    let groups = groups::rows()
        .into_iter()
        .map(|row| (format!("group_open_http_svc/{}", row.command), row));
    let items = json!([{"UserID": "carol"}, {"UserID": "eve"}]);
    let delete = row(
        "im_open_login_svc/account_delete",
        json!({"DeleteItem": items}),
        [
            ("/ResultItem/0/ResultCode", json!(0)),
            ("/ResultItem/1/ResultCode", json!(70107)),
        ],
        "{}",
        70402,
    );
    let named = |row: Row| (row.command.to_owned(), row);
    let first = people::account_rows()
        .into_iter()
        .chain(people::message_rows());
    let first = first
        .chain(people::profile_rows())
        .chain(people::relation_rows());
    let extras = reaction::rows()
        .into_iter()
        .map(|row| match row.command.contains('/') {
            true => named(row),
            false => (format!("openim_msg_ext_http_svc/{}", row.command), row),
        });
    let topics = reaction::topic_rows()
        .into_iter()
        .map(|row| (format!("million_group_open_http_svc/{}", row.command), row));
    let rows = first.map(named).chain(groups);
    rows.chain(extras)
        .chain(topics)
        .chain(app::rows().into_iter().map(named))
        .chain([named(delete)])
        .collect()
}

async fn call(sandbox: &Sandbox, command: &str, body: String) -> (StatusCode, Value) {
    let sig = sandbox.user_sig("administrator").unwrap();
    let url = format!(
        "{}/v4/{command}?sdkappid={APP}&identifier=administrator&usersig={}&random=1&contenttype=json",
        sandbox.rest_url(),
        sig.expose()
    );
    let mut answer = awc::Client::new()
        .post(url)
        .content_type("application/json")
        .send_body(body)
        .await
        .unwrap();
    (answer.status(), answer.json().await.unwrap())
}

#[test]
fn every_call_answers_a_good_body_and_refuses_a_bad_one() {
    let mut config = SandboxConfig::new(SdkAppId::new(APP).unwrap(), "secret");
    config.auto_import = false;
    let test = async {
        let sandbox = Sandbox::start(config, ([127, 0, 0, 1], 0).into())
            .await
            .unwrap();
        let mut wrong = Vec::new();
        for (command, row) in rows() {
            let (status, answer) = call(&sandbox, &command, row.good.to_string()).await;
            let ok = json!({"ActionStatus": "OK", "ErrorCode": 0, "ErrorInfo": ""});
            let mut fine = status == 200;
            for (name, value) in ok.as_object().unwrap() {
                fine &= answer[name] == *value;
            }
            for (pointer, value) in &row.answer {
                let found = answer.pointer(pointer);
                fine &= found.is_some_and(|found| value.is_null() || found == value);
            }
            if !fine {
                wrong.push(format!("{command} {}: {status} {answer}", row.good));
            }
            let (status, answer) = call(&sandbox, &command, row.bad.clone()).await;
            let is_refusal = answer["ActionStatus"] == "FAIL"
                && answer["ErrorCode"] == row.code
                && answer["ErrorInfo"]
                    .as_str()
                    .is_some_and(|info| !info.is_empty());
            if status != 200 || !is_refusal {
                wrong.push(format!(
                    "{command} {}: {status} {answer}, not {}",
                    row.bad, row.code
                ));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        sandbox.stop().await;
    };
    actix_rt::System::new().block_on(async {
        tokio::time::timeout(Duration::from_secs(60), test)
            .await
            .unwrap();
    });
}

#[test]
fn no_registered_call_is_without_a_row() {
    let known: BTreeSet<String> = Sandbox::rest_calls().into_iter().collect();
    assert!(known.len() >= 90, "{known:?}");
    // Every group call exists under each of the group services, with the same effect.
    let covered: BTreeSet<String> = rows()
        .into_iter()
        .map(|(command, _)| command.trim_start_matches("million_").to_owned())
        .collect();
    let missing: Vec<_> = known.difference(&covered).collect();
    assert!(missing.is_empty(), "without a row: {missing:?}");
    let unknown: Vec<_> = covered.difference(&known).collect();
    assert!(unknown.is_empty(), "rows for nothing: {unknown:?}");
}
