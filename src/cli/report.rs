//! The status of accounts as text for people, from the JSON that the admin API gives programs.

use super::store;
use crate::account::{Clock, Off};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

/// The most online accounts that are listed one by one.
const LISTED: usize = 40;

fn clock_words(offset: i64) -> String {
    let off = Off(offset).to_string();
    match off.strip_prefix("which ") {
        Some(agrees) => agrees.to_owned(),
        None => format!("ours is {off}"),
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// `5s`, `12m`, `3h 20m`, `4d 2h`.
pub(super) fn span(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{minutes}m"),
        3600..86_400 => format!("{hours}h {}m", minutes % 60),
        _ => format!("{days}d {}h", hours % 24),
    }
}

fn ago(now: u64, at: &Value) -> String {
    at.as_u64()
        .map_or_else(|| "-".to_owned(), |at| span(now.saturating_sub(at)))
}

fn ahead(now: u64, at: &Value) -> String {
    at.as_u64().map_or_else(
        || "-".to_owned(),
        |at| format!("in {}", span(at.saturating_sub(now))),
    )
}

/// When a UserSig ends, or that it has.
fn ending_sig(now: u64, at: &Value) -> String {
    match at.as_u64() {
        Some(at) if at <= now => "over".to_owned(),
        _ => ahead(now, at).trim_start_matches("in ").to_owned(),
    }
}

/// What is not as it should be, of the whole answer or of one account; `None` when all is well.
pub(super) fn unwell(answer: &Value) -> Option<String> {
    let one = std::slice::from_ref(answer);
    let accounts = answer["accounts"].as_array().map_or(one, Vec::as_slice);
    let is_away = |account: &&Value| !account["online"].as_bool().unwrap_or(false);
    let is_degraded = |account: &&Value| {
        let why = account["degraded"].as_array();
        why.is_some_and(|why| !why.is_empty())
    };
    let away = accounts.iter().filter(is_away).count();
    let degraded = accounts.iter().filter(is_degraded).count();
    let blocked = answer["blocked_threads"].as_u64().unwrap_or(0);
    let store = text(&answer["store"]["trouble"], "text");
    let mut all = Vec::new();
    if away > 0 {
        all.push(format!("{away} of {} accounts not online", accounts.len()));
    }
    if degraded > 0 {
        all.push(format!("{degraded} degraded"));
    }
    if blocked > 0 {
        all.push(format!("{blocked} bot threads blocked"));
    }
    if !store.is_empty() {
        all.push(format!("the store: {store}"));
    }
    (!all.is_empty()).then(|| all.join(", "))
}

/// The table: counts by state, then the accounts that are not online with their reasons, then the others.
pub(super) fn table(answer: &Value, now: u64, all: bool) -> String {
    let none = Vec::new();
    let accounts = answer["accounts"].as_array().unwrap_or(&none);
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for account in accounts {
        *counts.entry(text(account, "state")).or_default() += 1;
    }
    let counted: Vec<String> = counts
        .iter()
        .map(|(state, count)| format!("{count} {state}"))
        .collect();
    let mut out = format!("{} accounts: {}\n", accounts.len(), counted.join(", "));
    if let Some(moved) = answer["socket"].as_str() {
        let _ = writeln!(out, "control socket: {moved}");
    }
    if let Some(blocked) = answer["blocked_threads"]
        .as_u64()
        .filter(|count| *count > 0)
    {
        let _ = writeln!(
            out,
            "{blocked} bot threads are blocked by a handler; the log names it"
        );
    }
    out.push_str(&store::condition_line(&answer["store"], now));
    let (online, away): (Vec<&Value>, Vec<&Value>) = accounts
        .iter()
        .partition(|account| account["online"].as_bool().unwrap_or(false));
    let width = accounts
        .iter()
        .map(|account| text(account, "account").width())
        .max()
        .unwrap_or(0)
        .max(7);
    if !away.is_empty() {
        let _ = writeln!(
            out,
            "\n{:width$}  {:12}  {:>8}  {:>9}  WHY",
            "ACCOUNT", "STATE", "SINCE", "NEXT TRY"
        );
    }
    for group in by_reason(&away, all) {
        let Some(first) = group.first() else {
            continue;
        };
        let since = group
            .iter()
            .filter_map(|account| account["since"].as_u64())
            .min();
        let next = group
            .iter()
            .filter_map(|account| account["next"].as_u64())
            .min();
        let _ = writeln!(
            out,
            "{}  {:12}  {:>8}  {:>9}  {}",
            padded(text(first, "account"), width),
            text(first, "state"),
            ago(now, &json!(since)),
            ahead(now, &json!(next)),
            text(first, "detail"),
        );
        if let Some(waits) = first["waits_for"].as_str() {
            let _ = writeln!(out, "{:width$}  waits for {waits}", "");
        }
        if group.len() > 1 {
            let _ = writeln!(
                out,
                "{:width$}  and {} more for the same reason; --all lists them",
                "",
                group.len() - 1
            );
        }
    }
    if online.is_empty() {
        return out;
    }
    let is_degraded = |account: &&Value| {
        let degraded = account["degraded"].as_array();
        degraded.is_some_and(|degraded| !degraded.is_empty())
    };
    let mut online = online;
    if online.len() > LISTED && !all {
        let _ = writeln!(out, "\n{} are online; --all lists them", online.len());
        // Degraded accounts are listed in any case.
        online.retain(is_degraded);
        if online.is_empty() {
            return out;
        }
    }
    let _ = writeln!(
        out,
        "\n{:width$}  {:8}  {:>8}  {:>7}  {:>7}  {:>5}  {:>5}  {:>8}  LAST OUTAGE",
        "ACCOUNT", "STATE", "SINCE", "IN", "OUT", "LOST", "KICKS", "USERSIG"
    );
    for account in online {
        let counters = &account["counters"];
        let kicks: u64 = ["multipleAccount", "multipleDevice", "REST_API_Kick"]
            .iter()
            .filter_map(|kind| counters[*kind].as_u64())
            .sum();
        let outage = account["cause"].as_str();
        let _ = writeln!(
            out,
            "{}  {:8}  {:>8}  {:>7}  {:>7}  {:>5}  {kicks:>5}  {:>8}  {}",
            padded(text(account, "account"), width),
            text(account, "state"),
            ago(now, &account["since"]),
            counters["received"].as_u64().unwrap_or_default(),
            counters["sent"].as_u64().unwrap_or_default(),
            counters["lost_links"].as_u64().unwrap_or_default(),
            ending_sig(now, &account["user_sig_ends"]),
            outage.unwrap_or("-"),
        );
        for trouble in account["degraded"].as_array().into_iter().flatten() {
            let _ = writeln!(
                out,
                "{:width$}  degraded: {}",
                "",
                trouble.as_str().unwrap_or_default()
            );
        }
    }
    out
}

/// The text with spaces up to a width in columns of the terminal: a Chinese character takes two, which the
/// formatter of the standard library does not know.
pub(super) fn padded(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(text.width());
    format!("{text}{}", " ".repeat(missing))
}

/// The accounts that are offline: one by one if they are few, grouped by reason if they are many.
fn by_reason<'a>(away: &[&'a Value], all: bool) -> Vec<Vec<&'a Value>> {
    if all || away.len() <= LISTED {
        return away.iter().map(|account| vec![*account]).collect();
    }
    let mut groups: Vec<Vec<&Value>> = Vec::new();
    let mut known: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for account in away {
        let reason = (text(account, "state"), text(account, "detail"));
        match known.get(&reason).and_then(|at| groups.get_mut(*at)) {
            Some(group) => group.push(account),
            None => {
                known.insert(reason, groups.len());
                groups.push(vec![account]);
            }
        }
    }
    groups
}

/// One account with its flight recorder.
pub(super) fn story(account: &Value, now: u64) -> String {
    let mut out = format!(
        "{}: {} for {}\n",
        text(account, "account"),
        text(account, "state"),
        ago(now, &account["since"])
    );
    if !account["online"].as_bool().unwrap_or(false) {
        let _ = writeln!(out, "why        {}", text(account, "detail"));
        let _ = writeln!(out, "next try   {}", ahead(now, &account["next"]));
    }
    if let Some(waits) = account["waits_for"].as_str() {
        let _ = writeln!(out, "waits for  {waits}");
    }
    for trouble in account["degraded"].as_array().into_iter().flatten() {
        let trouble = trouble.as_str().unwrap_or_default();
        let _ = writeln!(out, "degraded   {trouble}");
    }
    if let Some(open) = account["open"].as_u64().filter(|open| *open > 0) {
        let _ = writeln!(out, "open       {open} messages are with the bots");
    }
    let _ = writeln!(
        out,
        "UserSig    {}",
        match ending_sig(now, &account["user_sig_ends"]).as_str() {
            "-" => "its end is not known".to_owned(),
            "over" => "is over; the login made with it may still hold".to_owned(),
            left => format!("ends in {left}"),
        }
    );
    let _ = writeln!(
        out,
        "clock      {}",
        clock_words(account["clock_offset_ms"].as_i64().unwrap_or_default())
    );
    let counters: Vec<String> = account["counters"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, count)| count.as_u64() != Some(0))
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    let _ = writeln!(out, "counters   {}", counters.join(", "));
    let none = Vec::new();
    let records = account["records"].as_array().unwrap_or(&none);
    let _ = writeln!(out, "\nlast {} events, newest last", records.len());
    for record in records {
        let at = Clock(record["at"].as_u64().unwrap_or_default());
        let connection = &record["connection"];
        let what = match text(record, "event") {
            "online" if record["resumed"].as_bool() == Some(true) => "resumed".to_owned(),
            "online" => "logged in".to_owned(),
            _ => ending(record),
        };
        let _ = writeln!(out, "  {at}  #{connection:<4} {what}");
    }
    out
}

/// One record: the cause, the phase that followed, the number of the try and the host, where known.
fn ending(record: &Value) -> String {
    let mut out = format!("{} → {}", text(record, "detail"), text(record, "then"));
    let tries = record["failures"].as_u64().filter(|tries| *tries > 0);
    let tries = tries.map(|tries| format!("try {tries}"));
    let host = Some(text(record, "host").to_owned()).filter(|host| !host.is_empty());
    let known: Vec<String> = tries.into_iter().chain(host).collect();
    if !known.is_empty() {
        let _ = write!(out, " ({})", known.join(", "));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_well() {
        let spans: Vec<String> = [0, 59, 60, 3599, 3600, 86_399, 90_000].map(span).to_vec();
        assert_eq!(
            spans,
            ["0s", "59s", "1m", "59m", "1h 0m", "23h 59m", "1d 1h"]
        );
    }

    #[test]
    fn a_record_names_the_try_and_the_host_only_where_there_was_one() {
        let record = |failures: u32, host: &str| {
            ending(&json!({"detail": "why", "then": "held", "failures": failures, "host": host}))
        };
        assert_eq!(record(0, ""), "why → held");
        assert_eq!(record(2, ""), "why → held (try 2)");
        assert_eq!(record(0, "h"), "why → held (h)");
        assert_eq!(record(3, "h"), "why → held (try 3, h)");
    }

    #[test]
    fn a_usersig_that_is_over_is_said_to_be() {
        assert_eq!(ending_sig(100, &json!(100)), "over");
        assert_eq!(ending_sig(100, &json!(160)), "1m");
        assert_eq!(ending_sig(100, &Value::Null), "-");
    }

    #[test]
    fn many_that_are_away_for_one_reason_are_one_row() {
        let accounts: Vec<Value> = (0..500)
            .map(|n| {
                json!({"account": format!("a{n}"), "online": false, "state": "waiting", "since": 100 + n,
                       "detail": if n == 7 { "another" } else { "connection refused by h" }, "next": 900 - n})
            })
            .collect();
        let answer = json!({"accounts": accounts});
        let short = table(&answer, 200, false);
        assert_eq!(short.lines().count(), 6, "{short}");
        assert!(
            short.contains("and 498 more for the same reason"),
            "{short}"
        );
        assert_eq!(table(&answer, 200, true).lines().count(), 503);
    }

    #[test]
    fn names_of_wide_characters_keep_the_columns_straight() {
        let answer = json!({"accounts": [
            {"account": "echo-bot", "online": true, "state": "online", "since": 100, "counters": {"received": 3}},
            {"account": "客服机器人", "online": true, "state": "online", "since": 160, "cause": "link_lost",
             "counters": {"sent": 12, "lost_links": 1}, "degraded": ["group g is followed with a gap"]},
            {"account": "用户", "online": false, "state": "waiting", "since": 190, "next": 260,
             "detail": "link lost: the peer closed it", "waits_for": "a turn to log in"},
            {"account": "b", "online": false, "state": "held", "since": 90, "detail": "an operator ordered it"},
        ]});
        insta::assert_snapshot!(table(&answer, 200, false));
    }

    #[test]
    fn a4_a_story_says_what_is_not_heard_and_how_much_is_with_the_bots() {
        let mut account = json!({"account": "a", "state": "online", "online": true, "since": 100,
            "degraded": ["group g is followed with a gap: no answer within the limit"], "open": 7});
        let told = story(&account, 200);
        assert!(
            told.contains("\ndegraded   group g is followed with a gap: no answer"),
            "{told}"
        );
        assert!(
            told.contains("\nopen       7 messages are with the bots\n"),
            "{told}"
        );
        account["degraded"] = json!([]);
        account["open"] = json!(0);
        let told = story(&account, 200);
        assert!(
            !told.contains("degraded") && !told.contains("open "),
            "{told}"
        );
    }

    #[test]
    fn who_is_away_comes_first_with_the_reason() {
        let account = |name: &str, online: bool, state: &str, detail: &str| {
            json!({"account": name, "online": online, "state": state, "since": 100, "detail": detail,
                   "cause": "link_lost", "next": 260, "user_sig_ends": 100_000, "counters": {"received": 5, "sent": 4, "lost_links": 1}})
        };
        let answer = json!({"blocked_threads": 1, "accounts": [
            account("b", true, "online", ""), account("a", false, "quarantined", "wrong key; use the right one"),
        ]});
        let text = table(&answer, 200, false);
        assert!(
            text.starts_with("2 accounts: 1 online, 1 quarantined\n"),
            "{text}"
        );
        let (away, online) = (text.find("\na ").unwrap(), text.find("\nb ").unwrap());
        assert!(away < online, "{text}");
        assert!(
            text.contains("wrong key") && text.contains("in 1m") && text.contains("blocked"),
            "{text}"
        );
    }

    #[test]
    fn all_is_well_when_everybody_is_online_and_nothing_is_in_the_way() {
        let account = |online: bool| json!({"account": "a", "online": online});
        let mut answer = json!({"blocked_threads": 0, "accounts": [account(true), account(true)]});
        assert_eq!(unwell(&answer), None);
        assert_eq!(unwell(&account(true)), None);
        let one = unwell(&account(false));
        assert_eq!(one.as_deref(), Some("1 of 1 accounts not online"));
        answer["accounts"][0] = account(false);
        answer["accounts"][1]["degraded"] = json!(["bot echo is parked"]);
        answer["blocked_threads"] = json!(2);
        answer["store"]["trouble"]["text"] = json!("the disk is full");
        assert_eq!(
            unwell(&answer).as_deref(),
            Some(
                "1 of 2 accounts not online, 1 degraded, 2 bot threads blocked, the store: the disk is full"
            )
        );
    }
}
