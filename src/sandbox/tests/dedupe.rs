//! Which repeated sends are recognised, and for how long.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Login, World, config, send_body, user};
use crate::{Dedupe, SandboxConfig, state::Fault};

/// A second send, and whether it repeats the first one, by the documented rule.
struct Case {
    what: &'static str,
    /// Seconds after the first one.
    after: f64,
    change: fn(&mut Value),
    by_other: bool,
    is_repeat: bool,
}

const fn case(what: &'static str, after: f64, is_repeat: bool) -> Case {
    Case {
        what,
        after,
        change: |_| {},
        by_other: false,
        is_repeat,
    }
}

fn start(dedupe: Dedupe) -> (World, Login, Login) {
    let mut world = World::new(SandboxConfig {
        dedupe,
        // The clients are silent for longer than links may be.
        idle_timeout: Duration::from_secs(86_400),
        ..config()
    });
    let (alice, bob) = (world.login("alice"), world.login("bob"));
    world.found(&alice, "Public", "g", &["bob"]);
    (world, alice, bob)
}

/// Sends a message twice, and returns whether the second one was a repeat: not delivered, and answered
/// as the first one.
fn repeats(
    world: &mut World,
    logins: [&Login; 2],
    command: &str,
    bodies: [&Value; 2],
    after: f64,
) -> bool {
    let before = world.state.counters().clone();
    let first = world.call(logins[0], command, bodies[0]);
    assert_eq!(first["ErrorCode"], 0, "{first}");
    world.pass(after);
    let second = world.call(logins[1], command, bodies[1]);
    assert_eq!(second["ErrorCode"], 0, "{second}");
    let counters = world.state.counters();
    let sent =
        counters.messages + counters.group_messages - before.messages - before.group_messages;
    let repeated = counters.repeated_sends - before.repeated_sends;
    assert_eq!(sent + repeated, 2);
    if repeated == 1 {
        assert_eq!(first, second);
    }
    repeated == 1
}

#[test]
fn one_to_one_messages_by_numbers_and_content_for_two_minutes() {
    let cases = [
        case("at once", 0.0, true),
        case("just within the window", 119.0, true),
        case("at the end of the window", 120.0, false),
        case("long after it", 7200.0, false),
        Case {
            change: |body| body["MsgBody"][0]["MsgContent"]["Text"] = json!("other"),
            ..case("other content", 1.0, false)
        },
        Case {
            change: |body| body["MsgSeq"] = json!(8),
            ..case("other MsgSeq", 1.0, false)
        },
        Case {
            change: |body| body["MsgRandom"] = json!(8),
            ..case("other MsgRandom", 1.0, false)
        },
        Case {
            change: |body| body["To_Account"] = json!("carol"),
            ..case("other receiver", 1.0, false)
        },
        Case {
            change: |body| body["CloudCustomData"] = json!("x"),
            ..case("what is not the content", 1.0, true)
        },
        Case {
            change: |body| body["From_Account"] = json!("bob"),
            by_other: true,
            ..case("other sender", 1.0, false)
        },
    ];
    for case in cases {
        for dedupe in [Dedupe::Documented, Dedupe::None, Dedupe::Forever] {
            let (mut world, alice, bob) = start(dedupe);
            let body = send_body("alice", "dave", 7, "hello");
            let mut second = body.clone();
            (case.change)(&mut second);
            let by = if case.by_other { &bob } else { &alice };
            let (logins, bodies) = ([&alice, by], [&body, &second]);
            let expected = match dedupe {
                Dedupe::Documented => case.is_repeat,
                Dedupe::None => false,
                Dedupe::Forever => case.is_repeat || case.after > 119.0,
            };
            let is_repeat = repeats(&mut world, logins, "openim.sendmsg", bodies, case.after);
            assert_eq!(is_repeat, expected, "{}, {dedupe:?}", case.what);
        }
    }
}

#[test]
fn group_messages_by_random_for_five_minutes() {
    let cases = [
        case("at once", 0.0, true),
        case("just within the window", 299.0, true),
        case("at the end of the window", 300.0, false),
        case("long after it", 7200.0, false),
        Case {
            change: |body| body["MsgBody"][0]["MsgContent"]["Text"] = json!("other"),
            ..case("other content", 1.0, true)
        },
        Case {
            change: |body| body["ClientSeq"] = json!(8),
            ..case("other ClientSeq", 1.0, true)
        },
        Case {
            change: |body| body["Random"] = json!(8),
            ..case("other Random", 1.0, false)
        },
        Case {
            change: |body| body["GroupId"] = json!("h"),
            ..case("other group", 1.0, false)
        },
        Case {
            by_other: true,
            ..case("other sender", 1.0, false)
        },
    ];
    for case in cases {
        for dedupe in [Dedupe::Documented, Dedupe::None, Dedupe::Forever] {
            let (mut world, alice, bob) = start(dedupe);
            world.found(&alice, "Public", "h", &[]);
            let body = json!({
                "GroupId": "g", "Random": 7, "ClientSeq": 7,
                "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "hello"}}],
            });
            let mut second = body.clone();
            (case.change)(&mut second);
            let by = if case.by_other { &bob } else { &alice };
            let command = "group_open_http_svc.send_group_msg";
            let (logins, bodies) = ([&alice, by], [&body, &second]);
            let expected = match dedupe {
                Dedupe::Documented => case.is_repeat,
                Dedupe::None => false,
                Dedupe::Forever => case.is_repeat || case.after > 299.0,
            };
            let is_repeat = repeats(&mut world, logins, command, bodies, case.after);
            assert_eq!(is_repeat, expected, "{}, {dedupe:?}", case.what);
        }
    }
}

#[test]
fn the_rest_api_follows_the_same_rule() {
    let mut world = World::new(config());
    let send = |world: &mut World, text: &str| {
        let body = json!({
            "From_Account": "alice", "To_Account": "bob", "MsgSeq": 3, "MsgRandom": 5,
            "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": text}}],
        });
        world.rest("openim/sendmsg", &body)
    };
    world.state.import(&user("alice"));
    let first = send(&mut world, "one");
    assert_eq!(first["ActionStatus"], "OK", "{first}");
    world.pass(119.0);
    assert_eq!(send(&mut world, "one"), first);
    send(&mut world, "two");
    world.pass(1.0);
    assert_ne!(send(&mut world, "one"), first);
    let history = world.state.history(&user("alice"), &user("bob"));
    assert_eq!(history.len(), 3);
}

#[test]
fn a_fault_changes_the_rule_while_running() {
    let (mut world, alice, _) = start(Dedupe::Documented);
    let count = |world: &World| world.state.history(&user("alice"), &user("bob")).len();
    let modes = [
        (Dedupe::None, 1.0, 2),
        (Dedupe::Documented, 1.0, 2),
        (Dedupe::Forever, 500.0, 2),
        (Dedupe::Documented, 0.0, 3),
    ];
    world.send(&alice, "bob", 1, "hello");
    for (mode, after, expected) in modes {
        world.fault(Fault::Dedupe { mode });
        world.pass(after);
        world.send(&alice, "bob", 1, "hello");
        assert_eq!(count(&world), expected, "{mode:?}");
    }
}
