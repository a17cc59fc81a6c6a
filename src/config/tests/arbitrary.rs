//! Text nobody would write: never a panic, always a config or at least one mistake.

use proptest::prelude::*;

use super::*;

#[test]
fn deep_nesting_is_refused_or_read_but_never_overflows() {
    let dots = format!("[bots.echo]\n{}a = 1\n", "a.".repeat(50_000));
    let lists = format!(
        "[bots.echo]\na = {}{}\n",
        "[".repeat(50_000),
        "]".repeat(50_000)
    );
    for text in [dots, lists] {
        assert!(parse(&with(&text)).is_err());
    }
    let deep = "a.".repeat(30_000) + "a";
    assert!(parse_with(&with(""), &[], &[(&format!("bots.echo.{deep}"), "1")]).is_err());
    let name = format!("BOTROUPE__BOTS__ECHO__{}A", "A__".repeat(30_000));
    assert!(parse_with(&with(""), &[(&name, "1")], &[]).is_err());
    let value = "[".repeat(30_000);
    assert!(parse_with(&with(""), &[], &[("app.secret_key", &value)]).is_ok());
}

/// Pieces that get further into the code than arbitrary text does.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "[app]\n",
            "[[accounts]]\n",
            "[defaults]\n",
            "[bots.echo]\n",
            "[sandbox]\n",
            "accounts = ",
            "sdk_app_id = ",
            "secret_key = ",
            "user_id = ",
            "bots = ",
            "backoff = ",
            "min = ",
            "user_sig = ",
            "user_sig_command = ",
            "user_sig_http = ",
            "user_sig_env = ",
            "[defaults.recovery]\n",
            "renew_at = ",
            "multiple_device = ",
            "window = ",
            "url = ",
            "enabled = ",
            "endpoint = ",
            "listen = ",
            "\"",
            "\n",
            "{",
            "}",
            "[",
            "]",
            "1",
            "\"a\"\n",
            "\"a-{1..3}\"\n",
            "\"${X}\"\n",
            "\"${X:-y}\"\n",
            "true\n",
            "1s",
            "\"1h\"\n",
            "[\"echo\"]\n",
            "1979-05-27\n",
            "inf\n",
            ",",
            "\"ws://h\"\n",
            "ü",
            "#",
            "'''",
            "\r\n",
            "\\u0000",
        ])
        .prop_map(str::to_owned),
        ".{0,8}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn arbitrary_text_never_panics(
        pieces in prop::collection::vec(piece(), 0..24),
        key in "(accounts|app|bots|io)?[.\\[\\]a-z0-9-]{0,12}",
        value in ".{0,16}",
    ) {
        let text = pieces.concat();
        let variable = format!("BOTROUPE__{}", key.to_uppercase().replace('.', "__"));
        for text in [text.clone(), with(&text)] {
            if let Err(errors) = parse_with(&text, &[(&variable, &value)], &[(&key, &value)]) {
                prop_assert!(!errors.errors().is_empty());
                let _ = errors.to_string();
            }
        }
    }
}
