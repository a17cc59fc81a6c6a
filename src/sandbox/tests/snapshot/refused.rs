//! Text that is not a valid snapshot of this app: it is refused, or does no harm.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    super::{APP, Login, World, config, user},
    DEEDS, Deed, NAMES, act, answers, busy, comparable, files,
};
use crate::snapshot::SnapshotError;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn mangled_text_is_refused_or_does_no_harm(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0..4_u8, any::<u8>()), 1..4),
    ) {
        let mut text = SNAPSHOT.with(|text| text.clone()).into_bytes();
        for (at, how, byte) in cuts {
            let at = at.index(text.len());
            match how {
                0 => text[at] = byte,
                1 => text.truncate(at + 1),
                2 => text.insert(at, byte),
                _ => { text.remove(at); }
            }
        }
        try_out(&text);
    }

    #[test]
    fn odd_values_are_refused_or_do_no_harm(
        changes in prop::collection::vec((any::<prop::sample::Index>(), odd_value()), 1..6),
    ) {
        let mut read: Value = SNAPSHOT.with(|text| serde_json::from_str(text).unwrap());
        for (at, value) in changes {
            let mut places = Vec::new();
            find_places(&read["state"], "/state".to_owned(), &mut places);
            let place = &places[at.index(places.len())];
            // An earlier replacement may have removed the path.
            match (value, read.pointer_mut(place)) {
                (Some(value), Some(place)) => *place = value,
                (None, Some(_)) => remove(&mut read, place),
                (_, None) => {}
            }
        }
        try_out(read.to_string().as_bytes());
    }
}

thread_local! {
    static SNAPSHOT: String = super::text(&busy().state);
}

/// A replacement value, or `None` to remove the value.
fn odd_value() -> impl Strategy<Value = Option<Value>> {
    prop_oneof![
        Just(None),
        prop::sample::select(vec![
            json!(null),
            json!(u64::MAX),
            json!(u64::MAX / 4),
            json!(u32::MAX),
            json!(0),
            json!(-1),
            json!(i64::MIN),
            json!(1.5),
            json!(""),
            json!("bob"),
            json!([]),
            json!({}),
            json!(true),
            json!([["alice", "x"]]),
        ])
        .prop_map(Some),
    ]
}

fn find_places(value: &Value, place: String, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                find_places(item, format!("{place}/{at}"), found);
            }
        }
        Value::Object(fields) => {
            for (name, item) in fields {
                let name = name.replace('~', "~0").replace('/', "~1");
                find_places(item, format!("{place}/{name}"), found);
            }
        }
        _ => {}
    }
    found.push(place);
}

fn remove(value: &mut Value, place: &str) {
    let (parent, name) = place.rsplit_once('/').unwrap();
    match value.pointer_mut(parent).unwrap() {
        Value::Object(fields) => {
            fields.remove(&name.replace("~1", "/").replace("~0", "~"));
        }
        Value::Array(items) => {
            items.remove(name.parse().unwrap());
        }
        _ => unreachable!(),
    }
}

/// Restores the text; if that works, every account executes commands.
fn try_out(text: &[u8]) {
    let mut world = World::new(config());
    world.now = world.now.after(std::time::Duration::from_secs(1000));
    let before = super::text(&world.state);
    let files = BTreeMap::from([("0".repeat(32), u64::MAX)]);
    if world.state.restore(world.now, text, &files).is_err() {
        assert_eq!(
            super::text(&world.state),
            before,
            "a refused snapshot changes nothing"
        );
        return;
    }
    for name in NAMES {
        // The snapshot may void all current UserSigs.
        let (conn, sig) = (world.connect(), world.sig(name));
        if world.try_login(conn, name, &sig)["ErrorCode"] != 0 {
            return;
        }
    }
    let logins: Vec<Login> = NAMES.iter().map(|name| world.login(name)).collect();
    for kind in 0..DEEDS {
        for number in [1, 2, 5, 8] {
            let (who, whom) = (kind % 4, (kind + 1) % 4);
            let deed = Deed {
                kind,
                who,
                whom,
                number,
            };
            act(&mut world, &logins, deed);
        }
    }
    let path = world
        .state
        .media_address(world.now, &user("alice"), "a.txt");
    if let Some((token, name)) = path.as_deref().and_then(|path| path[7..].split_once('/')) {
        let begun = world.state.media_begin(world.now, token, name, None);
        assert_eq!(begun, Ok(()));
        // The quota may be used up.
        let _ = world.state.media_grow(token, 5);
        world.state.media_aborted(world.now, token);
    }
    world.pass(20.0);
    answers(&mut world);
    super::text(&world.state);
}

#[test]
fn what_it_starts_with_is_looked_at_first() {
    let refusal = |text: &str| {
        let mut world = World::new(config());
        let refused = world
            .state
            .restore(world.now, text.as_bytes(), &BTreeMap::new());
        refused.unwrap_err()
    };
    let newer = refusal(&format!(
        "{{\"format\": 3, \"app\": {APP}, \"state\": \"in a new shape\"}}"
    ));
    assert!(
        matches!(newer, SnapshotError::Newer { format: 3 }),
        "{newer}"
    );
    let other = refusal("{\"app\": 7, \"format\": 1, \"state\": 3}");
    let is_other = matches!(
        other,
        SnapshotError::OtherApp {
            found: 7,
            served: APP
        }
    );
    assert!(is_other, "{other}");
    for (text, expected) in [
        ("", "EOF while parsing a value at line 1 column 0"),
        ("{}", "missing field `format` at line 1 column 2"),
        ("\n\n  nonsense", "expected ident at line 3 column 4"),
        (
            "{\"format\":0,\"app\":1}",
            "expected a nonzero u64 at line 1 column 11",
        ),
        (
            &format!("{{\"format\":1,\"app\":{APP}}}"),
            "missing field `state` at line 1 column 29",
        ),
        (
            &format!(
                "{{\"format\":1,\"app\":{APP},\"state\":{{\n\"sessions\":18446744073709551615}}}}"
            ),
            "18446744073709551615 is too large for a counter at line 2 column 32",
        ),
    ] {
        let found = refusal(text).to_string();
        assert!(
            found.ends_with(expected),
            "expected {expected}, found {found}"
        );
    }
}

#[test]
fn missing_fields_have_defaults_and_unknown_ones_are_passed_over() {
    let mut world = World::new(config());
    let text = json!({"format": 1, "app": APP, "later": 1, "state": {
        "later": [], "accounts": {"zoe": {"later": 3}},
        "groups": {"all": {"g": {"id": "g", "members": {"zoe": {}}, "later": {}}}},
    }});
    let text = text.to_string();
    world
        .state
        .restore(world.now, text.as_bytes(), &BTreeMap::new())
        .unwrap();
    assert!(world.state.has_account(&user("administrator")), "as always");
    let zoe = world.login("zoe");
    let joined = world.group(&zoe, "get_joined_group_list", &json!({}));
    assert_eq!(joined["TotalCount"], 1);
    let said = world
        .state
        .say_to_group(world.now, &user("zoe"), "g", "hello");
    assert_eq!(said, Ok(1));
}

#[test]
fn what_an_older_program_wrote_can_be_read() {
    for (old, is_first) in [
        (include_str!("format-1.json"), true),
        (include_str!("format-2.json"), false),
    ] {
        let mut world = World::new(config());
        let restored = world
            .state
            .restore(world.now, old.as_bytes(), &files(old))
            .unwrap();
        assert_eq!(restored.lost_files, 0);
        let read: Value = serde_json::from_str(old).unwrap();
        let mut kept = comparable(&world.state);
        if is_first {
            as_in_format_1(&mut kept["state"]);
        }
        // New fields may have been added; the old ones keep their values.
        assert_contains(&kept["state"], &read["state"], "state");
    }
}

/// Moves the data of service tables back to the accounts, as in format 1.
fn as_in_format_1(state: &mut Value) {
    let of = |table: &Value, user: &str| table.get(user).cloned().unwrap_or_default();
    let or = |value: &Value, default: Value| {
        if value.is_null() {
            default
        } else {
            value.clone()
        }
    };
    let tables = state.clone();
    for (user, account) in state["accounts"].as_object_mut().unwrap() {
        let book = of(&tables["friends"], user);
        let statuses = &tables["user_statuses"];
        account["people"] = json!({
            "friends": or(&book["friends"], json!({})),
            "lists": or(&book["lists"], json!({})),
            "received": or(&book["received"], json!({})),
            "sent": or(&book["sent"], json!({})),
            "seen_until": or(&book["seen_until"], json!(0)),
            "blocked": or(&of(&tables["blacklists"], user), json!([])),
            "following": or(&of(&tables["follows"], user), json!({})),
            "watchers": or(&of(&statuses["watchers"], user), json!([])),
            "custom_status": or(&of(&statuses["custom"], user), json!("")),
        });
    }
}

fn assert_contains(kept: &Value, old: &Value, place: &str) {
    match (kept, old) {
        (Value::Object(kept), Value::Object(old)) => {
            for (name, value) in old {
                let place = format!("{place}.{name}");
                // Repeats were recognised by other fields, and only for minutes.
                let is_over = name == "recent_sends" || place.ends_with(".sent.client_seq");
                if !matches!(&**name, "starts" | "next_message") && !is_over {
                    assert_contains(kept.get(name).unwrap_or(&Value::Null), value, &place);
                }
            }
        }
        (Value::Array(kept), Value::Array(old)) if kept.len() == old.len() => {
            for (kept, old) in kept.iter().zip(old) {
                assert_contains(kept, old, place);
            }
        }
        _ => assert_eq!(kept, old, "{place}"),
    }
}

#[test]
fn no_secret_is_in_it() {
    let mut marked = config();
    marked.key = "marker-key".to_owned().into();
    let mut world = World::new(marked);
    let alice = world.login("alice");
    world.send(&alice, "bob", 1, "hello");
    let sig = world.sig("alice");
    let conn = world.connect();
    world.try_login(conn, "alice", &sig);
    world.rest("openim/sendmsg", &json!({}));
    let text = super::text(&world.state);
    assert!(text.contains("hello"));
    for secret in ["marker-key", &*sig, &*alice.a2, &world.sig("administrator")] {
        assert!(!text.contains(secret), "{secret}");
    }
}
