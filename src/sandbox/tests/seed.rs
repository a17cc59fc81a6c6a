//! Seeds: clients see everything in them, and every mistake is reported.

use serde_json::{Value, json};

use super::{World, config, texts_in};
use crate::{SandboxConfig, Seed, SeedError};

const EXAMPLE: &str = include_str!("../../../examples/seed.toml");

fn apply(world: &mut World, text: &str) -> Result<(), SeedError> {
    world
        .state
        .apply_seed(world.now, &Seed::parse("seed.toml", text)?)
}

fn refusal(text: &str) -> String {
    let world = &mut World::new(config());
    apply(world, text).unwrap_err().to_string()
}

/// A seed with two accounts, a group, and `more`.
fn with(more: &str) -> String {
    format!(
        "users = [{{ id = \"alice\" }}, {{ id = \"bob\" }}]\n[[groups]]\nid = \"g\"\n\
         type = \"Work\"\nname = \"n\"\nowner = \"alice\"\n{more}"
    )
}

#[test]
fn the_example_is_there_for_clients() {
    let mut world = World::new(SandboxConfig {
        auto_import: false,
        ..config()
    });
    apply(&mut world, EXAMPLE).unwrap();
    let (alice, bob) = (world.login("alice"), world.login("bob"));

    let profile = json!({"UserItem": [{"To_Account": "alice"}]});
    let profile = world.call(&bob, "profile.portrait_get_all", &profile);
    let items = &profile["UserProfileItem"][0]["ProfileItem"];
    let tag = |name: &str| {
        let mut items = items.as_array().unwrap().iter();
        items.find(|item| item["Tag"] == name).unwrap()["Value"].clone()
    };
    assert_eq!(tag("Tag_Profile_IM_Nick"), "Alice");
    assert_eq!(tag("Tag_Profile_IM_Image"), "https://example.com/alice.png");
    assert_eq!(tag("Tag_Profile_IM_SelfSignature"), "Here to help");
    assert_eq!(tag("Tag_Profile_Custom_Level"), 3);
    assert_eq!(tag("Tag_Profile_Custom_Team"), "north");

    let names = |answer: &Value, list: &str| -> Vec<String> {
        let rows = answer[list].as_array().unwrap().iter();
        rows.map(|row| row["To_Account"].as_str().unwrap().to_owned())
            .collect()
    };
    let friends = world.call(&alice, "sns.friend_get", &json!({}));
    assert_eq!(names(&friends, "UserDataItem"), ["bob", "carol"]);
    assert!(friends.to_string().contains("Carol from the north"));
    let friends = world.call(&bob, "sns.friend_get", &json!({}));
    assert_eq!(names(&friends, "UserDataItem"), ["alice"], "both sides");
    let blocked = world.call(&alice, "sns.black_list_get", &json!({}));
    assert_eq!(names(&blocked, "BlackListItem"), ["mallory"]);

    let list = world.call(&alice, "recentcontact.page_get", &json!({}));
    let unread: Vec<_> = list["SessionItem"].as_array().unwrap().iter().collect();
    assert_eq!(unread.len(), 2, "{list}");
    assert_eq!(
        unread.iter().find(|i| i["ToAccount"] == "team").unwrap()["UnreadMsgCount"],
        1,
        "{list}"
    );
    let find = |list: &Value, name: &str, id: &str| {
        let mut rows = list["SessionItem"].as_array().unwrap().iter();
        rows.find(|row| row[name] == id).unwrap().clone()
    };
    let with_bob = find(&list, "To_Account", "bob");
    assert_eq!(
        (
            &with_bob["TopFlags"],
            &with_bob["StandardMark"],
            &with_bob["CustomMark"]
        ),
        (&json!(1), &json!("11"), &json!("waits for the plan"))
    );
    let team = find(&list, "ToAccount", "team");
    assert_eq!(
        (&team["TopFlags"], &team["MsgRecvOption"]),
        (&json!(0), &json!(2))
    );
    let others = world.call(&bob, "recentcontact.page_get", &json!({}));
    let with_alice = find(&others, "To_Account", "alice");
    assert_eq!(
        (&with_alice["TopFlags"], &with_alice["StandardMark"]),
        (&json!(0), &json!("0")),
        "set up for alice alone"
    );
    let count = world.rest(
        "openim/get_c2c_unread_msg_num",
        &json!({"To_Account": "alice", "Peer_Account": ["bob"]}),
    );
    assert_eq!(count["AllC2CUnreadMsgNum"], 1);

    let history = world.rest(
        "openim/admin_getroammsg",
        &json!({"From_Account": "alice", "To_Account": "bob", "MaxCnt": 10}),
    );
    assert_eq!(
        texts_in(&history["MsgList"]),
        ["Have you seen the plan?", "Look:"]
    );
    assert_eq!(history["MsgList"][0]["MsgTimeStamp"], 1_768_467_600);
    assert_eq!(
        history["MsgList"][1]["MsgBody"][1]["MsgType"],
        "TIMCustomElem"
    );

    let joined = world.call(
        &bob,
        "group_open_http_svc.get_joined_group_list",
        &json!({"Member_Account": "bob"}),
    );
    assert_eq!(joined["TotalCount"], 1, "{joined}");
    let roles = json!({"GroupId": "team", "User_Account": ["alice", "bob", "carol"]});
    let roles = world.rest("group_open_http_svc/get_role_in_group", &roles);
    let roles = roles["UserIdList"].as_array().unwrap();
    assert_eq!(
        roles.iter().map(|row| &row["Role"]).collect::<Vec<_>>(),
        ["Owner", "Member", "Admin"]
    );
    let info = world.rest(
        "group_open_http_svc/get_group_info",
        &json!({"GroupIdList": ["team"]}),
    );
    let info = &info["GroupInfo"][0];
    assert_eq!(
        (&info["Name"], &info["Type"], &info["ApplyJoinOption"]),
        (
            &json!("The team"),
            &json!("Public"),
            &json!("NeedPermission")
        )
    );
    assert_eq!(
        (
            &info["Introduction"],
            &info["Notification"],
            &info["FaceUrl"]
        ),
        (
            &json!("Those who plan"),
            &json!("Lunch is at noon"),
            &json!("https://example.com/team.png")
        )
    );
    let members = json!({"GroupId": "team"});
    let members = world.rest("group_open_http_svc/get_group_member_info", &members);
    let cards = members["MemberList"].as_array().unwrap().iter();
    let cards: Vec<_> = cards
        .map(|row| (&row["Member_Account"], &row["NameCard"]))
        .collect();
    assert!(
        cards.contains(&(&json!("carol"), &json!("Carol (plans)"))),
        "{cards:?}"
    );
    let attributes = world.call(
        &bob,
        "group_open_attr_http_svc.get_group_attr",
        &json!({"GroupId": "team"}),
    );
    assert_eq!(
        attributes["GroupAttrAry"],
        json!([
            {"key": "floor", "value": "4", "seq": 1}, {"key": "room", "value": "4.02", "seq": 1},
        ])
    );
    let said = world.state.group_history("team");
    let said: Vec<_> = said.iter().map(|item| (item.seq, &*item.from)).collect();
    assert_eq!(said, [(1, "carol"), (2, "bob")], "no tips between");
    let page = json!({"GroupId": "team", "ReqMsgNumber": 20});
    let page = world.call(&bob, "group_open_http_svc.group_msg_get", &page);
    assert_eq!(page["RspMsgList"].as_array().unwrap().len(), 2, "{page}");
}

#[test]
fn conversations_between_two_are_muted_and_owners_have_cards() {
    let mut world = World::new(config());
    let text = "users = [{ id = \"bob\", conversations = [\n\
                { to = \"alice\", muted = true }, { to = \"carol\", pinned = true },\n\
                { group = \"room\", muted = true, marks = [\"fold\", \"hide\"] }] },\n\
                { id = \"alice\" }, { id = \"carol\" }]\n\
                [[groups]]\nid = \"room\"\ntype = \"AVChatRoom\"\nname = \"n\"\n\
                owner = { id = \"alice\", name_card = \"The host\" }\nmembers = [\"bob\"]\n\
                attributes = { \"a b\" = \"\" }\n\
                [[history]]\nfrom = \"alice\"\nto = \"bob\"\ntext = \"hi\"\n";
    apply(&mut world, text).unwrap();
    let bob = world.login("bob");
    let asked = json!({"Peer_Account": ["alice", "carol"]});
    let mutes = world.call(&bob, "openim.get_c2c_peer_mute_notifications", &asked);
    let mutes = mutes["MuteNotificationsList"].as_array().unwrap().iter();
    let mutes: Vec<_> = mutes.map(|row| row["MuteNotifications"].clone()).collect();
    assert_eq!(mutes, [json!(2), json!(0)]);
    let all = world.call(&bob, "recentcontact.get_contact_group", &json!({}));
    let items = all["ContactItem"].as_array().unwrap();
    assert_eq!(items.len(), 2, "{all}");
    assert_eq!(items[0]["To_Account"], "carol");
    assert_eq!(
        (&items[0]["TopFlags"], &items[0]["StandardMark"]),
        (&json!(1), &json!("0"))
    );
    assert_eq!(
        (&items[1]["TopFlags"], &items[1]["StandardMark"]),
        (&json!(0), &json!("1100"))
    );
    let own = json!({"GroupIdList": ["room"]});
    let own = world.group(&bob, "get_group_self_member_info", &own);
    assert_eq!(
        own["GroupInfo"][0]["MemberList"][0]["MsgFlag"],
        "AcceptNotNotify"
    );
    let alice = json!({"GroupId": "room"});
    let alice = world.rest("group_open_http_svc/get_group_member_info", &alice);
    assert!(alice.to_string().contains("The host"), "{alice}");
    let attributes = world.group(&bob, "get_group_attr", &json!({"GroupId": "room"}));
    assert_eq!(attributes["GroupAttrAry"][0]["key"], "a b");
}

#[test]
fn many_members_friends_and_messages() {
    let users: String = (0..120)
        .map(|n| format!("[[users]]\nid = \"u{n}\"\n"))
        .collect();
    let names: Vec<String> = (0..120).map(|n| format!("u{n}")).collect();
    let said: String = (0..20)
        .map(|n| format!("[[history]]\nfrom = \"u{n}\"\ngroup = \"g\"\ntext = \"{n}\"\n"))
        .collect();
    let text = format!(
        "{users}[[users]]\nid = \"boss\"\nfriends = {names:?}\n\
         [[groups]]\nid = \"g\"\ntype = \"Meeting\"\nname = \"n\"\nmembers = {names:?}\n{said}"
    );
    let mut world = World::new(config());
    apply(&mut world, &text).unwrap();
    let boss = world.login("boss");
    let friends = world.call(&boss, "sns.friend_get", &json!({}));
    assert_eq!(friends["FriendNum"], 120);
    let members = json!({"GroupId": "g", "Limit": 100, "Offset": 0});
    let members = world.rest("group_open_http_svc/get_group_member_info", &members);
    assert_eq!(members["MemberNum"], 120);
    assert_eq!(world.state.group_history("g").len(), 20);
}

#[test]
fn every_mistake_is_named_with_its_place() {
    let long = "x".repeat(2049);
    let huge = format!(
        "[[history]]\nfrom = \"alice\"\nto = \"bob\"\ntext = \"{}\"",
        "x".repeat(12 * 1024)
    );
    let attributes: Vec<String> = (0..17).map(|n| format!("a{n} = \"\"")).collect();
    let talks = |list: &str| format!("[[users]]\nid = \"a\"\nconversations = [{list}]");
    let cases: &[(&str, &str)] = &[
        ("users = 1", "1:9: invalid type: integer"),
        ("[[users]\n", "1:"),
        (
            "[[users]]\nid = \"a\"\nnik = \"A\"",
            "3:1: unknown field `nik`",
        ),
        ("[[users]]\nnick = \"A\"", "1:1: missing field `id`"),
        ("[[users]]\nid = \"a b\"", "2:6: "),
        (
            "[[users]]\nid = \"a\"\n[[users]]\nid = \"a\"",
            "4:6: the account \"a\" is defined twice",
        ),
        (
            "[[users]]\nid = \"a\"\nfriends = [\"a\"]",
            "3:12: \"a\" cannot be part of its own friends",
        ),
        (
            "[[users]]\nid = \"a\"\nfriends = [\"b\"]",
            "3:12: there is no account \"b\"; add [[users]]",
        ),
        (
            "[[users]]\nid = \"a\"\nfriends = [{ id = \"b\", mark = \"\" }]",
            "unknown field `mark`",
        ),
        (
            "[[users]]\nid = \"a\"\nfriends = [3]",
            "3:12: invalid type: integer `3`, expected a UserID",
        ),
        (
            "[[users]]\nid = \"a\"\nblacklist = [\"b\", \"b\"]",
            "3:19: \"b\" is listed twice",
        ),
        (
            "[[users]]\nid = \"a\"\ncustom = { Tag_Profile_Custom_A = 1 }",
            "3:35: \"Tag_Profile_Custom_A\" is not a custom field",
        ),
        (
            "[[users]]\nid = \"a\"\ncustom = { A = true }",
            "3:16: a custom field is a number, or text",
        ),
        (
            &format!("[[users]]\nid = \"a\"\nnick = \"{long}\""),
            "3:8: longer than 2048 bytes",
        ),
        (
            "[[groups]]\nid = \"g\"\ntype = \"Secret\"\nname = \"n\"",
            "3:8: unknown variant `Secret`, expected one of `Work`",
        ),
        (
            "[[groups]]\nid = \"@TGS#x\"\ntype = \"Public\"\nname = \"n\"",
            "2:6: the sandbox refuses this",
        ),
        (
            "[[groups]]\nid = \"g\"\ntype = \"Public\"\nname = \"\"",
            "4:8: empty",
        ),
        (
            "[[groups]]\nid = \"g\"\ntype = \"Work\"\nname = \"n\"\njoin = \"FreeAccess\"",
            "5:8: groups of this type have no join option",
        ),
        (
            "[[groups]]\nid = \"g\"\ntype = \"Public\"\nname = \"n\"\nowner = \"b\"",
            "5:9: there is no account \"b\"",
        ),
        (
            &with("[[groups]]\nid = \"g\"\ntype = \"Work\"\nname = \"n\""),
            "8:6: the group \"g\" is defined twice",
        ),
        (
            &with(
                "[[groups]]\nid = \"h\"\ntype = \"Work\"\nname = \"n\"\nmembers = [{ id = \"bob\", role = \"boss\" }]",
            ),
            "unknown variant `boss`, expected `member` or `admin`",
        ),
        (
            &with("[[history]]\nfrom = \"alice\"\ntext = \"\""),
            "8:8: a message has one destination",
        ),
        (
            &with("[[history]]\nfrom = \"alice\"\nto = \"bob\""),
            "8:8: a message has one content",
        ),
        (
            &with("[[history]]\nfrom = \"alice\"\nto = \"bob\"\nbody = [{ MsgType = \"x\" }]"),
            "10:8: a body is a list of tables",
        ),
        (
            &with("[[history]]\nfrom = \"alice\"\nto = \"eve\"\ntext = \"\""),
            "8:8: there is no account \"eve\"",
        ),
        (
            &with("[[history]]\nfrom = \"alice\"\ngroup = \"h\"\ntext = \"\""),
            "9:9: there is no group \"h\"",
        ),
        (
            &with("[[history]]\nfrom = \"bob\"\ngroup = \"g\"\ntext = \"\""),
            "9:9: \"bob\" is not a member of \"g\"",
        ),
        (
            &with("[[history]]\nfrom = \"bob\"\nto = \"alice\"\ntext = \"\"\nat = 2026-01-01"),
            "11:6: not a point in time",
        ),
        (&with(&huge), "10:8: longer than the 12288 bytes"),
        (
            &talks("{ to = \"b\", pined = true }"),
            "unknown field `pined`",
        ),
        (
            &talks("{ to = \"b\", marks = [\"blue\"] }"),
            "unknown variant `blue`, expected one of `star`",
        ),
        (
            &talks("{ pinned = true }"),
            "3:18: a conversation has one other end",
        ),
        (
            &talks("{ to = \"b\", group = \"g\", pinned = true }"),
            "3:18: a conversation has one other end",
        ),
        (
            &talks("{ to = \"b\" }"),
            "3:18: this entry has no effect; add pinned",
        ),
        (
            &talks("{ to = \"a\", pinned = true }"),
            "3:18: this is the account itself",
        ),
        (
            &talks("{ to = \"b\", pinned = true }"),
            "3:18: there is no account \"b\"; add [[users]]",
        ),
        (
            &talks("{ to = \"b\", pinned = true }, { to = \"b\", pinned = true }"),
            "3:47: this conversation is listed twice",
        ),
        (
            &talks("{ to = \"b\", muted = true }"),
            "3:18: there is no conversation to mute with \"b\"; add [[history]]",
        ),
        (
            &talks("{ group = \"g\", pinned = true }"),
            "3:18: there is no group \"g\"; add",
        ),
        (
            &format!(
                "{}\n[[groups]]\nid = \"g\"\ntype = \"Work\"\nname = \"n\"",
                talks("{ group = \"g\", muted = true }")
            ),
            "3:18: \"a\" is not a member of \"g\"",
        ),
        (
            &talks(&format!("{{ to = \"b\", custom_mark = \"{long}\" }}")),
            "3:18: custom_mark is longer than 1024 bytes",
        ),
        (&with("introduction = 3"), "7:16: invalid type: integer `3`"),
        (
            &with(&format!("notification = \"{long}\"")),
            "7:16: longer than 1000 bytes",
        ),
        (
            &with(&format!("avatar = \"{long}\"")),
            "7:10: longer than 1000 bytes",
        ),
        (
            &with("attributes = { a = 3 }"),
            "7:20: invalid type: integer `3`",
        ),
        (
            &with("attributes = { \"\" = \"x\" }"),
            "7:16: an attribute needs a name",
        ),
        (
            &with(&format!("attributes = {{ {} = \"x\" }}", &long[..129])),
            "7:16: longer than 128 bytes",
        ),
        (
            &with(&format!("attributes = {{ a = \"{long}{long}\" }}")),
            "7:20: longer than 4096 bytes",
        ),
        (
            &with(&format!("attributes = {{ {} }}", attributes.join(", "))),
            "3:6: more than 16 attributes",
        ),
        (
            &with(&format!(
                "members = [{{ id = \"bob\", name_card = \"{}\" }}]",
                &long[..201]
            )),
            "7:12: name_card is longer than 200 bytes",
        ),
        (
            &with("members = [{ id = \"bob\", card = \"\" }]"),
            "unknown field `card`",
        ),
    ];
    let mut wrong = Vec::new();
    for (text, expected) in cases {
        let found = refusal(text);
        if !found.starts_with("seed.toml:") || !found.contains(expected) {
            wrong.push(format!("expected {expected}\nfound {found}\n{text}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn all_mistakes_come_at_once_in_their_order() {
    let text = "[[users]]\nid = \"é\"\nfriends = [\"é\"]\n[[history]]\nfrom = \"é\"\n";
    let found = refusal(&text.replace('é', "e"));
    let places: Vec<&str> = found
        .lines()
        .map(|line| line.rsplit_once(": ").unwrap().0)
        .collect();
    assert_eq!(places, ["seed.toml:3:12", "seed.toml:5:8", "seed.toml:5:8"]);
    let error = Seed::parse("s", "x = \"éé\" y").unwrap_err();
    assert_eq!((error.mistakes[0].line, error.mistakes[0].column), (1, 10));
}

#[test]
fn what_goes_over_a_limit_is_refused_as_a_whole() {
    type Limit = fn(&mut SandboxConfig);
    let limits: [(Limit, &str); 4] = [
        (|config| config.max_accounts = 2, "70398"),
        (|config| config.max_groups = 0, "10"),
        (|config| config.friend_limit = 1, "30010"),
        (
            |config| config.group_member_limit = 2,
            "no room for \"carol\"",
        ),
    ];
    for (limit, expected) in limits {
        let mut config = config();
        limit(&mut config);
        let mut world = World::new(config);
        let text = format!("{EXAMPLE}\n[[groups]]\nid = \"h\"\ntype = \"Work\"\nname = \"n\"\n");
        let found = apply(&mut world, &text).unwrap_err().to_string();
        assert!(found.contains(expected), "{found}");
        let carol = super::user("carol");
        assert!(
            !world.state.has_account(&carol),
            "a refused seed changes nothing"
        );
        assert!(world.state.group_history("team").is_empty());
    }
}

#[test]
fn broken_off_and_garbled_seeds_are_read_or_refused() {
    let places = EXAMPLE.char_indices().map(|(at, _)| at);
    for at in places.step_by(3) {
        let garbled = format!("{}9{}", &EXAMPLE[..at], &EXAMPLE[at..]);
        for text in [&EXAMPLE[..at], &garbled] {
            let mut world = World::new(config());
            if let Err(error) = apply(&mut world, text) {
                let lines = text.lines().count() + 1;
                assert!(error.mistakes.iter().all(|m| (1..=lines).contains(&m.line)));
            }
        }
    }
}
