//! Compares our frames with those recorded from the official SDK (version 3.6.6), byte for byte.

use botroupe::proto::answer::LoginAnswer;
use botroupe::proto::id::{SdkAppId, UserId};
use botroupe::proto::packet::{Identity, InstId, Packet, Request, Ticket};
use botroupe::proto::usersig::UserSig;
use serde_json::Value;

fn frames(direction: &str) -> Vec<String> {
    let all: Vec<Value> =
        serde_json::from_str(include_str!("../fixtures/golden_frames.json")).unwrap();
    all.iter()
        .filter(|frame| frame["dir"] == direction)
        .filter_map(|frame| frame["raw"].as_str().map(str::to_owned))
        .collect()
}

#[test]
fn our_requests_are_theirs_byte_for_byte() {
    let mut seen = [0; 3];
    for raw in frames("c2s") {
        let parsed: Value = serde_json::from_str(&raw).unwrap();
        let head = &parsed["head"];
        let text = |key: &str| head[key].as_str().unwrap_or_default().to_owned();
        if text("contenttype").is_empty() {
            continue; // Telemetry, which we do not send.
        }
        let user = UserId::parse("alice").unwrap();
        let sig = UserSig::from(text("usersig"));
        let ticket = Ticket {
            a2: text("a2").into(),
            tiny_id: text("tinyid").into(),
            inst_id: head["status_instid"].as_u64().map(InstId::Number),
        };
        let (shape, identity) = match (head.get("a2").is_some(), text("identifier").as_str()) {
            (true, _) => (0, Identity::Ticket(&ticket)),
            (false, "") => (1, Identity::Anonymous),
            (false, _) => (2, Identity::UserSig(&user, &sig)),
        };
        seen[shape] += 1;
        let body = raw
            .split_once(r#","body":"#)
            .unwrap()
            .1
            .strip_suffix('}')
            .unwrap();
        let request = Request {
            identity,
            app: SdkAppId::new(1_400_000_001).unwrap(),
            time: head["reqtime"].as_u64().unwrap(),
            servcmd: &text("servcmd"),
            seq: u32::try_from(head["seq"].as_u64().unwrap()).unwrap(),
            body,
        };
        assert_eq!(request.encode(), raw);
    }
    assert!(
        seen.iter().all(|count| *count > 0),
        "every shape of head occurs: {seen:?}"
    );
}

#[test]
fn their_servers_frames_are_understood() {
    let mut logins = 0;
    for raw in frames("s2c") {
        let packet = Packet::parse(&raw).unwrap();
        packet.status().unwrap();
        if packet.servcmd == "im_open_status.wslogin" && packet.status().unwrap().error().is_none()
        {
            let answer: LoginAnswer = serde_json::from_str(packet.body).unwrap();
            assert!(answer.a2.is_some() && answer.tiny_id.is_some() && answer.time.is_some());
            logins += 1;
        }
    }
    assert!(logins > 0, "no login answer among the frames");
}
