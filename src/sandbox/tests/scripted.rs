//! Faults of single commands and custom pushes, on the virtual clock.

use serde_json::{Value, json};

use super::{World, config, user};
use crate::state::{Fault, FaultError};

const HISTORY: &str = "openim.getroammsg";

fn history(world: &mut World, who: &super::Login) -> Value {
    world.call(who, HISTORY, &json!({"Peer_Account": "bob"}))
}

fn refuse(count: Option<u32>) -> Fault {
    Fault::Refuse {
        user: user("alice"),
        servcmd: HISTORY.to_owned(),
        code: 6017,
        count,
    }
}

#[test]
fn a_command_is_refused_so_often_and_for_one_account() {
    let mut world = World::new(config());
    let (alice, bob) = (world.login("alice"), world.login("bob"));
    world.fault(refuse(Some(2)));
    for expected in [6017, 6017, 0] {
        assert_eq!(world.hello(&alice), 0, "other commands are carried out");
        assert_eq!(history(&mut world, &bob)["ErrorCode"], 0);
        assert_eq!(history(&mut world, &alice)["ErrorCode"], expected);
    }
    world.fault(refuse(None));
    for _ in 0..5 {
        assert_eq!(history(&mut world, &alice)["ErrorCode"], 6017);
    }
    world.fault(refuse(Some(0)));
    assert_eq!(history(&mut world, &alice)["ErrorCode"], 0);
}

#[test]
fn what_is_refused_is_not_carried_out() {
    let mut world = World::new(config());
    let (alice, bob) = (world.login("alice"), world.login("bob"));
    world.fault(Fault::Refuse {
        user: user("alice"),
        servcmd: "openim.sendmsg".to_owned(),
        code: 80001,
        count: None,
    });
    let text = json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": "x"}}]);
    let send = json!({
        "From_Account": "alice", "To_Account": "bob", "MsgSeq": 1, "MsgRandom": 1, "MsgBody": text,
    });
    let answer = world.call(&alice, "openim.sendmsg", &send);
    assert_eq!(answer["ErrorCode"], 80001);
    assert!(world.pushes(bob.conn).is_empty());
    assert!(world.state.history(&user("alice"), &user("bob")).is_empty());
}

#[test]
fn a_command_gets_the_answer_that_was_ordered_or_none() {
    let mut world = World::new(config());
    let alice = world.login("alice");
    let body = json!({"ActionStatus": "FAIL", "ErrorCode": 0, "Odd": [1]});
    world.fault(Fault::Answer {
        user: user("alice"),
        servcmd: HISTORY.to_owned(),
        body: body.clone(),
        count: Some(1),
    });
    assert_eq!(history(&mut world, &alice), body);
    world.fault(Fault::Ignore {
        user: user("alice"),
        servcmd: HISTORY.to_owned(),
        count: Some(1),
    });
    assert_eq!(history(&mut world, &alice), Value::Null);
    assert_eq!(world.state.counters().withheld, 1);
    assert_eq!(history(&mut world, &alice)["ErrorCode"], 0);
}

#[test]
fn a_push_says_what_was_ordered() {
    let mut world = World::new(config());
    let (alice, bob) = (world.login("alice"), world.login("bob"));
    let event = json!({"Event": 99, "Odd": [{"x": null}]});
    let push = |envelope: Value, servcmd: &str| Fault::Push {
        user: user("alice"),
        event: event.clone(),
        servcmd: servcmd.to_owned(),
        envelope: envelope.as_object().cloned().unwrap_or_default(),
    };
    world.fault(push(json!({}), "im_open_push.msg_push"));
    let got = world.pushes(alice.conn).remove(0);
    assert_eq!(got["head"]["servcmd"], "im_open_push.msg_push");
    assert_eq!(got["body"]["EventArray"], json!([event]));
    assert_eq!(got["body"]["NeedAck"], 1);
    assert!(got["body"]["SessionData"].is_string());
    let acknowledge = json!({"SessionData": got["body"]["SessionData"]});
    world.call(&alice, "openim.ws_msg_push_ack", &acknowledge);
    assert_eq!(world.state.counters().acknowledged, 1);
    let servcmd = "im_open_push.multi_msg_push_ws";
    world.fault(push(json!({"NeedAck": 0, "Flag": 1}), servcmd));
    let got = world.pushes(alice.conn).remove(0);
    assert_eq!(got["head"]["servcmd"], servcmd);
    assert_eq!(
        (&got["body"]["NeedAck"], &got["body"]["Flag"]),
        (&json!(0), &json!(1))
    );
    assert!(world.pushes(bob.conn).is_empty());
}

#[test]
fn what_concerns_nobody_is_said() {
    let mut world = World::new(crate::SandboxConfig {
        auto_import: false,
        ..config()
    });
    let push: Fault =
        serde_json::from_value(json!({"fault": "push", "user": "nobody", "event": {}})).unwrap();
    let nobody = Err(FaultError::UnknownUser {
        user: user("nobody"),
    });
    assert_eq!(world.state.fault(world.now, push), nobody);
    let ignore = Fault::Ignore {
        user: user("nobody"),
        servcmd: HISTORY.to_owned(),
        count: None,
    };
    assert_eq!(world.state.fault(world.now, ignore), nobody);
}
