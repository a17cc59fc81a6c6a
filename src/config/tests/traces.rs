//! `[traces]`.

use super::*;

#[test]
fn traces_go_nowhere_unless_an_endpoint_is_named() {
    assert!(parse(&with("")).unwrap().traces.is_none());
    let text = with("[traces]\nendpoint = \"http://127.0.0.1:4318/\"\n");
    let traces = parse(&text).unwrap().traces.unwrap();
    assert_eq!(traces.endpoint, "http://127.0.0.1:4318/v1/traces");
    assert_eq!((traces.sample, traces.users), (0.01, false));
    assert_eq!(traces.service, "botroupe");
    assert!(traces.headers.is_empty());
    let text = with(
        "[traces]\nendpoint = \"https://t.example/otlp/v1/traces\"\nsample = 1\nusers = true\nservice = \"shop\"\n\
         headers = { Authorization = \"Bearer ${TOKEN}\" }\n",
    );
    let traces = parse_with(&text, &[("TOKEN", MARKER)], &[]).unwrap().traces;
    let traces = traces.unwrap();
    assert_eq!(traces.endpoint, "https://t.example/otlp/v1/traces");
    let [(name, value)] = &traces.headers[..] else {
        panic!("one header field");
    };
    assert_eq!(name, "Authorization");
    assert_eq!(value.expose_secret(), format!("Bearer {MARKER}"));
    assert!(!format!("{traces:?}").contains(MARKER));
}

#[test]
fn mistakes_about_traces_are_told_at_their_place() {
    let url = "endpoint = \"http://127.0.0.1:4318\"\n";
    for (more, expected) in [
        ("sample = 1\n".to_owned(), "traces.endpoint: missing"),
        (
            "endpoint = \"127.0.0.1:4318\"\n".to_owned(),
            "traces.endpoint: this is no address of a collector: ",
        ),
        (
            format!("endpoint = \"http://me:{MARKER}@t.example\"\n"),
            "it must not hold a user name or password",
        ),
        (
            format!("endpoint = \"http://t.example/?token={MARKER}\"\n"),
            "it must end with the host",
        ),
        (
            format!("{url}sample = 2\n"),
            "traces.sample: 2 is out of range",
        ),
        (
            format!("{url}headers = {{ \"a b\" = \"{MARKER}\" }}\n"),
            "traces.headers.\"a b\": ",
        ),
        (format!("{url}service = \"\"\n"), "traces.service: empty"),
        (
            format!("{url}sampel = 0.1\n"),
            "traces.sampel: unknown key; did you mean \"sample\"?",
        ),
    ] {
        let said = parse(&with(&format!("[traces]\n{more}")))
            .unwrap_err()
            .to_string();
        assert!(said.contains(expected), "{expected:?} in {said}");
        assert!(!said.contains(MARKER), "{said}");
    }
}
