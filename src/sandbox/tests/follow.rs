//! Followers.

use serde_json::{Value, json};

use super::{Login, World, config};

fn follow(world: &mut World, login: &Login, to: &str) -> Value {
    let body = json!({"From_Account": login.user, "FollowItem": [{"To_Account": to}]});
    let answer = world.call(login, "follow.follow_add", &body);
    answer["ResultItem"][0]["ResultCode"].clone()
}

fn unfollow(world: &mut World, login: &Login, to: &str) -> Value {
    let body = json!({"From_Account": login.user, "To_Account": [to]});
    let answer = world.call(login, "follow.follow_delete", &body);
    answer["ResultItem"][0]["ResultCode"].clone()
}

fn told(world: &mut World, login: &Login) -> Vec<(Value, Value)> {
    let events = world.events(login.conn).into_iter();
    events
        .map(|event| {
            let change = event["FollowChangeList"][0].clone();
            (
                change["From_Account"].clone(),
                change["FollowDiffList"].clone(),
            )
        })
        .collect()
}

fn list(world: &mut World, login: &Login, kind: u8) -> Vec<String> {
    let mut cursor = String::new();
    let mut all = Vec::new();
    loop {
        let body = json!({"FollowType": kind, "StartCursor": cursor, "WantNum": 2});
        let page = world.call(login, "follow.follow_get", &body);
        let items = page["FollowItem"].as_array().unwrap();
        assert!(items.len() <= 2);
        all.extend(
            items
                .iter()
                .map(|item| item["To_Account"].as_str().unwrap().to_owned()),
        );
        page["NextCursor"].as_str().unwrap().clone_into(&mut cursor);
        if cursor.is_empty() {
            return all;
        }
    }
}

#[test]
fn both_sides_hear_of_it_once() {
    let mut world = World::new(config());
    let (alice, bob) = (world.login("alice"), world.login("bob"));
    for _ in 0..2 {
        assert_eq!(follow(&mut world, &alice, "bob"), 0);
    }
    let one = |list: u8| json!([{"IsAdd": 1, "FollowType": list}]);
    assert_eq!(told(&mut world, &alice), [(json!("bob"), one(2))]);
    assert_eq!(told(&mut world, &bob), [(json!("alice"), one(1))]);
    assert_eq!(follow(&mut world, &bob, "alice"), 0);
    let two = |list: u8, add: u8| json!([{"IsAdd": add, "FollowType": list}, {"IsAdd": add, "FollowType": 3}]);
    assert_eq!(told(&mut world, &alice), [(json!("bob"), two(1, 1))]);
    assert_eq!(told(&mut world, &bob), [(json!("alice"), two(2, 1))]);
    for _ in 0..2 {
        assert_eq!(unfollow(&mut world, &alice, "bob"), 0);
    }
    assert_eq!(told(&mut world, &alice), [(json!("bob"), two(2, 0))]);
    assert_eq!(told(&mut world, &bob), [(json!("alice"), two(1, 0))]);
    assert_eq!(list(&mut world, &alice, 1), ["bob"]);
    assert!(list(&mut world, &alice, 2).is_empty());
}

#[test]
fn lists_come_in_pages_and_counts_agree() {
    let mut world = World::new(config());
    let alice = world.login("alice");
    let others = ["u1", "u2", "u3", "u4", "u5"].map(|name| world.login(name));
    for other in &others {
        assert_eq!(follow(&mut world, &alice, &other.user), 0);
    }
    for other in &others[3..] {
        assert_eq!(follow(&mut world, other, "alice"), 0);
    }
    assert_eq!(list(&mut world, &alice, 2), ["u1", "u2", "u3", "u4", "u5"]);
    assert_eq!(list(&mut world, &alice, 1), ["u4", "u5"]);
    assert_eq!(list(&mut world, &alice, 3), ["u4", "u5"]);
    let asked = json!({"To_Account": ["alice", "u1", "nobody"]});
    let counts = world.call(&alice, "follow.follow_get_info", &asked);
    let row = |n: usize, field: &str| counts["FollowInfo"][n][field].clone();
    assert_eq!(
        (row(0, "FollowerCount"), row(0, "FollowingCount")),
        (json!(2), json!(5))
    );
    assert_eq!(
        (row(0, "MutualFollowingCount"), row(1, "FollowerCount")),
        (json!(2), json!(1))
    );
    assert_eq!(row(2, "ResultCode"), 30003);
    let asked = json!({"To_Account": ["u1", "u5", "nobody"]});
    let checked = world.call(&others[0], "follow.follow_check", &asked);
    assert_eq!(checked["ResultItem"][0]["FollowType"], 0);
    let checked = world.call(&alice, "follow.follow_check", &asked);
    assert_eq!(checked["ResultItem"][0]["FollowType"], 2);
    assert_eq!(checked["ResultItem"][1]["FollowType"], 3);
    assert_eq!(checked["Fail_Account"], json!(["nobody"]));
}

#[test]
fn nobody_follows_itself_or_too_many_and_deleted_accounts_are_gone() {
    let mut config = config();
    config.friend_limit = 1;
    config.auto_import = false;
    config.accounts = ["alice", "bob", "carol"]
        .map(|name| name.parse().unwrap())
        .to_vec();
    let mut world = World::new(config);
    let (alice, bob) = (world.login("alice"), world.login("bob"));
    assert_eq!(follow(&mut world, &alice, "alice"), 30001);
    assert_eq!(follow(&mut world, &alice, "nobody"), 30003);
    assert_eq!(follow(&mut world, &alice, "bob"), 0);
    assert_eq!(follow(&mut world, &alice, "carol"), 30010);
    assert_eq!(follow(&mut world, &bob, "alice"), 0);
    assert!(world.state.delete_account(&"bob".parse().unwrap()));
    assert!(list(&mut world, &alice, 1).is_empty());
    assert!(list(&mut world, &alice, 2).is_empty());
}
