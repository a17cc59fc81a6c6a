//! The REST calls and their codes.

use serde_json::{Value, json};

use super::{START, World, config, texts_in, user};
use crate::SandboxConfig;

fn code(answer: &Value) -> i64 {
    let code = answer["ErrorCode"].as_i64().unwrap();
    assert_eq!(
        answer["ActionStatus"],
        if code == 0 { "OK" } else { "FAIL" }
    );
    assert!(answer["ErrorInfo"].is_string());
    code
}

#[test]
fn who_may_call() {
    let mut world = World::new(config());
    let good = world.rest_query("administrator");
    let with = |name: &str, value: &str| {
        let mut query = good.clone();
        query.iter_mut().find(|(n, _)| n == name).unwrap().1 = value.to_owned();
        query
    };
    let alice = world.rest_query("alice");
    let expired = with("usersig", &world.sig_of("administrator", START - 10, 5));
    for (query, expected) in [
        (Vec::new(), 60012),
        (with("sdkappid", ""), 60012),
        (with("sdkappid", "7"), 60006),
        (with("sdkappid", "x"), 60006),
        (with("usersig", ""), 70002),
        (with("usersig", "x"), 70003),
        (with("usersig", &world.sig("alice")), 70013),
        (expired, 70001),
        (alice, 60010),
        (with("identifier", ""), 60004),
        (good.clone(), 0),
    ] {
        let body = br#"{"UserID":"carol"}"#;
        let path = "/v4/im_open_login_svc/account_import";
        let answer = world.state.rest(world.now, path, &query, body);
        assert_eq!(answer.status, 200);
        assert_eq!(code(&answer.json), expected);
    }
}

#[test]
fn bodies_that_are_no_json() {
    let mut world = World::new(config());
    let query = world.rest_query("administrator");
    for (command, expected) in [
        ("im_open_login_svc/account_import", 60003),
        ("openim/sendmsg", 90001),
        ("openim/query_online_status", 90001),
        ("no/such", 60002),
    ] {
        let path = format!("/v4/{command}");
        let answer = world.state.rest(world.now, &path, &query, b"{not json");
        assert_eq!(code(&answer.json), expected, "{command}");
    }
}

#[test]
fn accounts() {
    let mut world = World::new(SandboxConfig {
        auto_import: false,
        ..config()
    });
    let import = json!({"UserID": "alice", "Nick": "Al", "FaceUrl": "http://x"});
    assert_eq!(
        code(&world.rest("im_open_login_svc/account_import", &import)),
        0
    );
    assert_eq!(
        code(&world.rest("im_open_login_svc/account_import", &json!({}))),
        70402
    );
    let many = json!({"AccountList": [{"UserID": "bob"}, {"UserID": "a b"}]});
    let answer = world.rest("im_open_login_svc/multiaccount_import", &many);
    assert_eq!(answer["FailAccounts"], json!(["a b"]));
    let older = json!({"Accounts": ["carol"]});
    assert_eq!(
        world.rest("im_open_login_svc/multiaccount_import", &older)["FailAccounts"],
        json!([])
    );
    let check = json!({"CheckItem": [{"UserID": "alice"}, {"UserID": "nobody"}]});
    let answer = world.rest("im_open_login_svc/account_check", &check);
    assert_eq!(answer["ResultItem"][0]["AccountStatus"], "Imported");
    assert_eq!(answer["ResultItem"][1]["AccountStatus"], "NotImported");
    let login = world.login("alice");
    let delete = json!({"DeleteItem": [{"UserID": "alice"}, {"UserID": "nobody"}]});
    let answer = world.rest("im_open_login_svc/account_delete", &delete);
    assert_eq!(answer["ResultItem"][0]["ResultCode"], 0);
    assert_eq!(answer["ResultItem"][1]["ResultCode"], 70107);
    assert_eq!(world.hello(&login), 70001, "its logins have ended too");
    assert_eq!(
        code(&world.rest("im_open_login_svc/kick", &json!({"UserID": "alice"}))),
        70107
    );
}

fn message(to: &Value) -> Value {
    json!({
        "SyncOtherMachine": 2, "From_Account": "alice", "To_Account": to, "MsgRandom": 5,
        "MsgSeq": 6, "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "hi"}}],
    })
}

#[test]
fn sending() {
    let mut world = World::new(SandboxConfig {
        auto_import: false,
        accounts: vec![user("alice"), user("bob")],
        ..config()
    });
    let bob = world.login("bob");
    let answer = world.rest("openim/sendmsg", &message(&json!("bob")));
    assert_eq!(answer["MsgKey"], format!("6_5_{START}"));
    assert_eq!(world.texts(bob.conn), ["hi"]);
    // A repeat is recognised as the same message.
    world.pass(1.0);
    assert_eq!(
        world.rest("openim/sendmsg", &message(&json!("bob")))["MsgTime"],
        START
    );
    assert!(world.texts(bob.conn).is_empty());

    let but = |field: &str, value: Value| {
        let mut call = message(&json!("bob"));
        call[field] = value;
        call
    };
    for (call, expected) in [
        (message(&json!("nobody")), 90048),
        (message(&json!(7)), 90003),
        (message(&json!("a b")), 90003),
        (but("From_Account", json!("nobody")), 90008),
        (but("MsgRandom", json!("x")), 90005),
        (but("MsgLifeTime", json!(604_801)), 90026),
        (but("MsgBody", json!({})), 90007),
        (but("MsgBody", json!([{}])), 90010),
    ] {
        assert_eq!(
            code(&world.rest("openim/sendmsg", &call)),
            expected,
            "{call}"
        );
    }
    let mut long = message(&json!("bob"));
    long["MsgRandom"] = json!(77);
    long["MsgBody"][0]["MsgContent"]["Text"] = json!("x".repeat(13_000));
    assert_eq!(code(&world.rest("openim/sendmsg", &long)), 93000);
}

#[test]
fn sending_to_many() {
    let mut world = World::new(SandboxConfig {
        auto_import: false,
        accounts: vec![user("alice"), user("bob"), user("carol")],
        ..config()
    });
    let (bob, carol) = (world.login("bob"), world.login("carol"));
    let answer = world.rest(
        "openim/batchsendmsg",
        &message(&json!(["bob", "nobody", "carol"])),
    );
    assert_eq!(
        answer["ErrorList"],
        json!([{"To_Account": "nobody", "ErrorCode": 90048}])
    );
    assert_eq!(world.texts(bob.conn), ["hi"]);
    assert_eq!(world.texts(carol.conn), ["hi"]);
    let too_many = vec!["bob"; 501];
    let answer = world.rest("openim/batchsendmsg", &message(&json!(too_many)));
    assert_eq!(code(&answer), 90011);
}

#[test]
fn status_recall_and_history() {
    let mut world = World::new(config());
    let (alice, bob) = (world.login("alice"), world.login("bob"));
    world.close(bob.conn);
    world.pass(61.0);
    // Pings keep a link alive. This test sends none, so the other link has been cut by now.
    let alice = world.login_on_new(&alice);
    let query = json!({"To_Account": ["alice", "bob", "nobody"], "IsNeedDetail": 1});
    let answer = world.rest("openim/querystate", &query);
    assert_eq!(answer["QueryResult"][0]["Status"], "Online");
    assert_eq!(answer["QueryResult"][0]["Detail"][0]["Platform"], "Web");
    assert_eq!(answer["QueryResult"][1]["Status"], "Offline");
    assert_eq!(answer["ErrorList"][0]["To_Account"], "nobody");

    for n in 1..=5 {
        world.send(&alice, "bob", n, &format!("m{n}"));
        world.pass(1.0);
    }
    let first = world.now.unix_secs() - 5;
    let body = json!({"From_Account": "alice", "To_Account": "bob", "MaxCnt": 3, "MinTime": 0,
        "MaxTime": START + 1000});
    let page = world.rest("openim/admin_getroammsg", &body);
    assert_eq!(texts_in(&page["MsgList"]), ["m3", "m4", "m5"]);
    assert_eq!(page["Complete"], 0);
    let mut more = body.clone();
    more["LastMsgKey"] = page["LastMsgKey"].clone();
    let page = world.rest("openim/admin_getroammsg", &more);
    assert_eq!(texts_in(&page["MsgList"]), ["m1", "m2"]);
    assert_eq!(page["Complete"], 1);

    world.pass(10_000.0);
    let recall = |key: String| json!({"From_Account": "alice", "To_Account": "bob", "MsgKey": key});
    let known = world.rest("openim/admin_msgwithdraw", &recall(format!("1_1_{first}")));
    assert_eq!(code(&known), 0, "no time limit");
    assert!(world.state.history(&user("alice"), &user("bob"))[0].recalled);
    let unknown = world.rest("openim/admin_msgwithdraw", &recall("1_2_3".to_owned()));
    assert_eq!(code(&unknown), 90054);
}

impl World {
    /// Resumes a login on a new connection.
    fn login_on_new(&mut self, login: &super::Login) -> super::Login {
        let login = super::Login {
            conn: self.connect(),
            ..login.clone()
        };
        let answer = self.call(&login, "im_open_status.wslogin", &json!({}));
        assert_eq!(answer["ErrorCode"], 0);
        login
    }
}
