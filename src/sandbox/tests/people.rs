//! Profiles, friends, the blacklist and user status.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Login, World, config, user};
use crate::SandboxConfig;

/// The changes of this kind pushed to a login since the last call.
fn changes(world: &mut World, login: &Login, kind: &str) -> Vec<Value> {
    let pushes = world.pushes(login.conn);
    let events = pushes
        .iter()
        .filter_map(|push| push["body"]["EventArray"][0].get(kind));
    events
        .flat_map(|list| list.as_array().cloned().unwrap_or_default())
        .collect()
}

fn add(world: &mut World, login: &Login, to: &str, kind: &str) -> i64 {
    let body = json!({"From_Account": login.user, "AddType": kind, "AddFriendItem": [{
        "To_Account": to, "AddSource": "AddSource_Type_Web", "AddWording": "hi", "Remark": "r",
    }]});
    let answer = world.call(login, "sns.friend_add", &body);
    answer["ResultItem"][0]["ResultCode"].as_i64().unwrap()
}

fn allow(world: &mut World, login: &Login, kind: &str) {
    let item =
        json!({"Tag": "Tag_Profile_IM_AllowType", "Value": format!("AllowType_Type_{kind}")});
    let body = json!({"From_Account": login.user, "ProfileItem": [item]});
    world.call(login, "profile.portrait_set", &body);
}

fn relation(world: &mut World, login: &Login, to: &str) -> String {
    let body = json!({"To_Account": [to], "CheckType": "CheckResult_Type_Both"});
    let answer = world.call(login, "sns.friend_check", &body);
    answer["InfoItem"][0]["Relation"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn who_takes_everybody_is_a_friend_at_once() {
    let mut world = World::new(config());
    let (alice, bob) = (world.login("alice"), world.login("bob"));
    assert_eq!(add(&mut world, &alice, "bob", "Add_Type_Both"), 0);
    for (login, friend) in [(&alice, "bob"), (&bob, "alice")] {
        let changes = changes(&mut world, login, "FriendListMod");
        assert_eq!(
            changes,
            [json!({"PushType": 1, "FriendAdd_Account": [friend]})]
        );
    }
    assert_eq!(
        relation(&mut world, &alice, "bob"),
        "CheckResult_Type_BothWay"
    );
    let list = world.call(&alice, "sns.friend_get", &json!({"StartIndex": 0}));
    assert_eq!(list["UserDataItem"][0]["To_Account"], "bob");
    assert_eq!(
        (&list["CompleteFlag"], &list["NextStartIndex"]),
        (&json!(1), &json!(0))
    );
    let items = list["UserDataItem"][0]["ValueItem"].as_array().unwrap();
    assert!(
        items.contains(&json!({"Tag": "Tag_SNS_IM_Remark", "Value": "r"})),
        "{list}"
    );

    assert_eq!(add(&mut world, &alice, "bob", "Add_Type_Both"), 0);
    assert!(
        changes(&mut world, &bob, "FriendListMod").is_empty(),
        "nothing new"
    );
    assert_eq!(add(&mut world, &alice, "alice", "Add_Type_Both"), 30001);

    let body = json!({"To_Account": ["bob"], "DeleteType": "Delete_Type_Both"});
    assert_eq!(
        world.call(&alice, "sns.friend_delete", &body)["ResultItem"][0]["ResultCode"],
        0
    );
    assert_eq!(
        relation(&mut world, &alice, "bob"),
        "CheckResult_Type_NoRelation"
    );
    let gone = world.call(&alice, "sns.friend_delete", &body);
    assert_eq!(gone["ResultItem"][0]["ResultCode"], 31704);
}

#[test]
fn who_wants_to_be_asked_gets_an_application_and_decides() {
    for (action, mine, theirs) in [
        ("Response_Action_AgreeAndAdd", true, true),
        ("Response_Action_Agree", true, false),
        ("Response_Action_Reject", false, false),
    ] {
        let mut world = World::new(config());
        let (alice, bob) = (world.login("alice"), world.login("bob"));
        allow(&mut world, &bob, "NeedConfirm");
        assert_eq!(add(&mut world, &alice, "bob", "Add_Type_Both"), 30539);
        let pushed = changes(&mut world, &bob, "FriendListMod");
        assert_eq!(pushed[0]["PendencyAdd"][0]["PendencyAdd_Account"], "alice");
        assert_eq!(pushed[0]["PendencyAdd"][0]["AddWording"], "hi");
        for (login, kind, other) in [
            (&bob, "Pendency_Type_ComeIn", "alice"),
            (&alice, "Pendency_Type_SendOut", "bob"),
        ] {
            let list = world.call(login, "sns.pendency_get", &json!({}));
            assert_eq!(list["PendencyItem"][0]["PendencyType"], kind);
            assert_eq!(list["PendencyItem"][0]["To_Account"], other);
        }
        assert_eq!(
            relation(&mut world, &alice, "bob"),
            "CheckResult_Type_NoRelation"
        );

        let item = json!({"To_Account": "alice", "ResponseAction": action});
        let body = json!({"ResponseFriendItem": [item]});
        let answer = world.call(&bob, "sns.friend_response", &body);
        assert_eq!(answer["ResultItem"][0]["ResultCode"], 0);
        let expected = match (mine, theirs) {
            (true, true) => "CheckResult_Type_BothWay",
            (true, false) => "CheckResult_Type_AWithB",
            _ => "CheckResult_Type_NoRelation",
        };
        assert_eq!(relation(&mut world, &alice, "bob"), expected, "{action}");
        let list = world.call(&bob, "sns.pendency_get", &json!({}));
        assert_eq!(list["PendencyItem"], json!([]));
        let again = world.call(&bob, "sns.friend_response", &body);
        assert_eq!(
            again["ResultItem"][0]["ResultCode"], 30614,
            "the application was answered"
        );
    }
}

#[test]
fn who_takes_nobody_or_has_blocked_is_no_friend() {
    let mut world = World::new(config());
    let (alice, bob) = (world.login("alice"), world.login("bob"));
    allow(&mut world, &bob, "DenyAny");
    assert_eq!(add(&mut world, &alice, "bob", "Add_Type_Both"), 30516);
    world.call(
        &bob,
        "sns.black_list_add",
        &json!({"To_Account": ["alice"]}),
    );
    assert_eq!(add(&mut world, &alice, "bob", "Add_Type_Both"), 30525);
    assert_eq!(add(&mut world, &bob, "alice", "Add_Type_Both"), 30515);
    let forced = json!({"From_Account": "alice", "ForceAddFlags": 1, "AddFriendItem": [
        {"To_Account": "carol"},
    ]});
    let carol = world.login("carol");
    allow(&mut world, &carol, "DenyAny");
    assert_eq!(
        world.call(&alice, "sns.friend_add", &forced)["ResultItem"][0]["ResultCode"],
        30516,
        "force is for administrators"
    );
    assert_eq!(
        world.rest("sns/friend_add", &forced)["ResultItem"][0]["ResultCode"],
        0
    );
}

#[test]
fn friends_are_bounded_on_both_sides() {
    let mut world = World::new(SandboxConfig {
        friend_limit: 1,
        ..config()
    });
    let (alice, bob) = (world.login("alice"), world.login("bob"));
    world.login("carol");
    assert_eq!(add(&mut world, &alice, "bob", "Add_Type_Both"), 0);
    assert_eq!(add(&mut world, &alice, "carol", "Add_Type_Both"), 30010);
    let carol = world.login("carol");
    assert_eq!(add(&mut world, &carol, "bob", "Add_Type_Both"), 30014);
    assert_eq!(add(&mut world, &carol, "bob", "Add_Type_Single"), 0);
    assert_eq!(
        relation(&mut world, &bob, "carol"),
        "CheckResult_Type_BWithA"
    );
}

#[test]
fn a_blocked_sender_is_told_so_and_heard_again_afterwards() {
    let mut world = World::new(config());
    let (alice, bob) = (world.login("alice"), world.login("bob"));
    world.call(
        &bob,
        "sns.black_list_add",
        &json!({"To_Account": ["alice"]}),
    );
    let pushed = changes(&mut world, &bob, "FriendListMod");
    assert_eq!(
        pushed,
        [json!({"PushType": 5, "BlackListAdd_Account": ["alice"]})]
    );
    assert_eq!(world.send(&alice, "bob", 1, "hello")["ErrorCode"], 20007);
    assert_eq!(
        world.send(&bob, "alice", 1, "hello")["ErrorCode"],
        0,
        "one way only"
    );
    assert!(world.texts(bob.conn).is_empty());
    let list = world.call(&bob, "sns.black_list_get", &json!({}));
    assert_eq!(list["BlackListItem"][0]["To_Account"], "alice");
    assert_eq!(list["StartIndex"], 0);
    world.call(
        &bob,
        "sns.black_list_delete",
        &json!({"To_Account": ["alice"]}),
    );
    assert_eq!(world.send(&alice, "bob", 2, "hello again")["ErrorCode"], 0);
    assert_eq!(world.texts(bob.conn), ["hello again"]);
}

#[test]
fn friends_and_other_logins_hear_of_a_new_profile_and_strangers_do_not() {
    let mut world = World::new(SandboxConfig {
        max_web_instances: 2,
        ..config()
    });
    let (first, second) = (world.login("alice"), world.login("alice"));
    let (bob, carol) = (world.login("bob"), world.login("carol"));
    add(&mut world, &first, "bob", "Add_Type_Both");
    for login in [&first, &second, &bob, &carol] {
        world.pushes(login.conn);
    }
    let items = json!([
        {"Tag": "Tag_Profile_IM_Nick", "Value": "Alice!"},
        {"Tag": "Tag_Profile_IM_Level", "Value": 3},
        {"Tag": "Tag_Profile_Custom_Hat", "Value": "red"},
        {"Tag": "Tag_Profile_IM_Location", "Value": "x".repeat(5000)},
    ]);
    world.call(
        &first,
        "profile.portrait_set",
        &json!({"ProfileItem": items}),
    );
    let expected = json!([
        {"Tag": "Tag_Profile_IM_Nick", "ValueBytes": "Alice!"},
        {"Tag": "Tag_Profile_IM_Level", "ValueNum": 3},
        {"Tag": "Tag_Profile_Custom_Hat", "ValueBytes": "red"},
    ]);
    for login in [&second, &bob] {
        let pushed = changes(&mut world, login, "ProfileDataMod");
        assert_eq!(pushed[0]["Profile_Account"], "alice");
        assert_eq!(pushed[0]["ProfileList"], expected);
    }
    for login in [&first, &carol] {
        assert!(changes(&mut world, login, "ProfileDataMod").is_empty());
    }
}

#[test]
fn watchers_hear_of_coming_and_going_and_of_words() {
    let mut world = World::new(config());
    let (alice, bob) = (world.login("alice"), world.login("bob"));
    let carol = world.login("carol");
    let body = json!({"To_Account": ["bob", "nobody"]});
    let answer = world.call(&alice, "im_open_status.ws_status_subscribe", &body);
    assert_eq!(answer["ErrorList"][0]["To_Account"], "nobody");
    let status = |world: &mut World| changes(world, &alice, "UserStatusList");
    world.call(
        &bob,
        "im_open_status.ws_set_custom_status",
        &json!({"CustomStatus": "weg ü"}),
    );
    assert_eq!(
        status(&mut world),
        [json!({"To_Account": "bob", "Status": 1, "CustomStatus": "d2VnIMO8"})]
    );
    world.call(&bob, "im_open_status.wslogout", &json!({}));
    assert_eq!(status(&mut world)[0]["Status"], 2);
    let bob = world.login("bob");
    assert_eq!(status(&mut world)[0]["Status"], 1);
    world.close(bob.conn);
    for _ in 0..61 {
        world.pass(1.0);
        for login in [&alice, &carol] {
            world.call(login, "heartbeat.alive", &json!({}));
        }
    }
    let gone = status(&mut world);
    assert_eq!(gone.len(), 1, "once: {gone:?}");
    assert_eq!(gone[0]["Status"], 2, "its link timed out");
    world.call(
        &alice,
        "im_open_status.ws_status_unsubscribe",
        &json!({"To_Account": ["bob"]}),
    );
    world.login("bob");
    assert!(status(&mut world).is_empty());
    assert!(changes(&mut world, &carol, "UserStatusList").is_empty());
}

#[test]
fn lists_of_friends_hold_friends_only() {
    let mut world = World::new(config());
    let alice = world.login("alice");
    world.login("bob");
    add(&mut world, &alice, "bob", "Add_Type_Both");
    let body = json!({"GroupName": ["best"], "To_Account": ["bob", "carol"]});
    let rows = world.call(&alice, "sns.group_add", &body)["ResultItem"].clone();
    assert_eq!(
        (&rows[0]["ResultCode"], &rows[1]["ResultCode"]),
        (&json!(0), &json!(31704))
    );
    let rename = json!({"GroupOldName": "best", "GroupNewName": "old"});
    world.call(&alice, "sns.group_update", &rename);
    let lists = world.call(&alice, "sns.group_get", &json!({}))["ResultItem"].clone();
    assert_eq!(
        lists,
        json!([{"GroupName": "old", "FriendNumber": 1, "To_Account": ["bob"]}])
    );
    world.call(&alice, "sns.friend_delete", &json!({"To_Account": ["bob"]}));
    let lists = world.call(&alice, "sns.group_get", &json!({}))["ResultItem"].clone();
    assert_eq!(lists[0]["FriendNumber"], 0);
}

#[test]
fn a_deleted_account_is_nobodys_friend() {
    let mut world = World::new(config());
    let alice = world.login("alice");
    world.login("bob");
    add(&mut world, &alice, "bob", "Add_Type_Both");
    assert!(world.state.delete_account(&user("bob")));
    assert_eq!(
        world.call(&alice, "sns.friend_get", &json!({}))["FriendNum"],
        0
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn friendship_for_both_is_mutual_whatever_happens(
        steps in prop::collection::vec((0..3_usize, 0..3_usize, 0..4_u8), 0..40)
    ) {
        let mut world = World::new(config());
        let names = ["alice", "bob", "carol"];
        let logins: Vec<Login> = names.iter().map(|name| world.login(name)).collect();
        for (from, to, step) in steps {
            let to = names[to];
            match step {
                0 => { add(&mut world, &logins[from], to, "Add_Type_Both"); }
                1 => {
                    let body = json!({"To_Account": [to], "DeleteType": "Delete_Type_Both"});
                    world.call(&logins[from], "sns.friend_delete", &body);
                }
                2 => { world.call(&logins[from], "sns.black_list_add", &json!({"To_Account": [to]})); }
                _ => { world.call(&logins[from], "sns.black_list_delete", &json!({"To_Account": [to]})); }
            }
        }
        for login in &logins {
            for name in names {
                let relation = relation(&mut world, login, name);
                prop_assert!(matches!(&*relation, "CheckResult_Type_BothWay" | "CheckResult_Type_NoRelation"));
            }
        }
    }
}
