//! What each kind of receiver is sent: bodies and signatures, without a socket.

use crate::config::AlertTarget;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use botroupe_core::alerts::{Alert, Notice};
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use sha2::Sha256;
use std::fmt::Write as _;
use std::time::Duration;

/// The most bytes of a text. WeCom takes 4,096, Feishu and DingTalk some 20,000.
const MAX_TEXT: usize = 4_000;
/// The most characters of a line.
const MAX_LINE: usize = 300;

/// A request to a receiver. `Debug` shows neither the URL nor the signature.
pub struct Request {
    /// Where to, with what has to be in it.
    pub url: SecretString,
    /// Further header fields.
    pub headers: Vec<(&'static str, String)>,
    /// JSON.
    pub body: String,
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request").finish_non_exhaustive()
    }
}

/// What came back means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Taken,
    /// Too much at once, or a passing failure.
    Later(String),
    /// Refused, with the reason.
    Refused(String),
}

/// The request that tells a notice of `fleet`, with an ID that stays the same through every try; `None` for a receiver
/// that is reached otherwise. `unix` is the time of the try.
pub(super) fn request(
    to: &AlertTarget,
    notice: &Notice,
    (fleet, id): (&str, &str),
    unix: Duration,
) -> Option<Request> {
    let mut headers = Vec::new();
    let (url, body) = match to {
        AlertTarget::Webhook { url, secret } => {
            let body = webhook_body(notice, fleet, id).to_string();
            let stamp = unix.as_secs().to_string();
            headers.push(("X-Botroupe-Id", id.to_owned()));
            if let Some(secret) = secret {
                let text = format!("{stamp}.{body}");
                let signature = hex(&sign(secret.expose_secret().as_bytes(), text.as_bytes()));
                headers.push(("X-Botroupe-Signature", format!("sha256={signature}")));
            }
            headers.push(("X-Botroupe-Timestamp", stamp));
            (url.clone(), body)
        }
        AlertTarget::WeCom { url } => {
            let content = markdown(notice, fleet, "\n");
            let body = json!({"msgtype": "markdown", "markdown": {"content": content}});
            (url.clone(), body.to_string())
        }
        AlertTarget::DingTalk { url, secret } => {
            let text = markdown(notice, fleet, "\n\n");
            let title = title(notice, fleet);
            let body = json!({"msgtype": "markdown", "markdown": {"title": title, "text": text}});
            (ding_talk_url(url, secret.as_ref(), unix), body.to_string())
        }
        AlertTarget::Feishu { url, secret } => {
            let text = plain(notice, fleet);
            let mut body = json!({"msg_type": "text", "content": {"text": text}});
            if let (Some(secret), Some(fields)) = (secret, body.as_object_mut()) {
                let stamp = unix.as_secs().to_string();
                // Feishu takes the text as the key, and signs nothing with it.
                let key = format!("{stamp}\n{}", secret.expose_secret());
                let signature = STANDARD.encode(sign(key.as_bytes(), b""));
                fields.insert("timestamp".to_owned(), stamp.into());
                fields.insert("sign".to_owned(), signature.into());
            }
            (url.clone(), body.to_string())
        }
        AlertTarget::Slack { url } => {
            let body = json!({"text": slack(notice, fleet)});
            (url.clone(), body.to_string())
        }
        AlertTarget::Account { .. } => return None,
    };
    Some(Request { url, headers, body })
}

/// What the answer of a receiver means.
pub(super) fn verdict(to: &AlertTarget, status: u16, body: &[u8]) -> Verdict {
    match status {
        200..=299 => {}
        408 | 425 | 429 | 500.. => return Verdict::Later(format!("it answered {status}")),
        _ => return Verdict::Refused(format!("it answered {status}")),
    }
    let (key, words, later): (_, _, &[i64]) = match to {
        // Errors of these come with 200.
        AlertTarget::WeCom { .. } => ("errcode", "errmsg", &[-1, 45_009, 45_033]),
        AlertTarget::DingTalk { .. } => ("errcode", "errmsg", &[-1, 130_101, 410_100]),
        AlertTarget::Feishu { .. } => ("code", "msg", &[9_499, 11_232]),
        _ => return Verdict::Taken,
    };
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    match answer[key].as_i64() {
        Some(0) => Verdict::Taken,
        Some(code) => {
            let words = answer[words].as_str().unwrap_or_default();
            let reason = format!("it refused: {code} {}", crate::proto::shown::Shown(words));
            match later.contains(&code) {
                true => Verdict::Later(reason),
                false => Verdict::Refused(reason),
            }
        }
        None => Verdict::Refused(format!("its answer has no {key}; is the URL right?")),
    }
}

/// The text that an account writes to a user.
pub(super) fn plain(notice: &Notice, fleet: &str) -> String {
    joined(
        title(notice, fleet),
        notice.lines().into_iter().map(|line| format!("• {line}")),
        "\n",
    )
}

fn title(notice: &Notice, fleet: &str) -> String {
    format!("Botroupe {fleet}: {}", notice.title())
}

fn markdown(notice: &Notice, fleet: &str, between: &str) -> String {
    let lines = notice.lines().into_iter();
    // What the server said may hold anything.
    let lines = lines.map(|line| format!("> {}", line.replace(['<', '>', '[', ']', '`'], "'")));
    joined(format!("**{}**", title(notice, fleet)), lines, between)
}

fn slack(notice: &Notice, fleet: &str) -> String {
    let escaped = |text: &str| {
        text.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
    };
    let lines = notice.lines().into_iter();
    joined(
        format!("*{}*", escaped(&title(notice, fleet))),
        lines.map(|line| format!("• {}", escaped(&line))),
        "\n",
    )
}

/// The lines, each clipped, as far as there is room; cut between two of them.
fn joined(title: String, lines: impl Iterator<Item = String>, between: &str) -> String {
    let mut text = title;
    let mut left_out = 0;
    for line in lines {
        let mut line: String = line.chars().take(MAX_LINE + 1).collect();
        if line.chars().count() > MAX_LINE {
            line.pop();
            line.push('…');
        }
        if text.len() + between.len() + line.len() > MAX_TEXT {
            left_out += 1;
            continue;
        }
        text.push_str(between);
        text.push_str(&line);
    }
    if left_out > 0 {
        // Writing to a String cannot fail.
        let _ = write!(text, "{between}… and {left_out} more lines");
    }
    text
}

fn webhook_body(notice: &Notice, fleet: &str, id: &str) -> Value {
    let alert = |alert: &Alert| {
        json!({
            "rule": alert.rule.name(),
            "account": alert.account.as_ref().map(|account| account.as_str()),
            "state": if alert.ended.is_some() { "resolved" } else { "firing" },
            "text": alert.text,
            "since": alert.since.as_secs(),
            "ended": alert.ended.map(|ended| ended.as_secs()),
        })
    };
    json!({
        "id": id,
        "fleet": fleet,
        "at": notice.at.as_secs(),
        "title": title(notice, fleet),
        "firing": notice.firing,
        "resolved": notice.resolved,
        "repeated": notice.repeated,
        "more": notice.more(),
        "alerts": notice.alerts.iter().map(alert).collect::<Vec<_>>(),
    })
}

fn ding_talk_url(
    url: &SecretString,
    secret: Option<&SecretString>,
    unix: Duration,
) -> SecretString {
    let Some(secret) = secret else {
        return url.clone();
    };
    let stamp = unix.as_millis();
    let text = format!("{stamp}\n{}", secret.expose_secret());
    let signature = STANDARD.encode(sign(secret.expose_secret().as_bytes(), text.as_bytes()));
    let signature = utf8_percent_encode(&signature, NON_ALPHANUMERIC);
    let url = url.expose_secret();
    let first = if url.contains('?') { '&' } else { '?' };
    format!("{url}{first}timestamp={stamp}&sign={signature}").into()
}

/// HMAC-SHA256, which takes a key of any length.
fn sign(key: &[u8], text: &[u8]) -> Vec<u8> {
    match Hmac::<Sha256>::new_from_slice(key) {
        Ok(mut mac) => {
            mac.update(text);
            mac.finalize().into_bytes().to_vec()
        }
        Err(_) => Vec::new(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::id::UserId;
    use botroupe_core::alerts::Rule;

    const UNIX: Duration = Duration::from_secs(1_795_000_000);

    fn notice() -> Notice {
        let alert = |account: &str, ended| Alert {
            rule: Rule::Contested,
            account: Some(UserId::from(account).into()),
            text: "kicked <b>`x`</b> & more".into(),
            since: UNIX,
            ended,
        };
        Notice {
            number: 7,
            at: UNIX,
            firing: 1,
            resolved: 1,
            repeated: false,
            alerts: vec![alert("a", None), alert("b", Some(UNIX))],
        }
    }

    fn made(to: &AlertTarget) -> Request {
        request(to, &notice(), ("shop.toml", "abc-7"), UNIX).unwrap()
    }

    /// A webhook's body and signature. The signature was made with `openssl dgst -sha256 -hmac`.
    #[test]
    fn a_webhook_is_json_with_a_signature_over_time_and_body() {
        let to = AlertTarget::Webhook {
            url: "https://x.example/hook".into(),
            secret: Some("shh".into()),
        };
        let made = made(&to);
        assert_eq!(made.url.expose_secret(), "https://x.example/hook");
        let body: Value = serde_json::from_str(&made.body).unwrap();
        assert_eq!(
            body,
            json!({
                "id": "abc-7", "fleet": "shop.toml", "at": 1_795_000_000,
                "title": "Botroupe shop.toml: 1 firing, 1 resolved",
                "firing": 1, "resolved": 1, "repeated": false, "more": 0,
                "alerts": [
                    {"rule": "contested", "account": "a", "state": "firing", "text": "kicked <b>`x`</b> & more",
                     "since": 1_795_000_000, "ended": null},
                    {"rule": "contested", "account": "b", "state": "resolved", "text": "kicked <b>`x`</b> & more",
                     "since": 1_795_000_000, "ended": 1_795_000_000},
                ],
            })
        );
        let field = |name: &str| {
            let found = made.headers.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.clone()).unwrap()
        };
        assert_eq!(field("X-Botroupe-Id"), "abc-7");
        assert_eq!(field("X-Botroupe-Timestamp"), "1795000000");
        let expected = hex(&sign(
            b"shh",
            format!("1795000000.{}", made.body).as_bytes(),
        ));
        assert_eq!(field("X-Botroupe-Signature"), format!("sha256={expected}"));
        let unsigned = AlertTarget::Webhook {
            url: "https://x.example/hook".into(),
            secret: None,
        };
        let made = request(&unsigned, &notice(), ("f", "i"), UNIX).unwrap();
        assert!(
            made.headers
                .iter()
                .all(|(name, _)| *name != "X-Botroupe-Signature")
        );
    }

    #[test]
    fn hmac_is_that_of_rfc_4231() {
        assert_eq!(
            hex(&sign(b"Jefe", b"what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn the_robots_get_their_own_forms() {
        let wecom = made(&AlertTarget::WeCom {
            url: "https://w.example/send?key=k".into(),
        });
        let body: Value = serde_json::from_str(&wecom.body).unwrap();
        let content = body["markdown"]["content"].as_str().unwrap();
        assert_eq!(body["msgtype"], "markdown");
        assert!(
            content
                .starts_with("**Botroupe shop.toml: 1 firing, 1 resolved**\n> contested a: kicked"),
            "{content}"
        );
        assert!(!content.contains("<b>"), "{content}");

        let ding = made(&AlertTarget::DingTalk {
            url: "https://d.example/send?access_token=t".into(),
            secret: Some("SEC1".into()),
        });
        let text = format!("{}\nSEC1", UNIX.as_millis());
        let sign = STANDARD.encode(sign(b"SEC1", text.as_bytes()));
        let sign = sign
            .replace('+', "%2B")
            .replace('/', "%2F")
            .replace('=', "%3D");
        assert_eq!(
            ding.url.expose_secret(),
            format!("https://d.example/send?access_token=t&timestamp=1795000000000&sign={sign}")
        );
        let body: Value = serde_json::from_str(&ding.body).unwrap();
        assert_eq!(
            body["markdown"]["title"],
            "Botroupe shop.toml: 1 firing, 1 resolved"
        );

        let feishu = made(&AlertTarget::Feishu {
            url: "https://f.example/hook/t".into(),
            secret: Some("demo".into()),
        });
        let body: Value = serde_json::from_str(&feishu.body).unwrap();
        assert_eq!(body["timestamp"], "1795000000");
        let key = b"1795000000\ndemo";
        assert_eq!(body["sign"], STANDARD.encode(super::sign(key, b"")));
        assert_eq!(body["msg_type"], "text");
        let text = body["content"]["text"].as_str().unwrap();
        assert!(text.contains("\n• resolved: contested b: "), "{text}");

        let slack = made(&AlertTarget::Slack {
            url: "https://s.example/t".into(),
        });
        let body: Value = serde_json::from_str(&slack.body).unwrap();
        let text = body["text"].as_str().unwrap();
        assert!(
            text.contains("kicked &lt;b&gt;`x`&lt;/b&gt; &amp; more"),
            "{text}"
        );
        assert!(format!("{slack:?}").len() < 20, "no URL is shown");
    }

    #[test]
    fn answers_are_told_apart() {
        let wecom = AlertTarget::WeCom { url: "x".into() };
        let feishu = AlertTarget::Feishu {
            url: "x".into(),
            secret: None,
        };
        let slack = AlertTarget::Slack { url: "x".into() };
        for (to, status, body, expected) in [
            (&slack, 200, "ok", "taken"),
            (&slack, 204, "", "taken"),
            (&slack, 301, "", "refused"),
            (&slack, 404, "", "refused"),
            (&slack, 429, "", "later"),
            (&slack, 503, "", "later"),
            (&wecom, 200, r#"{"errcode":0,"errmsg":"ok"}"#, "taken"),
            (
                &wecom,
                200,
                r#"{"errcode":93000,"errmsg":"invalid webhook url"}"#,
                "refused",
            ),
            (&wecom, 200, r#"{"errcode":45009,"errmsg":"freq"}"#, "later"),
            (&wecom, 200, "<html>", "refused"),
            (&feishu, 200, r#"{"code":0,"msg":"success"}"#, "taken"),
            (
                &feishu,
                200,
                r#"{"code":19021,"msg":"sign match fail"}"#,
                "refused",
            ),
            (&feishu, 200, r#"{"code":11232,"msg":"frequency"}"#, "later"),
        ] {
            let found = match verdict(to, status, body.as_bytes()) {
                Verdict::Taken => "taken",
                Verdict::Later(_) => "later",
                Verdict::Refused(_) => "refused",
            };
            assert_eq!(found, expected, "{} {status} {body}", to.kind());
        }
    }

    #[test]
    fn a_text_is_cut_between_lines() {
        let lines = (0..50).map(|n| format!("{n} {}", "界".repeat(1_000)));
        let text = joined("title".into(), lines, "\n");
        assert!(text.len() <= MAX_TEXT + 40, "{}", text.len());
        assert!(text.ends_with(" more lines"), "{text}");
        assert!(text.lines().nth(1).unwrap().ends_with("界…"));
    }
}
