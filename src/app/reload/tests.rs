use super::*;
use crate::config::Sources;
use proptest::prelude::*;
use std::collections::BTreeMap;

const HEAD: &str =
    "[app]\nsdk_app_id = 1400000001\nsecret_key = \"k\"\n[defaults]\nbots = [\"echo\"]\n";

fn config(text: &str) -> Config {
    let parsed = Config::parse(Sources {
        file: "test.toml",
        text,
        env: &BTreeMap::new(),
        overrides: &[],
        known_bots: &["echo", "faq"],
    });
    parsed.unwrap_or_else(|errors| panic!("{errors}"))
}

fn shown(running: &str, new: &str) -> String {
    Plan::between(&config(running), &config(new)).to_string()
}

#[test]
fn a_plan_says_what_starts_stops_and_changes_and_what_it_costs() {
    let three = format!("{HEAD}[[accounts]]\nuser_id = \"a-{{1..3}}\"\n");
    let rows = [
        (
            three.clone(),
            "nothing changes; 3 accounts stay as they are\n",
        ),
        (
            format!("{three}[[accounts]]\nuser_id = \"b-{{001..900}}\"\n"),
            "+ start     b-001, b-002, b-003, b-004, b-005 and 895 more\n\
             = stay      3 accounts\n900 logins, about 5 s at the pace of the governor\n",
        ),
        (
            format!(
                "{HEAD}[[accounts]]\nuser_id = \"a-{{2..3}}\"\n[[accounts]]\nuser_id = \"a-4\"\n"
            ),
            "+ start     a-4\n- stop      a-1\n= stay      2 accounts\n1 login\n",
        ),
        (
            format!("{three}enabled = false\n[[accounts]]\nuser_id = \"c\"\n"),
            "+ start     c\n- stop      a-1, a-2, a-3  (enabled)\n= stay      0 accounts\n1 login\n",
        ),
        (
            format!("{three}bots = [\"echo\", \"faq\"]\n"),
            "~ change    a-1, a-2, a-3  (bots)\n= stay      0 accounts\nno login\n",
        ),
        (
            format!("{three}[bots.echo]\nprefix = \"x\"\n"),
            "~ change    a-1, a-2, a-3  (settings of echo)\n= stay      0 accounts\nno login\n",
        ),
        (
            three.replace("\"k\"", "\"other\""),
            "~ fleet     app.secret_key\n\
             ~ change    a-1, a-2, a-3  (app.secret_key)\n= stay      0 accounts\nno login\n",
        ),
        (
            format!("{three}proxy = \"http://p:1\"\n"),
            "! new link  a-1, a-2, a-3  (proxy)\n= stay      0 accounts\nno login\n",
        ),
        (
            format!("{three}[governor]\nburst = 7\n"),
            "~ fleet     governor\n= stay      3 accounts\nno login\n",
        ),
        (
            format!("{three}[io]\narbiters = 3\n[host]\nthreads = 3\n"),
            "refused: only a restart of the process changes host, io\n\
             = stay      3 accounts\nno login\n",
        ),
    ];
    for (new, expected) in rows {
        assert_eq!(shown(&three, &new), expected, "{new}");
    }
}

#[test]
fn settings_of_a_bot_that_an_account_does_not_run_are_none_of_its_business() {
    let faq = "[[accounts]]\nuser_id = \"f\"\nbots = [\"faq\"]\n";
    let before = format!("{HEAD}[[accounts]]\nuser_id = \"e\"\n{faq}");
    let after = format!("{before}[bots.faq]\nanswers = 2\n");
    assert_eq!(
        shown(&before, &after),
        "~ change    f  (settings of faq)\n= stay      1 account\nno login\n"
    );
}

#[test]
fn no_plan_shows_a_secret() {
    let key = |key: &str| {
        let head = HEAD.replace("\"k\"", &format!("\"{key}\""));
        format!("{head}[[accounts]]\nuser_id = \"a\"\nproxy = \"http://u:{key}@p:1\"\n")
    };
    let plan = Plan::between(&config(&key("geheim1")), &config(&key("geheim2")));
    let all = format!("{plan:?} {plan} {}", serde_json::to_string(&plan).unwrap());
    assert!(!all.contains("geheim") && plan.accounts.len() == 1, "{all}");
}

/// An account of a made-up config: enabled, its bots, the settings of a bot, its proxy.
type Made = (bool, u8, u8, bool);

fn made(accounts: &BTreeMap<u8, Made>, common: u8) -> Config {
    let mut text = format!("{HEAD}[bots.echo]\nn = {common}\n[[accounts]]\nuser_id = \"always\"\n");
    for (name, (enabled, bots, settings, proxy)) in accounts {
        let bots = ["[]", "[\"echo\"]", "[\"faq\", \"echo\"]"][usize::from(*bots) % 3];
        text +=
            &format!("[[accounts]]\nuser_id = \"u{name}\"\nenabled = {enabled}\nbots = {bots}\n");
        if *proxy {
            text += "proxy = \"direct\"\n";
        }
        if *settings > 1 && bots.contains("echo") {
            text += &format!("settings.echo.n = {settings}\n");
        }
    }
    config(&text)
}

/// What runs, as far as it is to be seen: each account with its proxy, its bots and their settings.
fn running(config: &Config) -> BTreeMap<String, String> {
    let accounts = config.accounts.iter().filter(|account| account.enabled);
    let run = accounts.map(|account| {
        let bots = account.bots.iter().map(|bot| {
            let settings = account.bot_settings(bot, &config.bots).0;
            (bot.clone(), settings.map(|it| it.table().to_string()))
        });
        let bots: Vec<_> = bots.collect();
        (
            account.name.to_string(),
            format!("{:?} {bots:?}", account.proxy.is_some()),
        )
    });
    run.collect()
}

proptest! {
    /// Whoever does what the plan says, and touches nobody else, has what a start with the new config has.
    #[test]
    fn what_a_plan_leaves_alone_is_the_same_in_both(
        before in prop::collection::btree_map(0_u8..6, any::<Made>(), 0..6),
        after in prop::collection::btree_map(0_u8..6, any::<Made>(), 0..6),
        (one, other) in (0_u8..3, 0_u8..3),
    ) {
        let (old, new) = (made(&before, one), made(&after, other));
        let plan = Plan::between(&old, &new);
        let fresh = running(&new);
        let mut runs = running(&old);
        for step in &plan.accounts {
            let user = step.account.to_string();
            let was = runs.contains_key(&user);
            prop_assert_eq!(was, step.action != Action::Start, "{:?}", step);
            match step.action {
                Action::Stop => drop(runs.remove(&user)),
                _ => drop(runs.insert(user.clone(), fresh[&user].clone())),
            }
        }
        prop_assert_eq!(&runs, &fresh);
        prop_assert_eq!(plan.unchanged + plan.count(Action::Start) + plan.count(Action::Change) + plan.count(Action::Relink), fresh.len());
        prop_assert_eq!(plan.logins, plan.count(Action::Start));
        prop_assert!(Plan::between(&new, &new).is_empty());
    }
}

/// A config of several apps: each that is there has a key of this number and a pace.
fn of_apps(apps: &BTreeMap<&str, (u8, u8)>, accounts: &[(&str, &str)]) -> Config {
    let mut text = "endpoint = \"auto\"\n".to_owned();
    for (name, (key, burst)) in apps {
        text += &format!(
            "[[apps]]\nname = \"{name}\"\nsdk_app_id = {}\nsecret_key = \"key-{key}\"\n\
             governor = {{ burst = {} }}\n",
            // The number belongs to the name, and not to the place.
            1_400_000_000 + name.bytes().map(usize::from).sum::<usize>(),
            u32::from(*burst) + 1
        );
    }
    text += "[defaults]\nbots = [\"echo\"]\n";
    for (app, user) in accounts.iter().filter(|(app, _)| apps.contains_key(app)) {
        text += &format!("[[accounts]]\napp = \"{app}\"\nuser_id = \"{user}\"\n");
    }
    config(&text)
}

#[test]
fn a_plan_names_the_apps_that_change() {
    let accounts = [("a", "u"), ("b", "u"), ("c", "u"), ("c", "v")];
    let two = of_apps(&[("a", (1, 1)), ("b", (1, 1))].into(), &accounts);
    let rows = [
        (
            of_apps(&[("a", (2, 1)), ("b", (1, 9))].into(), &accounts),
            "~ fleet     apps.a.secret_key\n~ fleet     apps.b.governor\n\
             ~ change    a/u  (apps.a.secret_key)\n= stay      1 account\nno login\n",
        ),
        (
            of_apps(&[("b", (1, 1)), ("c", (1, 0))].into(), &accounts),
            "~ fleet     apps.c (new)\n~ fleet     apps.a (gone)\n\
             + start     c/u, c/v\n- stop      a/u\n= stay      1 account\n\
             2 logins, about 1 s at the pace of the governor\n",
        ),
        (
            config(
                "[app]\nsdk_app_id = 1400000001\nsecret_key = \"k\"\n\
                 [[accounts]]\nuser_id = \"u\"\nbots = []\n",
            ),
            "refused: only a restart of the process changes app (in the sandbox)\n\
             ~ fleet     app (new)\n~ fleet     apps.a (gone)\n~ fleet     apps.b (gone)\n\
             + start     u\n- stop      a/u, b/u\n= stay      0 accounts\n1 login\n",
        ),
    ];
    for (new, expected) in rows {
        assert_eq!(Plan::between(&two, &new).to_string(), expected);
    }
    let mut moved = two.clone();
    moved.apps[1].endpoint = crate::config::Endpoint::Url("ws://h".to_owned());
    assert_eq!(
        Plan::between(&two, &moved).needs_restart,
        ["apps.b.endpoint"]
    );
}

const APPS: [&str; 3] = ["a", "b", "c"];

/// What runs: each account with the key of its app.
fn keys(config: &Config) -> BTreeMap<String, String> {
    use secrecy::ExposeSecret;
    let accounts = config.accounts.iter();
    let keys = accounts.map(|account| {
        let app = config.app_of(account).unwrap();
        let key = app.secret_key.as_ref().unwrap().expose_secret();
        (account.name.to_string(), key.to_owned())
    });
    keys.collect()
}

proptest! {
    /// As above, over apps that come, go and change their keys.
    #[test]
    fn what_a_plan_leaves_alone_is_the_same_in_both_over_apps(
        before in prop::collection::btree_map(prop::sample::select(&APPS[..]), (0_u8..2, 0_u8..2), 1..4),
        after in prop::collection::btree_map(prop::sample::select(&APPS[..]), (0_u8..2, 0_u8..2), 1..4),
        users in prop::collection::btree_set((prop::sample::select(&APPS[..]), prop::sample::select(&["u", "v"][..])), 0..6),
        others in prop::collection::btree_set((prop::sample::select(&APPS[..]), prop::sample::select(&["u", "v"][..])), 0..6),
    ) {
        // An account that is always there: a config without any is none.
        let with = |apps: &BTreeMap<&'static str, (u8, u8)>, users: std::collections::BTreeSet<(&'static str, &'static str)>| {
            let first = apps.keys().next().map(|app| (*app, "always"));
            let users: Vec<_> = users.into_iter().chain(first).collect();
            of_apps(apps, &users)
        };
        let (old, new) = (with(&before, users), with(&after, others));
        let plan = Plan::between(&old, &new);
        prop_assert!(plan.needs_restart.is_empty());
        let (fresh, mut runs) = (keys(&new), keys(&old));
        for step in &plan.accounts {
            match step.action {
                Action::Stop => drop(runs.remove(&step.account)),
                _ => drop(runs.insert(step.account.clone(), fresh[&step.account].clone())),
            }
        }
        prop_assert_eq!(&runs, &fresh);
        prop_assert!(Plan::between(&new, &new).is_empty());
    }
}
