//! Tests of the pure state on a virtual clock: simulated clients without sockets, one file per
//! subject.

mod clients;
mod contacts;
mod dedupe;
mod faults;
mod follow;
mod groups;
mod groups_live;
mod groups_messages;
mod groups_rest;
mod ledger;
mod logins;
mod media;
mod messages;
mod noise;
mod people;
mod reaction;
mod rest;
mod rest_app;
mod scripted;
mod search;
mod seed;
mod snapshot;
mod topics;

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};

use super::{
    config::SandboxConfig,
    state::{ConnId, Fault, Frames, Output, State},
};
use crate::{
    policy::Now,
    proto::{
        checksum::checksum,
        id::{SdkAppId, UserId},
        usersig,
    },
};

const APP: u32 = 1_400_000_001;
const START: u64 = 1_800_000_000;

fn user(name: &str) -> UserId {
    UserId::parse(name).unwrap()
}

fn config() -> SandboxConfig {
    SandboxConfig::new(SdkAppId::new(APP).unwrap(), "secret")
}

/// A login, as a client remembers it.
#[derive(Clone, Debug)]
struct Login {
    user: String,
    conn: ConnId,
    a2: String,
    instance: u64,
}

struct World {
    state: State,
    now: Now,
    conns: u64,
    seq: u64,
    received: BTreeMap<ConnId, Vec<Value>>,
    dropped: Vec<ConnId>,
}

impl World {
    fn new(config: SandboxConfig) -> Self {
        let unix = Duration::from_secs(START);
        Self {
            state: State::new(config, 7),
            now: Now::new(Duration::ZERO, unix),
            conns: 0,
            seq: 0,
            received: BTreeMap::new(),
            dropped: Vec::new(),
        }
    }

    fn connect(&mut self) -> ConnId {
        self.conns += 1;
        let conn = ConnId(self.conns);
        let query = [("sdkappid".to_owned(), APP.to_string())];
        self.state.connect(self.now, conn, Frames::Binary, &query);
        conn
    }

    fn close(&mut self, conn: ConnId) {
        self.state.closed(self.now, conn);
    }

    /// Advances the time, calling the state whenever it is due.
    fn pass(&mut self, secs: f64) {
        let end = self.now.after(Duration::from_secs_f64(secs));
        while let Some(due) = self.state.poll_timeout().filter(|due| *due <= end.mono) {
            self.now = self.now.after(due.saturating_sub(self.now.mono));
            self.state.tick(self.now);
            self.pump();
        }
        self.now = end;
    }

    fn pump(&mut self) {
        while let Some(output) = self.state.poll_output() {
            match output {
                Output::Send { conn, bytes, .. } => {
                    let frame = serde_json::from_slice(&bytes).unwrap_or_else(|_| json!("packed"));
                    self.received.entry(conn).or_default().push(frame);
                }
                Output::Drop { conn } => self.dropped.push(conn),
                Output::Close { .. } => {}
            }
        }
    }

    /// Sends a request and returns the body of its answer; null if there is none.
    fn request(&mut self, conn: ConnId, servcmd: &str, head: &Value, body: &Value) -> Value {
        self.seq += 1;
        let text = body.to_string();
        let mut full = json!({
            "ver": "v4", "platform": 7, "sdkappid": APP, "servcmd": servcmd, "seq": self.seq,
            "cs": checksum(servcmd, &text),
        });
        for (key, value) in head.as_object().unwrap() {
            full[key] = value.clone();
        }
        let seq = full["seq"].clone();
        let frame = format!("{{\"head\":{full},\"body\":{text}}}");
        self.state.receive(self.now, conn, frame.as_bytes());
        self.pump();
        self.answer(conn, servcmd, &seq)
    }

    fn answer(&mut self, conn: ConnId, servcmd: &str, seq: &Value) -> Value {
        let frames = self.received.entry(conn).or_default();
        let at = frames
            .iter()
            .position(|f| f["head"]["seq"] == *seq && f["head"]["servcmd"] == servcmd);
        at.map_or(Value::Null, |at| frames.remove(at)["body"].take())
    }

    fn sig(&self, name: &str) -> String {
        self.sig_of(name, self.now.unix_secs(), 86_400)
    }

    fn sig_of(&self, name: &str, issued_at: u64, lifetime: u64) -> String {
        let config = self.state.config();
        let sig = usersig::sign(config.app, &config.key, &user(name), issued_at, lifetime);
        sig.expose().to_owned()
    }

    fn try_login(&mut self, conn: ConnId, name: &str, sig: &str) -> Value {
        let head = json!({"identifier": name, "usersig": sig, "status_instid": 0});
        let body = json!({"State": "Online", "is_web_uniapp": 0, "InstType": 0, "CustomInfo": ""});
        self.request(conn, "im_open_status.wslogin", &head, &body)
    }

    fn login_on(&mut self, conn: ConnId, name: &str) -> Login {
        let sig = self.sig(name);
        let answer = self.try_login(conn, name, &sig);
        assert_eq!(answer["ErrorCode"], 0, "{answer}");
        Login {
            user: name.to_owned(),
            conn,
            a2: answer["A2Key"].as_str().unwrap().to_owned(),
            instance: answer["InstId"].as_u64().unwrap(),
        }
    }

    fn login(&mut self, name: &str) -> Login {
        let conn = self.connect();
        self.login_on(conn, name)
    }

    fn call(&mut self, login: &Login, servcmd: &str, body: &Value) -> Value {
        let head = json!({"a2": login.a2, "tinyid": "1", "status_instid": login.instance});
        self.request(login.conn, servcmd, &head, body)
    }

    /// Sends a text with `number` as its sequence and random number.
    fn send(&mut self, login: &Login, to: &str, number: u64, text: &str) -> Value {
        let body = send_body(&login.user, to, number, text);
        self.call(login, "openim.sendmsg", &body)
    }

    fn hello(&mut self, login: &Login) -> i64 {
        self.call(
            login,
            "im_open_status.wshello",
            &json!({"is_web_uniapp": 0}),
        )["ErrorCode"]
            .as_i64()
            .unwrap()
    }

    /// The pushes on a connection since the last call.
    fn pushes(&mut self, conn: ConnId) -> Vec<Value> {
        self.pump();
        self.received.remove(&conn).unwrap_or_default()
    }

    /// The texts of the messages pushed on a connection since the last call.
    fn texts(&mut self, conn: ConnId) -> Vec<String> {
        self.pushes(conn)
            .iter()
            .filter_map(|push| {
                let item = &push["body"]["EventArray"][0]["C2cMsgArray"][0];
                item["MsgBody"][0]["MsgContent"]["Text"]
                    .as_str()
                    .map(str::to_owned)
            })
            .collect()
    }

    fn getmsg(&mut self, login: &Login, cookie: &str) -> Value {
        let body = json!({"Cookie": cookie, "SyncFlag": 0, "IsOnlineSync": 0});
        self.call(login, "openim.getmsg", &body)
    }

    fn fault(&mut self, fault: Fault) {
        let before = self.state.skipped();
        self.state.fault(self.now, fault).unwrap();
        self.now.unix += self.state.skipped() - before;
        self.pump();
    }

    fn rest(&mut self, command: &str, body: &Value) -> Value {
        let query = self.rest_query("administrator");
        let path = format!("/v4/{command}");
        let answer = self
            .state
            .rest(self.now, &path, &query, body.to_string().as_bytes());
        self.pump();
        answer.json
    }

    fn rest_query(&self, administrator: &str) -> Vec<(String, String)> {
        [
            ("sdkappid", APP.to_string()),
            ("identifier", administrator.to_owned()),
            ("usersig", self.sig(administrator)),
            ("random", "1".to_owned()),
            ("contenttype", "json".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }
}

fn send_body(from: &str, to: &str, number: u64, text: &str) -> Value {
    json!({
        "From_Account": from, "To_Account": to, "MsgSeq": number, "MsgRandom": number,
        "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": text}}],
        "CloudCustomData": "", "SendMsgControl": [], "MsgClientTime": START,
    })
}

/// The texts in a list of message items.
fn texts_in(list: &Value) -> Vec<&str> {
    list.as_array()
        .unwrap()
        .iter()
        .filter_map(|item| item["MsgBody"][0]["MsgContent"]["Text"].as_str())
        .collect()
}
