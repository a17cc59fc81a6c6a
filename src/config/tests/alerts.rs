//! `[[alerts]]`.

use super::*;
use botroupe_core::alerts::Rule;

#[test]
fn every_kind_of_receiver_can_be_written() {
    let text = with(
        "[[alerts]]\nto = \"webhook\"\nurl = \"https://ops.example/hook?t=1\"\nsecret = \"shh-very-secret\"\n\
         [[alerts]]\nto = \"wecom\"\nurl = \"${HOOK}\"\n\
         [[alerts]]\nto = \"dingtalk\"\nname = \"night\"\nurl = \"https://d.example/x\"\nsecret = \"shh-very-secret\"\n\
         [[alerts]]\nto = \"feishu\"\nurl = \"https://f.example/x\"\n[[alerts]]\nto = \"slack\"\nurl = \"http://127.0.0.1:9/x\"\n\
         [[alerts]]\nto = \"account\"\naccount = \"a\"\nuser = \"operator\"\nrules = [\"share\", \"crash\"]\nexcept = [\"a*\"]\n\
         group_wait = \"0s\"\nrepeat = \"never\"\nresolved = false\nshare = 0.5\nshare_for = \"1m\"\nletters = 1\ndisk = \"5MiB\"\n",
    );
    let alerts = parse_with(&text, &[("HOOK", "https://w.example/send?key=k")], &[])
        .unwrap()
        .alerts;
    let names: Vec<_> = alerts
        .iter()
        .map(|alert| (alert.name.as_str(), alert.to.kind()))
        .collect();
    assert_eq!(
        names,
        [
            ("webhook", "webhook"),
            ("wecom", "wecom"),
            ("night", "dingtalk"),
            ("feishu", "feishu"),
            ("slack", "slack"),
            ("account", "account"),
        ]
    );
    let (first, last) = (&alerts[0], &alerts[5]);
    assert_eq!(first.policy.rules, Rule::ALL);
    assert_eq!(first.policy.group_wait, Duration::from_secs(30));
    assert_eq!(first.policy.repeat, Some(Duration::from_secs(4 * 3600)));
    assert!(first.policy.resolved);
    assert_eq!((first.limits.share, first.limits.disk), (0.9, 1 << 30));
    assert_eq!(last.policy.rules, [Rule::Share, Rule::Crash]);
    assert_eq!(last.policy.except, ["a*"]);
    assert_eq!(last.policy.repeat, None);
    assert!(!last.policy.resolved);
    assert_eq!((last.limits.letters, last.limits.disk), (1, 5 << 20));
    let shown = format!("{alerts:?}");
    assert!(
        !shown.contains("shh") && !shown.contains("key=k"),
        "{shown}"
    );
    assert!(parse(&with("")).unwrap().alerts.is_empty());
}

#[test]
fn mistakes_about_alerts_are_told_at_their_place_and_show_no_url() {
    let url = "url = \"https://e.example/s3cr3tM4rk3r\"\n";
    for (more, expected) in [
        ("".to_owned(), "alerts[0].to: missing; write \"webhook\""),
        (
            format!("to = \"email\"\n{url}"),
            "alerts[0].to: unknown receiver of alerts \"email\"",
        ),
        ("to = \"slack\"\n".to_owned(), "alerts[0].url: missing"),
        (
            format!("to = \"slack\"\n{url}secret = \"abcdef\"\n"),
            "alerts[0].secret: this kind of receiver has no such key; its URL is the secret",
        ),
        (
            "to = \"slack\"\nurl = \"ftp://s3cr3tM4rk3r/x\"\n".to_owned(),
            "alerts[0].url: this is no URL of a webhook: it must start with http",
        ),
        (
            format!("to = \"webhook\"\n{url}secret = \"${{SECRET}}\"\n"),
            "alerts[0].secret: ",
        ),
        (
            format!("to = \"webhook\"\n{url}rules = [\"shares\"]\n"),
            "unknown rule \"shares\"; did you mean \"share\"?",
        ),
        (
            format!("to = \"webhook\"\n{url}rules = []\n"),
            "alerts[0].rules: empty",
        ),
        (
            format!("to = \"webhook\"\n{url}except = [\"z\"]\n"),
            "alerts[0].except: there is no account \"z\"",
        ),
        (
            format!("to = \"webhook\"\n{url}user = \"z\"\n"),
            "alerts[0].user: this kind of receiver has no such key",
        ),
        (
            "to = \"account\"\naccount = \"z\"\nuser = \"o\"\n".to_owned(),
            "alerts[0].account: no account of this name is enabled",
        ),
        (
            "to = \"account\"\naccount = \"a\"\n".to_owned(),
            "alerts[0].user: missing",
        ),
        (
            format!("to = \"webhook\"\n{url}share = 2\n"),
            "alerts[0].share: 2 is out of range",
        ),
        (
            format!("to = \"webhook\"\n{url}repeat = \"1s\"\n"),
            "alerts[0].repeat: 1s is out of range",
        ),
        (
            format!("to = \"slack\"\n{url}[[alerts]]\nto = \"slack\"\n{url}"),
            "alerts[1]: two receivers of alerts are called \"slack\"",
        ),
        (
            format!("to = \"slack\"\n{url}grup_wait = \"1s\"\n"),
            "alerts[0].grup_wait: unknown key; did you mean \"group_wait\"?",
        ),
    ] {
        let said = parse(&with(&format!("[[alerts]]\n{more}")))
            .unwrap_err()
            .to_string();
        assert!(said.contains(expected), "{expected:?} in {said}");
        assert!(!said.contains(MARKER), "{said}");
    }
}
