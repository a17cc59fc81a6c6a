//! Groups: creation, members, roles, tips and notices.

use serde_json::{Value, json};

use super::{Login, World, config};
use crate::SandboxConfig;

impl World {
    /// Calls a group command and returns its answer.
    pub(super) fn group(&mut self, login: &Login, command: &str, body: &Value) -> Value {
        self.call(login, &format!("group_open_http_svc.{command}"), body)
    }

    /// Calls a group command and returns its code.
    pub(super) fn group_code(&mut self, login: &Login, command: &str, body: &Value) -> i64 {
        self.group(login, command, body)["ErrorCode"]
            .as_i64()
            .unwrap()
    }

    /// Creates a group of this type with these members, as `login`.
    pub(super) fn found(&mut self, login: &Login, kind: &str, id: &str, members: &[&str]) {
        let members: Vec<Value> = members
            .iter()
            .map(|name| json!({"Member_Account": name}))
            .collect();
        let body = json!({
            "Type": kind, "Name": "The Group", "GroupId": id, "Owner_Account": login.user,
            "MemberList": members, "ApplyJoinOption": "FreeAccess",
        });
        let answer = self.group(login, "create_group", &body);
        assert_eq!(answer["ErrorCode"], 0, "{answer}");
    }

    /// The events pushed to a connection since the last call.
    pub(super) fn events(&mut self, conn: super::ConnId) -> Vec<Value> {
        let pushes = self.pushes(conn);
        let events = pushes.iter().map(|push| &push["body"]["EventArray"][0]);
        events.cloned().collect()
    }

    /// A summary of the pushes since the last call: `tip 1`, `notice 7`, `said hello`.
    pub(super) fn heard(&mut self, conn: super::ConnId) -> Vec<String> {
        self.events(conn).iter().map(in_short).collect()
    }
}

fn in_short(event: &Value) -> String {
    let tip = &event["GroupTips"][0];
    let body = &tip["MsgBody"];
    if let Some(message) = event["GroupMsgArray"].get(0) {
        let text = &message["MsgBody"][0]["MsgContent"]["Text"];
        format!("said {}", text.as_str().unwrap())
    } else if body["OpType"].is_u64() {
        format!("tip {}", body["OpType"])
    } else if body["ReportType"].is_u64() {
        format!("notice {}", body["ReportType"])
    } else if tip["GroupAtTips"].is_object() {
        format!("at {}", tip["GroupAtTips"]["GroupAtType"])
    } else {
        let field = body.as_object().and_then(|body| body.keys().next());
        field.cloned().unwrap_or_else(|| event.to_string())
    }
}

#[test]
fn ids_are_checked_and_made_up() {
    let mut world = World::new(config());
    let alice = world.login("alice");
    let mut create = |id: &str, kind: &str| {
        let body = json!({"Type": kind, "Name": "n", "GroupId": id});
        world.group(&alice, "create_group", &body)
    };
    assert_eq!(create("own", "Public")["GroupId"], "own");
    assert_eq!(create("own", "Public")["ErrorCode"], 10021);
    assert_eq!(
        create("x".repeat(49).as_str(), "Public")["ErrorCode"],
        10015
    );
    assert_eq!(create("a b", "Public")["ErrorCode"], 10015);
    assert_eq!(create("@TGS#mine", "Public")["ErrorCode"], 10015);
    assert_eq!(create("plain", "Community")["ErrorCode"], 10015);
    assert_eq!(create("@TGS#_mine", "Community")["ErrorCode"], 0);
    assert_eq!(create("odd", "Secret")["ErrorCode"], 10004);
    let (one, two) = (create("", "Public"), create("", "Public"));
    assert!(one["GroupId"].as_str().unwrap().starts_with("@TGS#"));
    assert_ne!(one["GroupId"], two["GroupId"]);
    assert_eq!(world.group_code(&alice, "create_group", &json!({})), 10004);
}

#[test]
fn members_a_group_is_created_with_are_told() {
    let mut world = World::new(config());
    let (alice, bob) = (world.login("alice"), world.login("bob"));
    world.found(&alice, "Private", "g", &["bob", "carol"]);
    assert_eq!(world.heard(bob.conn), ["notice 7", "tip 1"]);
    let events = world.events(alice.conn);
    let tip = &events[0]["GroupTips"][0];
    assert_eq!(events[0]["Event"], 4);
    assert_eq!(
        (&tip["MsgSeq"], &tip["ToGroupId"]),
        (&json!(1), &json!("g"))
    );
    assert_eq!(tip["GroupInfo"]["GroupType"], "Private");
    assert_eq!(tip["MsgBody"]["List_Account"], json!(["bob", "carol"]));
    assert_eq!(tip["MsgBody"]["GroupJoinType"], 2);
    assert_eq!(tip["MsgBody"]["MemberNum"], 3);
    // Carol was offline: her notice waits for her first `getmsg` and is delivered once.
    let carol = world.login("carol");
    let missed = world.getmsg(&carol, "");
    assert_eq!(in_short(&missed["EventArray"][0]), "notice 7");
    assert_eq!(missed["EventArray"].as_array().unwrap().len(), 1);
    let again = world.getmsg(&carol, missed["Cookie"].as_str().unwrap());
    assert_eq!(again["EventArray"], json!([]));
    assert_eq!(world.getmsg(&carol, "")["EventArray"], json!([]));
    let list = world.group(&carol, "get_joined_group_list", &json!({"Limit": 200}));
    assert_eq!(list["TotalCount"], 1);
    assert_eq!(list["GroupIdList"][0]["SelfInfo"]["Role"], "Member");
    assert_eq!(list["GroupIdList"][0]["NextMsgSeq"], 2);
    let million = "million_group_open_http_svc.get_joined_group_list";
    assert_eq!(world.call(&carol, million, &json!({}))["TotalCount"], 0);
}

#[test]
fn joining_goes_by_the_options_of_the_group() {
    let mut world = World::new(config());
    let (alice, bob) = (world.login("alice"), world.login("bob"));
    world.found(&alice, "Public", "free", &[]);
    world.found(&alice, "Private", "work", &[]);
    let join = |id: &str| json!({"GroupId": id, "ApplyMsg": "please"});
    let joined = world.group(&bob, "apply_join_group", &join("free"));
    assert_eq!(joined["JoinedStatus"], "JoinedSuccess");
    assert_eq!(world.heard(alice.conn), ["tip 1"]);
    assert_eq!(
        world.group_code(&bob, "apply_join_group", &join("free")),
        10013
    );
    assert_eq!(
        world.group_code(&bob, "apply_join_group", &join("work")),
        10007
    );
    assert_eq!(
        world.group_code(&bob, "apply_join_group", &join("none")),
        10010
    );

    let public = json!({"Type": "Public", "Name": "n", "GroupId": "ask"});
    world.group(&alice, "create_group", &public);
    let waits = world.group(&bob, "apply_join_group", &join("ask"));
    assert_eq!(waits["JoinedStatus"], "WaitAdminApproval");
    let notice = world.events(alice.conn).remove(0)["GroupTips"][0]["MsgBody"].clone();
    assert_eq!(
        (&notice["ReportType"], &notice["RemarkInfo"]),
        (&json!(1), &json!("please"))
    );
    let list = world.group(
        &alice,
        "get_pendency",
        &json!({"StartTime": 0, "Limit": 20}),
    );
    let pending = list["PendencyList"][0].clone();
    assert_eq!(pending["Authentication"], notice["Authentication"]);
    assert_eq!(
        (&pending["Handled"], &list["UnhandleNum"]),
        (&json!(0), &json!(1))
    );
    let handle = |authentication: &Value, word: &str| {
        json!({
            "GroupId": "ask", "Applicant_Account": "bob", "HandleMsg": word,
            "ApprovalMsg": "welcome", "Authentication": authentication, "MsgKey": notice["MsgKey"],
        })
    };
    let forged = handle(&json!("forged"), "Agree");
    assert_eq!(
        world.group_code(&alice, "handle_apply_join_group", &forged),
        10004
    );
    let agree = handle(&notice["Authentication"], "Agree");
    assert_eq!(
        world.group_code(&bob, "handle_apply_join_group", &agree),
        10007
    );
    assert_eq!(
        world.group_code(&alice, "handle_apply_join_group", &agree),
        0
    );
    assert_eq!(world.heard(bob.conn), ["tip 1", "notice 2", "tip 1"]);
    assert_eq!(world.heard(alice.conn), ["tip 1"]);
    assert_eq!(
        world.group_code(&alice, "handle_apply_join_group", &agree),
        10024
    );
    let list = world.group(&alice, "get_pendency", &json!({}));
    assert_eq!(list["PendencyList"][0]["Handled"], 2);

    let carol = world.login("carol");
    world.group(&carol, "apply_join_group", &join("ask"));
    let reject = json!({
        "GroupId": "ask", "Applicant_Account": "carol", "HandleMsg": "Reject",
    });
    assert_eq!(
        world.group_code(&alice, "handle_apply_join_group", &reject),
        0
    );
    assert_eq!(world.heard(carol.conn), ["notice 3"]);
}

#[test]
fn invitations_go_by_type_and_tell_what_became_of_each() {
    let mut world = World::new(SandboxConfig {
        auto_import: false,
        accounts: ["alice", "bob", "carol"].map(super::user).to_vec(),
        group_member_limit: 3,
        ..config()
    });
    let (alice, bob) = (world.login("alice"), world.login("bob"));
    world.found(&alice, "Private", "work", &["bob"]);
    let invite = |id: &str, names: &[&str]| {
        let names = names.iter().map(|name| json!({"Member_Account": name}));
        json!({"GroupId": id, "MemberList": names.collect::<Vec<_>>()})
    };
    let asked = invite("work", &["bob", "carol", "nobody"]);
    let answer = world.group(&bob, "add_group_member", &asked);
    let results: Vec<_> = answer["MemberList"].as_array().unwrap().iter().collect();
    assert_eq!(results[0]["Result"], 2);
    assert_eq!(results[1], &json!({"Member_Account": "carol", "Result": 1}));
    assert_eq!(results[2]["Result"], 0);
    world.state.import(&super::user("dave"));
    let full = invite("work", &["dave"]);
    assert_eq!(world.group_code(&bob, "add_group_member", &full), 10014);

    world.found(&alice, "Public", "public", &["bob"]);
    let invite = invite("public", &["carol"]);
    assert_eq!(world.group_code(&bob, "add_group_member", &invite), 10007);
    let open = json!({"GroupId": "public", "InviteJoinOption": "NeedPermission"});
    assert_eq!(world.group_code(&alice, "modify_group_base_info", &open), 0);
    world.pushes(alice.conn);
    let waits = world.group(&bob, "add_group_member", &invite);
    assert_eq!(waits["MemberList"][0]["Result"], 3);
    assert_eq!(world.heard(alice.conn), ["notice 12"]);
    let agree = json!({
        "GroupId": "public", "Applicant_Account": "carol", "HandleMsg": "Agree",
    });
    let command = "handle_invite_join_permission_group";
    assert_eq!(world.group_code(&alice, command, &agree), 0);
    assert_eq!(world.heard(alice.conn), ["tip 1"]);
}

#[test]
fn of_several_invitations_the_named_one_is_decided_about() {
    let mut world = World::new(config());
    let (alice, bob) = (world.login("alice"), world.login("bob"));
    world.found(&alice, "Public", "g", &["bob"]);
    let open = json!({"GroupId": "g", "InviteJoinOption": "NeedPermission"});
    assert_eq!(world.group_code(&alice, "modify_group_base_info", &open), 0);
    for name in ["carol", "dave"] {
        let invite = json!({"GroupId": "g", "MemberList": [{"Member_Account": name}]});
        assert_eq!(world.group_code(&bob, "add_group_member", &invite), 0);
    }
    let agree = json!({
        "GroupId": "g", "Applicant_Account": "bob", "Invited_Account": "carol", "HandleMsg": "Agree",
    });
    let command = "handle_invite_join_permission_group";
    assert_eq!(world.group_code(&alice, command, &agree), 0);
    let who = world.group(&alice, "get_pendency", &json!({"Handle_Account": "alice"}));
    let open = who["PendencyList"].as_array().unwrap().iter();
    let open: Vec<&Value> = open.filter(|item| item["Handled"] == 0).collect();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0]["To_Account"], "dave");
}

#[test]
fn roles_decide_what_one_may_do() {
    let mut world = World::new(config());
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| world.login(name));
    world.found(&alice, "Public", "g", &["bob", "carol", "dave"]);
    for login in [&alice, &bob, &carol] {
        world.pushes(login.conn);
    }
    let role =
        |name: &str, role: &str| json!({"GroupId": "g", "Member_Account": name, "Role": role});
    let modify = "modify_group_member_info";
    assert_eq!(world.group_code(&bob, modify, &role("bob", "Admin")), 10007);
    assert_eq!(world.group_code(&alice, modify, &role("bob", "Admin")), 0);
    assert_eq!(world.heard(bob.conn), ["tip 4", "notice 9"]);
    assert_eq!(world.heard(carol.conn), ["tip 4"]);
    assert_eq!(
        world.group_code(&bob, modify, &role("carol", "Admin")),
        10007
    );

    let kick = |name: &str| json!({"GroupId": "g", "MemberToDel_Account": [name], "Reason": "r"});
    let remove = "delete_group_member";
    assert_eq!(world.group_code(&carol, remove, &kick("dave")), 10007);
    assert_eq!(world.group_code(&bob, remove, &kick("alice")), 10007);
    assert_eq!(world.group_code(&bob, remove, &kick("carol")), 0);
    assert_eq!(world.heard(carol.conn), ["notice 4"]);
    let events = world.events(alice.conn);
    let tip = &events.last().unwrap()["GroupTips"][0]["MsgBody"];
    assert_eq!(
        (&tip["OpType"], &tip["MemberExtraInfo"]["Reason"]),
        (&json!(3), &json!("r"))
    );
    assert_eq!(tip["MemberNum"], 3);

    assert_eq!(world.group_code(&alice, modify, &role("bob", "Member")), 0);
    assert_eq!(world.heard(bob.conn), ["tip 3", "tip 5", "notice 10"]);
    let quit = json!({"GroupId": "g"});
    assert_eq!(world.group_code(&alice, "quit_group", &quit), 10009);
    assert_eq!(world.group_code(&bob, "destroy_group", &quit), 10007);
    let owner = |name: &str| json!({"GroupId": "g", "NewOwner_Account": name});
    assert_eq!(
        world.group_code(&alice, "change_group_owner", &owner("carol")),
        10004
    );
    assert_eq!(
        world.group_code(&alice, "change_group_owner", &owner("bob")),
        0
    );
    let tip = world.events(bob.conn).remove(0)["GroupTips"][0]["MsgBody"].clone();
    assert_eq!(tip["MsgGroupNewInfo"]["Owner_Account"], "bob");
    world.pushes(alice.conn);
    assert_eq!(world.group_code(&alice, "quit_group", &quit), 0);
    assert_eq!(world.heard(alice.conn), ["notice 8"]);
    assert_eq!(world.heard(bob.conn), ["tip 2"]);
    let dave = world.login("dave");
    assert_eq!(world.group_code(&bob, "destroy_group", &quit), 0);
    assert_eq!(world.heard(dave.conn), ["notice 5"]);
    assert_eq!(world.group_code(&bob, "quit_group", &quit), 10010);
}

#[test]
fn the_owner_of_a_work_group_is_followed_by_the_oldest_member() {
    let mut world = World::new(config());
    let (alice, carol) = (world.login("alice"), world.login("carol"));
    world.found(&alice, "Private", "g", &["carol", "bob"]);
    world.pushes(carol.conn);
    let quit = json!({"GroupId": "g"});
    assert_eq!(world.group_code(&alice, "destroy_group", &quit), 10007);
    assert_eq!(world.group_code(&alice, "quit_group", &quit), 0);
    assert_eq!(world.heard(carol.conn), ["tip 2", "tip 6"]);
    let info = world.group(
        &carol,
        "get_group_public_info",
        &json!({"GroupIdList": ["g", "x"]}),
    );
    assert_eq!(info["GroupInfo"][0]["Owner_Account"], "carol");
    assert_eq!(info["GroupInfo"][1]["ErrorCode"], 10010);
}

#[test]
fn a_changed_profile_is_told_with_what_changed_only() {
    let mut world = World::new(config());
    let (alice, bob) = (world.login("alice"), world.login("bob"));
    world.found(&alice, "Public", "g", &["bob"]);
    world.pushes(bob.conn);
    let change = json!({
        "GroupId": "g", "Name": "New", "AppDefinedData": [{"Key": "k", "Value": "v"}],
        "ShutUpAllMember": "On",
    });
    assert_eq!(
        world.group_code(&bob, "modify_group_base_info", &change),
        10007
    );
    assert_eq!(
        world.group_code(&alice, "modify_group_base_info", &change),
        0
    );
    let tip = world.events(bob.conn).remove(0)["GroupTips"][0]["MsgBody"].clone();
    let news = json!({
        "GroupName": "New", "MsgAppDefinedData": [{"Key": "k", "Value": "v"}], "ShutupAll": 1,
    });
    assert_eq!(tip["MsgGroupNewInfo"], news);
    let info = json!({"GroupIdList": ["g"]});
    let info = world.group(&bob, "get_group_self_member_info", &info)["GroupInfo"][0].clone();
    assert_eq!(
        (&info["Name"], &info["ShutUpAllMember"]),
        (&json!("New"), &json!("On"))
    );
    assert_eq!(info["AppDefinedData"], json!([{"Key": "k", "Value": "v"}]));
    assert_eq!(info["MemberList"][0]["Member_Account"], "bob");
    let odd = json!({"GroupId": "g", "ShutUpAllMember": "Maybe"});
    assert_eq!(
        world.group_code(&alice, "modify_group_base_info", &odd),
        10004
    );
}

#[test]
fn member_lists_come_in_pages_and_by_role() {
    let mut world = World::new(config());
    let alice = world.login("alice");
    world.found(&alice, "Public", "g", &["dave", "carol", "bob"]);
    let card = json!({
        "GroupId": "g", "Member_Account": "bob", "NameCard": "Bobby",
        "AppMemberDefinedData": [{"Key": "k", "Value": "v"}],
    });
    assert_eq!(
        world.group_code(&alice, "modify_group_member_info", &card),
        0
    );
    let names = |answer: &Value| -> Vec<String> {
        let list = answer["MemberList"].as_array().unwrap().iter();
        list.map(|item| item["Member_Account"].as_str().unwrap().to_owned())
            .collect()
    };
    let page = json!({"GroupId": "g", "Limit": 3, "Offset": 0});
    let first = world.group(&alice, "get_group_member_info", &page);
    assert_eq!(names(&first), ["alice", "dave", "carol"]);
    assert_eq!(
        (&first["MemberNum"], &first["MemberList"][0]["OnlineStatus"]),
        (&json!(4), &json!("Online"))
    );
    let page = json!({"GroupId": "g", "Limit": 3, "Offset": 3});
    let second = world.group(&alice, "get_group_member_info", &page);
    assert_eq!(names(&second), ["bob"]);
    let bob = &second["MemberList"][0];
    assert_eq!(
        (&bob["NameCard"], &bob["OnlineStatus"]),
        (&json!("Bobby"), &json!("Offline"))
    );
    assert_eq!(
        bob["AppMemberDefinedData"],
        json!([{"Key": "k", "Value": "v"}])
    );
    let owners = json!({"GroupId": "g", "Limit": 10, "MemberRoleFilter": ["Owner"]});
    assert_eq!(
        names(&world.group(&alice, "get_group_member_info", &owners)),
        ["alice"]
    );
    let mallory = world.login("mallory");
    assert_eq!(
        world.group_code(&mallory, "get_group_member_info", &page),
        10007
    );
}

#[test]
fn attributes_are_guarded_and_counters_count() {
    let mut world = World::new(config());
    let (alice, bob) = (world.login("alice"), world.login("bob"));
    world.found(&alice, "Public", "g", &["bob"]);
    let set = |seq: u64| {
        json!({
            "GroupId": "g", "GroupAttr": [{"key": "a", "value": "1"}], "AttrMainSeq": seq,
            "AttrControl": ["RaceConflict"],
        })
    };
    assert_eq!(
        world.group(&alice, "set_group_attr", &set(0))["AttrMainSeq"],
        1
    );
    assert_eq!(world.group_code(&bob, "set_group_attr", &set(0)), 10056);
    let modify = |seq: u64| {
        json!({
            "GroupId": "g", "GroupAttr": [{"key": "a", "value": "2", "seq": seq}],
            "AttrMainSeq": 1, "AttrControl": ["RaceConflict"],
        })
    };
    assert_eq!(
        world.group_code(&bob, "modify_group_attr", &modify(0)),
        10056
    );
    assert_eq!(world.group_code(&bob, "modify_group_attr", &modify(1)), 0);
    let get = "group_open_attr_http_svc.get_group_attr";
    let all = world.call(&alice, get, &json!({"GroupId": "g"}));
    assert_eq!(
        all["GroupAttrAry"],
        json!([{"key": "a", "value": "2", "seq": 2}])
    );
    assert_eq!(all["AttrMainSeq"], 2);

    let count = |mode: &str, by: i64| json!({"GroupId": "g", "Mode": mode, "GroupCounter": [{"Key": "likes", "Value": by}]});
    world.group(&alice, "update_group_counter", &count("Set", 5));
    world.group(&alice, "update_group_counter", &count("Increase", 3));
    let after = world.group(&bob, "update_group_counter", &count("Decrease", 2));
    assert_eq!(after["GroupCounter"], json!([{"Key": "likes", "Value": 6}]));
    let read = world.group(&bob, "get_group_counter", &json!({"GroupId": "g"}));
    assert_eq!(read["GroupCounter"], json!([{"Key": "likes", "Value": 6}]));
}
