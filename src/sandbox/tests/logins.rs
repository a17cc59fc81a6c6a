//! Login, resume, limits, kicks, expiry.

use serde_json::json;

use super::{START, World, config, user};
use crate::{
    proto::id::SdkAppId,
    state::{ConnId, Fault, Frames, KickType},
};

#[test]
fn the_answer_has_every_field() {
    let mut world = World::new(config());
    let conn = world.connect();
    let sig = world.sig("alice");
    let answer = world.try_login(conn, "alice", &sig);
    assert_eq!(answer["ErrorCode"], 0);
    assert_eq!(answer["A2Key"].as_str().unwrap().len(), 96);
    assert_eq!(
        answer["TinyId"].as_str().unwrap().len(),
        18,
        "a string, too long for a double"
    );
    assert!(answer["InstId"].as_u64().unwrap() > 0);
    assert_eq!(answer["HelloInterval"], 120);
    assert_eq!(answer["TimeStamp"], START);
    assert_eq!(answer["CustomStatus"], "");
    assert_eq!(answer["PurchaseBits"], "1".repeat(64));
    assert_eq!(answer["RichMsgAuthKey"], "");
}

#[test]
fn each_bad_login_has_its_code() {
    let mut world = World::new(config());
    let conn = world.connect();
    let key = secrecy::SecretString::from("another");
    let app = SdkAppId::new(super::APP).unwrap();
    let foreign = crate::proto::usersig::sign(app, &key, &user("alice"), START, 60);
    let elsewhere = crate::proto::usersig::sign(
        SdkAppId::new(7).unwrap(),
        &world.state.config().key,
        &user("alice"),
        START,
        60,
    );
    for (sig, code) in [
        (world.sig_of("alice", START - 100, 99), 70001),
        (String::new(), 70002),
        ("rubbish".to_owned(), 70003),
        (foreign.expose().to_owned(), 70009),
        (world.sig("bob"), 70013),
        (elsewhere.expose().to_owned(), 70014),
    ] {
        assert_eq!(world.try_login(conn, "alice", &sig)["ErrorCode"], code);
    }
    assert!(!world.state.is_online(world.now, &user("alice")));
}

#[test]
fn unknown_accounts_need_importing_if_told_so() {
    let mut world = World::new(crate::SandboxConfig {
        auto_import: false,
        ..config()
    });
    let conn = world.connect();
    let sig = world.sig("alice");
    assert_eq!(world.try_login(conn, "alice", &sig)["ErrorCode"], 70107);
    world.state.import(&user("alice"));
    assert_eq!(world.try_login(conn, "alice", &sig)["ErrorCode"], 0);
}

#[test]
fn another_app_is_refused_but_its_pings_are_not() {
    let mut world = World::new(config());
    let conn = ConnId(900);
    let query = [("sdkappid".to_owned(), "7".to_owned())];
    world.state.connect(world.now, conn, Frames::Binary, &query);
    let sig = world.sig("alice");
    assert_eq!(world.try_login(conn, "alice", &sig)["ErrorCode"], 60006);
    let ping = world.request(conn, "heartbeat.alive", &json!({"a2": "stale"}), &json!({}));
    assert_eq!(ping["ErrorCode"], 0);
    let conn = world.connect();
    let head = json!({"sdkappid": 7, "identifier": "alice", "usersig": sig});
    let answer = world.request(conn, "im_open_status.wslogin", &head, &json!({}));
    assert_eq!(answer["ErrorCode"], 60006);
}

fn kick_type(push: &serde_json::Value) -> &serde_json::Value {
    assert_eq!(push["head"]["servcmd"], "im_open_status.stat_forceoffline");
    &push["body"]["EventArray"][0]["C2cNotifyMsgArray"][0]["KickoutMsgNotify"]["KickType"]
}

#[test]
fn f1b_a_kick_names_the_login_that_goes() {
    for kind in [KickType::Account, KickType::Device, KickType::Rest] {
        let mut world = World::new(config());
        let login = world.login("alice");
        let instance = world.state.instances(world.now, &user("alice"))[0];
        world.state.kick_all(world.now, &user("alice"), kind);
        let push = &world.pushes(login.conn)[0];
        let notify = &push["body"]["EventArray"][0]["C2cNotifyMsgArray"][0]["KickoutMsgNotify"];
        assert_eq!(notify["Instid"], instance, "{kind:?}");
    }
    let mut world = World::new(config());
    let first = world.login("alice");
    let instance = world.state.instances(world.now, &user("alice"))[0];
    world.login("alice");
    let push = &world.pushes(first.conn)[0];
    let notify = &push["body"]["EventArray"][0]["C2cNotifyMsgArray"][0]["KickoutMsgNotify"];
    assert_eq!(notify["Instid"], instance);
    assert_ne!(notify["NewInstInfo"]["InstId"], instance);
}

#[test]
fn over_the_limit_the_oldest_goes() {
    for limit in [1, 2] {
        let mut world = World::new(crate::SandboxConfig {
            max_web_instances: limit,
            ..config()
        });
        let logins: Vec<_> = (0..limit).map(|_| world.login("alice")).collect();
        let newcomer = world.login("alice");
        let pushes = world.pushes(logins[0].conn);
        assert_eq!(kick_type(&pushes[0]), 1, "limit {limit}");
        assert!(world.dropped.is_empty(), "the socket stays open");
        for other in &logins[1..] {
            assert!(world.pushes(other.conn).is_empty());
            assert_eq!(world.hello(other), 0);
        }
        assert_eq!(
            world.state.instances(world.now, &user("alice")).len(),
            limit
        );
        // The kicked client may log out; every other request is refused.
        let out = world.call(&logins[0], "im_open_status.wslogout", &json!({}));
        assert_eq!(out["ErrorCode"], 0);
        let body = json!({"State": "Online"});
        let again = world.call(&logins[0], "im_open_status.wslogin", &body);
        assert_eq!(
            (&again["ErrorCode"], &again["KickType"]),
            (&json!(1002), &json!(1))
        );
        let hello = world.call(&logins[0], "im_open_status.wshello", &json!({}));
        assert_eq!(
            (&hello["ErrorCode"], &hello["KickType"]),
            (&json!(1002), &json!(1))
        );
        // Other answers do not repeat the kick: the SDK reports every answer that names one.
        let other = world.call(&logins[0], "sns.friend_get", &json!({}));
        assert_eq!(
            (&other["ErrorCode"], other.get("KickType")),
            (&json!(1002), None)
        );
        assert_eq!(world.hello(&newcomer), 0, "the newcomer stays");
    }
}

#[test]
fn a_resume_gets_the_same_ticket_and_its_pushes() {
    let mut world = World::new(config());
    let mut alice = world.login("alice");
    let before = alice.conn;
    alice.conn = world.connect();
    // Known tickets are accepted before the resume, but pushes stay on the login's link.
    assert_eq!(world.send(&alice, "bob", 1, "early")["ErrorCode"], 0);
    world
        .state
        .say(world.now, &user("bob"), &user("alice"), "one")
        .unwrap();
    assert_eq!(world.texts(before), ["one"]);
    let answer = world.call(
        &alice,
        "im_open_status.wslogin",
        &json!({"State": "Online"}),
    );
    assert_eq!(answer["A2Key"], alice.a2);
    assert_eq!(answer["InstId"], alice.instance);
    world
        .state
        .say(world.now, &user("bob"), &user("alice"), "two")
        .unwrap();
    assert_eq!(world.texts(alice.conn), ["two"]);
    assert!(
        world.pushes(before).is_empty(),
        "the old socket gets no pushes"
    );
    assert_eq!(
        world.state.instances(world.now, &user("alice")),
        [alice.instance]
    );
}

#[test]
fn unknown_tickets_are_expired_logins() {
    let mut world = World::new(config());
    let conn = world.connect();
    for servcmd in [
        "im_open_status.wslogin",
        "im_open_status.wshello",
        "openim.getmsg",
    ] {
        let answer = world.request(conn, servcmd, &json!({"a2": "nobody's"}), &json!({}));
        assert_eq!(answer["ErrorCode"], 70001, "{servcmd}");
    }
    let out = world.request(
        conn,
        "im_open_status.wslogout",
        &json!({"a2": "x"}),
        &json!({}),
    );
    assert_eq!(out["ErrorCode"], 0, "logging out always succeeds");
}

#[test]
fn a_lost_link_counts_for_a_while_and_its_login_longer() {
    let mut world = World::new(config());
    let mut alice = world.login("alice");
    world.close(alice.conn);
    world.pass(59.0);
    assert!(world.state.is_online(world.now, &user("alice")));
    world.pass(2.0);
    assert!(!world.state.is_online(world.now, &user("alice")));
    alice.conn = world.connect();
    let answer = world.call(&alice, "im_open_status.wslogin", &json!({}));
    assert_eq!(answer["ErrorCode"], 0);
    assert!(world.state.is_online(world.now, &user("alice")));
}

#[test]
fn a_newcomer_takes_the_place_of_a_lost_login() {
    let mut world = World::new(config());
    let mut first = world.login("alice");
    world.close(first.conn);
    world.login("alice");
    first.conn = world.connect();
    let answer = world.call(&first, "im_open_status.wslogin", &json!({}));
    assert_eq!(answer["ErrorCode"], 1002);
}

#[test]
fn logout_frees_the_place_and_ends_the_ticket() {
    let mut world = World::new(config());
    let alice = world.login("alice");
    assert_eq!(
        world.call(&alice, "im_open_status.wslogout", &json!({}))["ErrorCode"],
        0
    );
    assert!(!world.state.is_online(world.now, &user("alice")));
    assert_eq!(world.hello(&alice), 70001);
    let ping = world.call(&alice, "heartbeat.alive", &json!({}));
    assert_eq!(ping["ErrorCode"], 0, "pings go on with the stale ticket");
    let again = world.login_on(alice.conn, "alice");
    assert_ne!(again.instance, alice.instance);
}

#[test]
fn a_ticket_dies_with_its_usersig() {
    let mut world = World::new(config());
    let conn = world.connect();
    let sig = world.sig_of("alice", START, 30);
    let answer = world.try_login(conn, "alice", &sig);
    let alice = super::Login {
        user: "alice".to_owned(),
        conn,
        a2: answer["A2Key"].as_str().unwrap().to_owned(),
        instance: answer["InstId"].as_u64().unwrap(),
    };
    world.pass(30.0);
    assert_eq!(world.hello(&alice), 0);
    world.pass(1.0);
    assert_eq!(world.hello(&alice), 70001);
    assert!(world.pushes(conn).is_empty(), "nothing is pushed about it");
    assert_eq!(
        world.call(&alice, "heartbeat.alive", &json!({}))["ErrorCode"],
        0
    );
    world
        .state
        .say(world.now, &user("bob"), &user("alice"), "too late")
        .unwrap();
    assert!(
        world.texts(conn).is_empty(),
        "no pushes to an expired login"
    );
}

#[test]
fn a_rest_kick_makes_older_usersigs_void() {
    let mut world = World::new(config());
    let alice = world.login("alice");
    let old = world.sig("alice");
    world.pass(5.0);
    assert_eq!(
        world.rest("im_open_login_svc/kick", &json!({"UserID": "alice"}))["ErrorCode"],
        0
    );
    assert_eq!(kick_type(&world.pushes(alice.conn)[0]), 3);
    assert_eq!(world.hello(&alice), 1002);
    assert_eq!(
        world.try_login(alice.conn, "alice", &old)["ErrorCode"],
        70052
    );
    let same_second = world.sig("alice");
    assert_eq!(
        world.try_login(alice.conn, "alice", &same_second)["ErrorCode"],
        70052
    );
    world.pass(1.0);
    world.login_on(alice.conn, "alice");
}

#[test]
fn every_kick_type_can_be_pushed() {
    for (kind, number) in [
        (KickType::Account, 1),
        (KickType::Device, 2),
        (KickType::Rest, 3),
    ] {
        let mut world = World::new(config());
        let alice = world.login("alice");
        world.fault(Fault::Kick {
            user: user("alice"),
            kind: kind.number(),
        });
        assert_eq!(kick_type(&world.pushes(alice.conn)[0]), number);
        assert!(!world.state.is_online(world.now, &user("alice")));
    }
    assert_eq!(KickType::from_number(4), None);
}

#[test]
fn native_terminals_do_not_count_as_web() {
    let mut world = World::new(config());
    let web = world.login("alice");
    let conn = world.connect();
    let head = json!({"identifier": "alice", "usersig": world.sig("alice"), "platform": 2});
    world.request(conn, "im_open_status.wslogin", &head, &json!({}));
    assert_eq!(world.hello(&web), 0);
    assert_eq!(world.state.instances(world.now, &user("alice")).len(), 2);
}

#[test]
fn logging_in_again_on_a_socket_replaces_the_login_without_a_kick() {
    let mut world = World::new(config());
    let first = world.login("alice");
    let second = world.login_on(first.conn, "alice");
    assert!(world.pushes(first.conn).is_empty());
    assert_eq!(
        world.state.instances(world.now, &user("alice")),
        [second.instance]
    );
}

#[test]
fn old_tickets_do_not_pile_up() {
    let mut world = World::new(config());
    let first = world.login("alice");
    for _ in 0..200 {
        let login = world.login("alice");
        world.close(login.conn);
    }
    assert_eq!(world.hello(&first), 70001, "long forgotten");
}
