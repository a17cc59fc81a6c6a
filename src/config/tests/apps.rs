//! Several apps in one config.

use super::refused::refused;
use super::*;
use crate::config::Endpoint;

/// Two apps on lines 1 to 10; `more` starts on line 11.
fn two(more: &str) -> String {
    format!(
        "[[apps]]\nname = \"shop\"\nsdk_app_id = 1400000001\nsecret_key = \"{MARKER}\"\n\
         [[apps]]\nname = \"school\"\nsdk_app_id = 1400000002\nsecret_key = \"{MARKER}2\"\n\
         endpoint = \"auto\"\ngovernor = {{ burst = 3 }}\n{more}"
    )
}

fn account(app: &str, user: &str) -> String {
    format!("[[accounts]]\napp = \"{app}\"\nuser_id = \"{user}\"\nbots = []\n")
}

#[test]
fn each_app_has_an_endpoint_and_a_pace_and_its_accounts_carry_its_name() {
    let more = [
        account("shop", "desk"),
        account("school", "desk"),
        account("1400000002", "night-{1..2}"),
        "[governor]\nlogins_per_second = 7\n".to_owned(),
    ];
    let config = parse(&two(&more.concat())).unwrap();
    let apps = config.apps.iter().map(|app| {
        let pace = (app.governor.logins_per_second, app.governor.burst);
        (
            app.name.as_deref(),
            app.sdk_app_id.get(),
            &app.endpoint,
            pace,
        )
    });
    let burst = defaults::GOVERNOR_BURST;
    assert_eq!(
        apps.collect::<Vec<_>>(),
        [
            (Some("shop"), 1_400_000_001, &Endpoint::Sandbox, (7, burst)),
            (Some("school"), 1_400_000_002, &Endpoint::Auto, (7, 3)),
        ]
    );
    let names: Vec<&str> = config.accounts.iter().map(|it| &*it.name).collect();
    let expected = [
        "shop/desk",
        "school/desk",
        "school/night-1",
        "school/night-2",
    ];
    assert_eq!(names, expected);
    let pauses = config.accounts.iter().map(|it| it.policy.login_spacing);
    let (quick, slow) = (
        defaults::LOGIN_SPACING_SANDBOX,
        Policy::standard().login_spacing,
    );
    assert_eq!(pauses.collect::<Vec<_>>(), [quick, slow, slow, slow]);
    let of = config.accounts.iter().map(|it| config.app_of(it).unwrap());
    let of: Vec<u32> = of.map(|app| app.sdk_app_id.get() - 1_400_000_000).collect();
    assert_eq!(of, [1, 2, 2, 2]);
    let school = config.app(Some("school")).unwrap();
    assert!(config.app(None).is_none() && config.app(Some("1400000001")).is_some());
    let alone = config.alone(school);
    assert_eq!((alone.apps.len(), alone.accounts.len()), (1, 3));
    assert!(!format!("{config:?}").contains(MARKER));
}

#[test]
fn defaults_name_the_app_of_accounts_that_name_none_and_a_written_pause_wins() {
    let text = two(
        "[defaults]\napp = \"school\"\nbots = []\n[[accounts]]\nuser_id = \"a\"\n\
         [[accounts]]\nuser_id = \"b\"\napp = \"shop\"\nlogin_spacing = \"9s\"\n",
    );
    let config = parse(&text).unwrap();
    let accounts = config
        .accounts
        .iter()
        .map(|it| (&*it.name, it.policy.login_spacing));
    let standard = Policy::standard().login_spacing;
    let expected = [("school/a", standard), ("shop/b", Duration::from_secs(9))];
    assert_eq!(accounts.collect::<Vec<_>>(), expected);
}

#[test]
fn an_app_without_a_name_is_called_by_its_number() {
    let text = "[[apps]]\nsdk_app_id = 1400000001\nsecret_key = \"k\"\n\
                [[accounts]]\nuser_id = \"a\"\nbots = []\n";
    let config = parse(text).unwrap();
    assert_eq!(&*config.accounts[0].name, "1400000001/a");
    assert_eq!(config.accounts[0].name.user(), "a");
}

#[test]
fn apps_that_cannot_be() {
    let one = account("shop", "a");
    for (text, expected) in [
        (
            format!("[app]\nsdk_app_id = 1\n{}", two(&one)),
            "config.toml:1:1: app: there are [[apps]] as well",
        ),
        (
            two("[[accounts]]\nuser_id = \"a\"\nbots = []\n"),
            "config.toml:11:1: accounts[0].app: missing; name the one of [[apps]]",
        ),
        (
            two(&account("shp", "a")),
            "config.toml:12:7: accounts[0].app: unknown app \"shp\"; did you mean \"shop\"? (known: shop, school)",
        ),
        (
            two(&format!("{one}{one}")),
            "config.toml:17:11: accounts[1].user_id: duplicate account \"shop/a\", already at config.toml:13:11",
        ),
        (
            two(&one).replace("\"school\"", "\"shop\""),
            "config.toml:6:8: apps[1].name: another app is called \"shop\"",
        ),
        (
            two(&one).replace("\"school\"", "\"a/b\""),
            "config.toml:6:8: apps[1].name: the name of an app has 1 to 32 letters",
        ),
        (
            two(&one).replace("1400000002", "1400000001"),
            "config.toml:7:14: apps[1].sdk_app_id: another app has the SDKAppID 1400000001",
        ),
        (
            two(&account("school", "a")).replace(&format!("secret_key = \"{MARKER}2\"\n"), ""),
            "account \"school/a\" has nothing to log in with; set apps[1].secret_key",
        ),
        (
            two(&one).replace(&format!("{MARKER}2"), "sandbox-only-key-not-for-the-cloud"),
            "config.toml:8:14: apps[1].secret_key: ",
        ),
        (format!("apps = []\n{one}"), "config.toml:1:8: apps: "),
        (
            two(&one).replace(
                "name = \"school\"\nsdk_app_id = 1400000002",
                "name = \"school\"",
            ),
            "apps[1].sdk_app_id: missing",
        ),
        (
            two(&one).replace("burst = 3", "brust = 3"),
            "apps[1].governor.brust: unknown key; did you mean \"burst\"?",
        ),
    ] {
        refused(&text, &[expected]);
    }
}

#[test]
fn sources_of_user_sigs_tell_apps_apart() {
    let accounts = [account("shop", "desk"), account("school", "desk")].concat();
    let with = |file: &str| {
        two(&format!(
            "[defaults]\nuser_sig_file = \"{file}\"\n{accounts}"
        ))
    };
    refused(
        &with("sigs/{user_id}"),
        &[
            "\"shop/desk\" and \"school/desk\" both end at file sigs/desk",
            "; {sdk_app_id} in it tells apps apart",
        ],
    );
    let config = parse(&with("sigs/{sdk_app_id}/{user_id}")).unwrap();
    let names = config.accounts.iter().map(|account| {
        let app = config.app_of(account).unwrap().sdk_app_id;
        let source = account.user_sig_source.as_ref().unwrap();
        source.resolved(app, account.name.user()).unwrap()
    });
    assert_eq!(
        names.collect::<Vec<_>>(),
        ["file sigs/1400000001/desk", "file sigs/1400000002/desk"]
    );
}
