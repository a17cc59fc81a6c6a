//! Alerts of a running fleet, told to a server on this machine: one test for each rule, and one for each form.

use super::*;
use crate::harness::{said, sandbox as service};
use crate::sink::Sink;
use botroupe::code::Code;
use botroupe::sandbox::{KickType, Sandbox};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const SECRET: &str = "marker-alert-secret";

/// A config for two accounts, a receiver and `more` of both.
fn watched(
    folder: &tempfile::TempDir,
    service: &Sandbox,
    receiver: &str,
    accounts: &str,
) -> String {
    let text = format!(
        "endpoint = \"{}\"\n[app]\nsdk_app_id = {APP}\nsecret_key = \"{KEY}\"\n[defaults]\nlogin_spacing = \"0s\"\n\
         backoff = {{ min = \"10ms\", max = \"50ms\" }}\n[defaults.recovery.multiple_account]\ntake_backs = 0\n\
         [[accounts]]\nuser_id = \"a\"\nbots = [\"echo\"]\n[[accounts]]\nuser_id = \"b\"\nbots = []\n{accounts}\n\
         [[alerts]]\ngroup_wait = \"0s\"\n{receiver}\n",
        service.url()
    );
    config(folder, &text)
}

fn webhook(sink: &Sink, more: &str) -> String {
    format!(
        "to = \"webhook\"\nurl = \"{}/hook\"\nsecret = \"{SECRET}\"\n{more}",
        sink.url
    )
}

fn run(path: &str) -> Running {
    let mut command = botroupe_that_takes_signals();
    command.args(["run", "--config", path]);
    Running::of(command)
}

fn stop(run: Running) -> String {
    run.signal("TERM");
    let (status, out, err) = run.end();
    assert!(status.success(), "{err}");
    assert!(!(out + &err).contains(SECRET), "the secret shows");
    err
}

#[test]
fn contested_held_and_the_end_of_both_are_told_with_a_signature() {
    let (service, sink) = (service(|_| {}), Sink::new());
    let folder = tempfile::tempdir().unwrap();
    let path = watched(&folder, &service, &webhook(&sink, ""), "");
    let mut run = run(&path);
    run.line("2 of 2");
    service.kick("a", KickType::Account).unwrap();
    let got = sink.until("+contested/a");
    assert_eq!(got.path, "/hook");
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    let stamp = &got.headers["x-botroupe-timestamp"];
    mac.update(format!("{stamp}.{}", got.body).as_bytes());
    let signature = got.headers["x-botroupe-signature"].strip_prefix("sha256=");
    let signature: Vec<u8> = signature
        .unwrap()
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect();
    mac.verify_slice(&signature).unwrap();
    assert_eq!(got.json()["id"], got.headers["x-botroupe-id"].as_str());

    service.kick("b", KickType::Rest).unwrap();
    sink.until("+held/b");
    for account in ["a", "b"] {
        let resumed = output(&["resume", account, "--config", &path]);
        assert!(resumed.status.success(), "{resumed:?}");
    }
    sink.until("-contested/a");
    // What an operator orders is no news to them.
    let held = output(&["hold", "b", "--config", &path]);
    assert!(held.status.success());
    run.line("account b offline");
    stop(run);
    let rest = sink.rest();
    let told: Vec<_> = rest.iter().flat_map(crate::sink::Got::alerts).collect();
    assert!(!told.iter().any(|alert| alert.starts_with('+')), "{told:?}");
}

#[test]
fn receivers_come_change_and_go_with_a_reload() {
    let service = service(|_| {});
    let [first, second, third] = [(); 3].map(|()| Sink::new());
    let folder = tempfile::tempdir().unwrap();
    let named =
        |name: &str, sink: &Sink, more: &str| format!("name = \"{name}\"\n{}", webhook(sink, more));
    let path = watched(&folder, &service, &named("first", &first, ""), "");
    let text = fs::read_to_string(&path).unwrap();
    let before = text.split("[[alerts]]").next().unwrap();
    let of = |receiver: &str| format!("[[alerts]]\ngroup_wait = \"0s\"\n{receiver}\n");
    let reload = |receivers: &[String]| {
        fs::write(&path, format!("{before}{}", receivers.concat())).unwrap();
        let done = output(&["reload", "--config", &path]);
        assert!(done.status.success(), "{done:?}");
        String::from_utf8(done.stdout).unwrap()
    };
    let mut run = run(&path);
    run.line("2 of 2");
    service.kick("a", KickType::Account).unwrap();
    first.until("+contested/a");

    // Another one comes: it hears at once of what fires already.
    let plan = reload(&[
        of(&named("first", &first, "")),
        of(&named("second", &second, "")),
    ]);
    assert!(
        plan.contains("~ fleet") && plan.contains("alerts"),
        "{plan}"
    );
    second.until("+contested/a");
    service.kick("b", KickType::Rest).unwrap();
    for sink in [&first, &second] {
        sink.until("+held/b");
    }

    // The first one is elsewhere from now on, and knows what it was told; the second one is gone.
    reload(&[of(&named("first", &third, ""))]);
    let resumed = output(&["resume", "a", "--config", &path]);
    assert!(resumed.status.success(), "{resumed:?}");
    let got = third.until("-contested/a");
    assert!(!got.alerts().iter().any(|alert| alert.starts_with('+')));
    // A mistake changes nothing.
    fs::write(&path, format!("{before}[[alerts]]\nto = \"nowhere\"\n")).unwrap();
    assert!(!output(&["reload", "--config", &path]).status.success());
    let resumed = output(&["resume", "b", "--config", &path]);
    assert!(resumed.status.success(), "{resumed:?}");
    third.until("-held/b");
    stop(run);
    for sink in [first, second] {
        let told: Vec<String> = sink
            .rest()
            .iter()
            .flat_map(crate::sink::Got::alerts)
            .collect();
        assert!(told.is_empty(), "{told:?}");
    }
}

#[test]
fn a_silence_holds_alerts_back_until_it_is_ended() {
    let (service, sink) = (service(|_| {}), Sink::new());
    let folder = tempfile::tempdir().unwrap();
    let path = watched(&folder, &service, &webhook(&sink, ""), "");
    let mut run = run(&path);
    run.line("2 of 2");
    let alerts = |words: &[&str]| {
        let done = output(&[&["alerts"], words, &["--config", &path]].concat());
        let err = String::from_utf8_lossy(&done.stderr).into_owned();
        (String::from_utf8(done.stdout).unwrap(), err)
    };
    let quiet = [
        "silence",
        "held",
        "--account",
        "a*",
        "--for",
        "1h",
        "--reason",
        "a move",
    ];
    let (said, err) = alerts(&quiet);
    assert!(
        said.starts_with("silence 1: held of a* until 20"),
        "{said}{err}"
    );
    service.kick("a", KickType::Rest).unwrap();
    service.kick("b", KickType::Rest).unwrap();
    let mut told = sink.until("+held/b").alerts();
    run.line("account a offline");
    let (listed, _) = alerts(&["list"]);
    let of_a = listed
        .lines()
        .find(|line| line.starts_with("held  a  since"));
    assert!(
        of_a.is_some_and(|line| line.contains("  silent until 20")),
        "{listed}"
    );
    assert!(listed.contains("silence 1: held of a*"), "{listed}");
    assert!(
        alerts(&["unsilence", "7"])
            .1
            .contains("there is no silence 7")
    );
    told.extend(sink.rest().iter().flat_map(crate::sink::Got::alerts));
    assert!(!told.iter().any(|alert| alert == "+held/a"), "{told:?}");
    assert_eq!(alerts(&["unsilence", "1"]), (String::new(), String::new()));
    sink.until("+held/a");
    let (_, err) = alerts(&["silence", "loud", "--for", "1h"]);
    assert!(err.contains("no rule is called \"loud\" (share, "), "{err}");
    stop(run);
    let audit = output(&["audit", "export", "--config", &path]);
    let audit = String::from_utf8_lossy(&audit.stdout).into_owned();
    assert!(audit.contains("\"reason\":\"a move\""), "{audit}");
}

#[test]
fn an_account_that_cannot_log_in_is_told_as_quarantined() {
    let (service, sink) = (service(|_| {}), Sink::new());
    let folder = tempfile::tempdir().unwrap();
    let path = watched(&folder, &service, &webhook(&sink, ""), "");
    service
        .refuse_login("b", Code::USERSIG_SIGNATURE, None)
        .unwrap();
    let mut run = run(&path);
    run.line("account b offline");
    let got = sink.until("+quarantined/b");
    let text = got.json()["alerts"][0]["text"].as_str().unwrap().to_owned();
    assert!(text.contains("70009"), "{text}");
    stop(run);
}

#[test]
fn a_source_of_usersigs_that_fails_is_told_and_so_is_the_share() {
    let (service, sink) = (service(|_| {}), Sink::new());
    let folder = tempfile::tempdir().unwrap();
    let accounts = "[[accounts]]\nuser_id = \"c\"\nbots = []\nuser_sig_command = [\"false\"]\n";
    let more = "share = 1.0\nshare_for = \"1s\"\n";
    let path = watched(&folder, &service, &webhook(&sink, more), accounts);
    let run = run(&path);
    let mut told: Vec<String> = Vec::new();
    while !["+user_sig/c", "+share"]
        .iter()
        .all(|alert| told.iter().any(|one| one == alert))
    {
        told.extend(sink.next().alerts());
    }
    assert!(told.iter().all(|alert| !alert.starts_with('-')), "{told:?}");
    stop(run);
}

#[test]
fn messages_that_keep_failing_are_told() {
    let (service, sink) = (service(|_| {}), Sink::new());
    let folder = tempfile::tempdir().unwrap();
    let path = watched(&folder, &service, &webhook(&sink, "letters = 2\n"), "");
    let mut run = run(&path);
    run.line("2 of 2");
    let refused = service.refuse("a", "openim.sendmsg", Code::C2C_MUTED, None);
    refused.unwrap();
    // The first ones may be what it begins with.
    for text in ["one", "two", "three", "four"] {
        service.say("alice", "a", text).unwrap();
    }
    let got = sink.until("+outbox");
    let text = got.json()["alerts"][0]["text"].as_str().unwrap().to_owned();
    assert!(text.contains("messages failed"), "{text}");
    stop(run);
}

#[test]
fn a_disk_without_much_room_is_told() {
    let (service, sink) = (service(|_| {}), Sink::new());
    let folder = tempfile::tempdir().unwrap();
    let more = "disk = \"1000000GiB\"\nrules = [\"disk\"]\n";
    let path = watched(&folder, &service, &webhook(&sink, more), "");
    let run = run(&path);
    assert_eq!(sink.next().alerts(), ["+disk"]);
    stop(run);
}

#[test]
fn a_store_that_cannot_be_written_is_told_until_it_can() {
    // Root writes to whatever it likes; an immutable folder is not to be had everywhere.
    let (service, sink) = (service(|_| {}), Sink::new());
    let folder = tempfile::tempdir().unwrap();
    let path = watched(
        &folder,
        &service,
        &webhook(&sink, "rules = [\"store\"]\n"),
        "",
    );
    let mut run = run(&path);
    run.line("2 of 2");
    // A table that is gone is an error of every transaction that needs it.
    let db = folder.path().join("botroupe.db");
    let other = rusqlite::Connection::open(&db).unwrap();
    other.busy_timeout(Duration::from_secs(30)).unwrap();
    let hold = "BEGIN IMMEDIATE";
    other.execute_batch(hold).unwrap();
    service.say("alice", "a", "hello").unwrap();
    assert_eq!(sink.next().alerts(), ["+store"]);
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(sink.next().alerts(), ["-store"]);
    stop(run);
}

#[test]
fn a_start_after_a_crash_is_told_once() {
    let (service, sink) = (service(|_| {}), Sink::new());
    let folder = tempfile::tempdir().unwrap();
    let path = watched(
        &folder,
        &service,
        &webhook(&sink, "rules = [\"crash\"]\n"),
        "",
    );
    let mut first = run(&path);
    first.line("2 of 2");
    first.signal("KILL");
    first.end();
    let mut second = run(&path);
    let got = sink.next();
    assert_eq!(got.alerts(), ["+crash"]);
    second.line("2 of 2");
    stop(second);
    let mut third = run(&path);
    third.line("2 of 2");
    stop(third);
    assert_eq!(sink.rest().len(), 0);
}

#[test]
fn a_receiver_that_fails_is_asked_again_with_the_same_id_and_costs_nothing() {
    let service = service(|_| {});
    let sink = Sink::answering(&[(503, ""), (429, ""), (200, "ok")]);
    let folder = tempfile::tempdir().unwrap();
    let more = "disk = \"1000000GiB\"\nrules = [\"disk\"]\n";
    let path = watched(&folder, &service, &webhook(&sink, more), "");
    let run = run(&path);
    let ids: Vec<String> = (0..3)
        .map(|_| sink.next().headers["x-botroupe-id"].clone())
        .collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    let err = stop(run);
    assert!(err.contains("an alert was not delivered"), "{err}");
    assert_eq!(sink.rest().len(), 0);
}

#[test]
fn a_receiver_that_never_answers_does_not_hold_up_the_stop() {
    let service = service(|_| {});
    // It takes the connection and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let receiver = format!(
        "to = \"slack\"\nurl = \"http://{}/\"\ndisk = \"1000000GiB\"\n",
        silent.local_addr().unwrap()
    );
    let path = watched(&folder, &service, &receiver, "");
    let mut run = run(&path);
    run.line("2 of 2");
    let (_kept, _) = silent.accept().unwrap();
    let began = botroupe::gateway::now().mono;
    stop(run);
    let took = botroupe::gateway::now().mono - began;
    assert!(took < Duration::from_secs(8), "{took:?}");
}

#[test]
fn an_account_of_the_fleet_writes_to_an_operator() {
    let service = service(|_| {});
    service.import("operator").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let receiver =
        "to = \"account\"\naccount = \"b\"\nuser = \"operator\"\nrules = [\"contested\"]\n";
    let path = watched(&folder, &service, receiver, "");
    let mut run = run(&path);
    run.line("2 of 2");
    service.kick("a", KickType::Account).unwrap();
    let found =
        actix_rt::System::new().block_on(crate::harness::eventually("it is said", || async {
            let said = said(&service, "b", "operator");
            (!said.is_empty()).then_some(said)
        }));
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("Botroupe "), "{found:?}");
    assert!(
        found[0].contains("1 firing\n• contested a: kicked"),
        "{found:?}"
    );
    // A test would take the account from the fleet.
    let beside = output(&["alerts", "test", "--config", &path]);
    let out = String::from_utf8(beside.stdout).unwrap();
    assert_eq!(beside.status.code(), Some(1));
    assert!(out.contains("the fleet runs"), "{out}");
    stop(run);
    let alone = output(&["alerts", "test", "--config", &path]);
    assert!(alone.status.success(), "{alone:?}");
    assert!(said(&service, "b", "operator")[1].contains("this is a test"));
}

#[test]
fn every_form_arrives_and_a_refusal_is_told() {
    let service = service(|_| {});
    let folder = tempfile::tempdir().unwrap();
    let (hook, slack) = (Sink::new(), Sink::new());
    let wecom = Sink::answering(&[(200, "{\"errcode\":0,\"errmsg\":\"ok\"}")]);
    let ding = Sink::answering(&[(200, "{\"errcode\":310000,\"errmsg\":\"sign not match\"}")]);
    let feishu = Sink::answering(&[(200, "{\"code\":0,\"msg\":\"success\"}")]);
    let more = format!(
        "{}[[alerts]]\nto = \"wecom\"\nurl = \"{}/send?key=k\"\n[[alerts]]\nto = \"dingtalk\"\nname = \"night\"\n\
         url = \"{}/robot/send?access_token=t\"\nsecret = \"{SECRET}\"\n[[alerts]]\nto = \"feishu\"\nurl = \"{}/f\"\n\
         secret = \"{SECRET}\"\n[[alerts]]\nto = \"slack\"\nurl = \"{}/s\"\n",
        webhook(&hook, ""),
        wecom.url,
        ding.url,
        feishu.url,
        slack.url
    );
    let path = watched(&folder, &service, &more, "");
    let all = output(&["alerts", "test", "--config", &path]);
    let out = String::from_utf8(all.stdout).unwrap();
    let err = String::from_utf8(all.stderr).unwrap();
    assert_eq!(all.status.code(), Some(1), "{out}{err}");
    let told: Vec<&str> = out.lines().collect();
    assert_eq!(told[0], "webhook: told (webhook)");
    assert_eq!(told[1], "wecom: told (wecom)");
    assert!(
        told[2].starts_with("night: not told (dingtalk): it refused: 310000 sign not match"),
        "{out}"
    );
    assert_eq!(told[3..], ["feishu: told (feishu)", "slack: told (slack)"]);
    assert!(err.contains("1 receiver was not told"), "{err}");
    assert!(!format!("{out}{err}").contains(SECRET));

    assert_eq!(hook.next().json()["alerts"][0]["rule"], "share");
    assert_eq!(wecom.next().json()["msgtype"], "markdown");
    let got = ding.next();
    assert!(
        got.path.contains("&timestamp=1") && got.path.contains("&sign="),
        "{}",
        got.path
    );
    assert!(feishu.next().json()["sign"].is_string());
    assert!(
        slack.next().json()["text"]
            .as_str()
            .unwrap()
            .contains("this is a test")
    );

    let one = output(&["alerts", "test", "slack", "--config", &path]);
    assert!(one.status.success());
    let none = output(&["alerts", "test", "slak", "--config", &path]);
    let err = String::from_utf8(none.stderr).unwrap();
    assert_eq!(none.status.code(), Some(64));
    assert!(
        err.contains("(known: webhook, wecom, night, feishu, slack)"),
        "{err}"
    );
}
