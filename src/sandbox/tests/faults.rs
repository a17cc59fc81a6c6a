//! Faults, on the virtual clock.

use serde_json::{Value, json};

use super::{START, World, config, user};
use crate::{
    CompressMode, SandboxConfig,
    state::{Fault, FaultError},
};

fn say(world: &mut World, text: &str) {
    world
        .state
        .say(world.now, &user("bob"), &user("alice"), text)
        .unwrap();
}

#[test]
fn drop_link_cuts_without_ending_the_login() {
    let mut world = World::new(config());
    let mut alice = world.login("alice");
    world.fault(Fault::DropLink {
        user: user("alice"),
    });
    assert_eq!(world.dropped, [alice.conn]);
    say(&mut world, "missed");
    alice.conn = world.connect();
    assert_eq!(
        world.call(&alice, "im_open_status.wslogin", &json!({}))["ErrorCode"],
        0
    );
    assert_eq!(
        super::texts_in(&world.getmsg(&alice, "c-0")["MsgList"]),
        ["missed"]
    );
}

#[test]
fn silence_swallows_requests_and_pushes() {
    let mut world = World::new(config());
    let alice = world.login("alice");
    world.fault(Fault::StopAnswering {
        user: user("alice"),
        seconds: Some(10),
    });
    assert_eq!(
        world.call(&alice, "heartbeat.alive", &json!({})),
        Value::Null
    );
    say(&mut world, "lost push");
    assert!(world.pushes(alice.conn).is_empty());
    // A new connection of the same account is silent too.
    let other = world.connect();
    let sig = world.sig("alice");
    assert_eq!(world.try_login(other, "alice", &sig), Value::Null);
    world.pass(10.0);
    assert_eq!(world.hello(&alice), 0);
    world.fault(Fault::StopAnswering {
        user: user("alice"),
        seconds: None,
    });
    assert_eq!(
        world.call(&alice, "heartbeat.alive", &json!({})),
        Value::Null
    );
    world.fault(Fault::ResumeAnswering {
        user: user("alice"),
    });
    assert_eq!(world.hello(&alice), 0);
    assert!(world.dropped.is_empty());
}

#[test]
fn delays_keep_the_order() {
    let mut world = World::new(config());
    let alice = world.login("alice");
    world.fault(Fault::Delay {
        user: user("alice"),
        millis: 500,
    });
    say(&mut world, "one");
    world.pass(0.2);
    world.fault(Fault::Delay {
        user: user("alice"),
        millis: 0,
    });
    say(&mut world, "two");
    assert!(world.texts(alice.conn).is_empty());
    world.pass(0.3);
    assert_eq!(world.texts(alice.conn), ["one", "two"]);
    say(&mut world, "three");
    assert_eq!(world.texts(alice.conn), ["three"]);
}

#[test]
fn duplicates_are_counted() {
    let mut world = World::new(config());
    let alice = world.login("alice");
    world.fault(Fault::Duplicate {
        user: user("alice"),
        count: 2,
    });
    for text in ["a", "b", "c"] {
        say(&mut world, text);
    }
    assert_eq!(world.texts(alice.conn), ["a", "a", "b", "b", "c"]);
}

#[test]
fn reordering_swaps_two_pushes() {
    let mut world = World::new(config());
    let alice = world.login("alice");
    world.fault(Fault::Reorder {
        user: user("alice"),
    });
    for text in ["a", "b", "c"] {
        say(&mut world, text);
    }
    assert_eq!(world.texts(alice.conn), ["b", "a", "c"]);
    world.fault(Fault::Reorder {
        user: user("alice"),
    });
    say(&mut world, "alone");
    assert!(world.texts(alice.conn).is_empty());
    world.pass(6.5);
    assert_eq!(world.texts(alice.conn), ["alone"], "not held forever");
}

#[test]
fn expiry_spares_pings() {
    let mut world = World::new(config());
    let alice = world.login("alice");
    let old = world.sig("alice");
    world.pass(2.0);
    world.fault(Fault::Expire {
        user: user("alice"),
    });
    assert_eq!(world.hello(&alice), 70001);
    assert_eq!(world.getmsg(&alice, "")["ErrorCode"], 70001);
    assert_eq!(
        world.call(&alice, "heartbeat.alive", &json!({}))["ErrorCode"],
        0
    );
    assert_eq!(
        world.try_login(alice.conn, "alice", &old)["ErrorCode"],
        70001
    );
    world.login_on(alice.conn, "alice");
}

#[test]
fn refusals_count_down_and_reach_resumes() {
    let mut world = World::new(config());
    let alice = world.login("alice");
    let refuse = |code, count| Fault::RefuseLogin {
        user: user("alice"),
        code,
        count,
    };
    world.fault(refuse(70500, Some(2)));
    for expected in [70500, 70500, 0] {
        let answer = world.call(&alice, "im_open_status.wslogin", &json!({}));
        assert_eq!(answer["ErrorCode"], expected);
    }
    world.fault(refuse(60020, None));
    let sig = world.sig("alice");
    for _ in 0..5 {
        assert_eq!(
            world.try_login(alice.conn, "alice", &sig)["ErrorCode"],
            60020
        );
    }
    world.fault(refuse(0, None));
    world.login_on(alice.conn, "alice");
}

#[test]
fn overload_names_the_command() {
    let mut world = World::new(config());
    let alice = world.login("alice");
    let servcmd = "openim.sendmsg".to_owned();
    world.fault(Fault::Overload {
        user: user("alice"),
        servcmd,
        seconds: 5,
    });
    let push = world.pushes(alice.conn).remove(0);
    assert_eq!(push["head"]["servcmd"], "OverLoadPush.notify2");
    assert_eq!(
        push["body"],
        json!({"OverLoadServCmd": "openim.sendmsg", "DelaySecs": 5})
    );
}

#[test]
fn compression_spares_text_clients() {
    let mut world = World::new(config());
    world.fault(Fault::Compress {
        mode: CompressMode::Sync,
    });
    let binary = world.connect();
    let text = crate::state::ConnId(500);
    world
        .state
        .connect(world.now, text, crate::state::Frames::Text, &[]);
    for (conn, packed) in [(binary, true), (text, false)] {
        world.request(
            conn,
            "heartbeat.alive",
            &json!({"identifier": "x"}),
            &json!({}),
        );
        let left = world.pushes(conn);
        assert_eq!(left == [json!("packed")], packed);
    }
}

#[test]
fn a_restart_may_forget() {
    for forget_logins in [false, true] {
        let mut world = World::new(config());
        let mut alice = world.login("alice");
        world.fault(Fault::Restart { forget_logins });
        assert_eq!(world.dropped, [alice.conn]);
        alice.conn = world.connect();
        let code = &world.call(&alice, "im_open_status.wslogin", &json!({}))["ErrorCode"];
        assert_eq!(*code, if forget_logins { 70001 } else { 0 });
    }
}

#[test]
fn the_clock_of_the_service_goes_ahead_of_monotonic_time() {
    let mut world = World::new(config());
    let alice = world.login("alice");
    let sent = world.send(&alice, "bob", 1, "before");
    world.fault(Fault::SkipClock { seconds: 121 });
    assert_eq!(world.state.skipped().as_secs(), 121);
    // The link lives by monotonic time.
    world.pass(1.0);
    assert!(world.dropped.is_empty());
    // The window of repeats is over.
    let again = world.send(&alice, "bob", 1, "before");
    assert_eq!(
        (&sent["MsgTime"], &again["MsgTime"]),
        (&json!(START), &json!(START + 122))
    );
    let login = world.login("bob");
    world.close(login.conn);
    let conn = world.connect();
    let sig = world.sig("bob");
    let answer = world.try_login(conn, "bob", &sig);
    assert_eq!(answer["TimeStamp"], START + 122, "{answer}");
    world.fault(Fault::SkipClock { seconds: 86_401 });
    assert_eq!(
        world.try_login(conn, "bob", &sig)["ErrorCode"],
        70001,
        "the UserSig is over"
    );
    for seconds in [u64::MAX, 315_360_000] {
        let too_far = world.state.fault(world.now, Fault::SkipClock { seconds });
        assert_eq!(too_far, Err(FaultError::ClockSkip { found: seconds }));
    }
    assert_eq!(world.state.skipped().as_secs(), 121 + 86_401);
}

#[test]
fn faults_say_what_is_wrong_with_them() {
    let mut world = World::new(SandboxConfig {
        auto_import: false,
        ..config()
    });
    let nobody = Fault::DropLink {
        user: user("nobody"),
    };
    assert_eq!(
        world.state.fault(world.now, nobody),
        Err(FaultError::UnknownUser {
            user: user("nobody")
        })
    );
    let kick = Fault::Kick {
        user: user("administrator"),
        kind: 9,
    };
    assert_eq!(
        world.state.fault(world.now, kick),
        Err(FaultError::KickType { found: 9 })
    );
}
