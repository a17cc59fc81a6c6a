//! One instance of the official SDK in its own process.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use botroupe::sandbox::Sandbox;
use serde_json::{Value, json};

use super::{install::Sdk, journal::Journal};

/// A page of a web application with the SDK and an event log. Dropping it ends the process.
#[derive(Debug)]
pub(super) struct Page {
    process: Child,
    input: Mutex<ChildStdin>,
    lines: Arc<Journal<Value>>,
    calls: AtomicU64,
}

impl Page {
    /// Opens a page that runs the full build.
    pub(super) fn open(sdk: &Sdk, sandbox: &Sandbox) -> Self {
        Self::open_with(sdk, sdk.full(), sandbox)
    }

    pub(super) fn open_with(sdk: &Sdk, files: Vec<String>, sandbox: &Sandbox) -> Self {
        Self::open_as(sdk, files, sandbox, &json!({}))
    }

    /// Opens a page with more options for the SDK.
    pub(super) fn open_as(sdk: &Sdk, files: Vec<String>, sandbox: &Sandbox, more: &Value) -> Self {
        let (page, version) = Self::create(sdk, files, sandbox, more);
        assert_eq!(version, Ok("3.6.6".into()));
        page
    }

    /// Opens a page that runs another version of the SDK.
    pub(super) fn open_version(sdk: &Sdk, version: &str, sandbox: &Sandbox) -> Self {
        let (page, found) = Self::create(sdk, sdk.version(version), sandbox, &json!({}));
        assert_eq!(found, Ok(version.into()));
        page
    }

    fn create(
        sdk: &Sdk,
        files: Vec<String>,
        sandbox: &Sandbox,
        more: &Value,
    ) -> (Self, Result<Value, i64>) {
        let mut process = Command::new("node")
            .arg(Sdk::driver())
            .arg(sdk.folder())
            .args(files)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null()) // The SDK's log.
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let input = Mutex::new(process.stdin.take().unwrap());
        let lines = Arc::new(Journal::new());
        let writer = lines.clone();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                writer.push(serde_json::from_str(&line).unwrap_or(Value::String(line)));
            }
            writer.close();
        });
        let page = Self {
            process,
            input,
            lines,
            calls: AtomicU64::new(0),
        };
        let mut options = json!({"SDKAppID": sandbox.app().get(), "proxyServer": sandbox.url()});
        for (name, value) in more.as_object().into_iter().flatten() {
            options[name] = value.clone();
        }
        let version = page.call("create", &json!([options]));
        (page, version)
    }

    /// Calls a function of the SDK or the driver. An error is returned as its code.
    #[track_caller]
    pub(super) fn call(&self, name: &str, args: &Value) -> Result<Value, i64> {
        let mark = self.mark();
        let id = self.calls.fetch_add(1, Ordering::Relaxed);
        let line = json!({"id": id, "call": name, "args": args});
        writeln!(self.input.lock().unwrap(), "{line}").unwrap();
        self.lines.wait(mark, name, |line| {
            if line["id"] != id {
                None
            } else if let Some(result) = line.get("result") {
                Some(Ok(result.clone()))
            } else {
                Some(Err(line["refused"]["code"].as_i64().unwrap_or(-1)))
            }
        })
    }

    #[track_caller]
    pub(super) fn login(&self, user: &str, sig: &str) -> Result<Value, i64> {
        self.call("login", &json!([{"userID": user, "userSig": sig}]))
    }

    /// Logs in with a valid UserSig and waits for SDK_READY.
    #[track_caller]
    pub(super) fn enter(&self, sandbox: &Sandbox, user: &str) {
        let mark = self.mark();
        let sig = sandbox.user_sig(user).unwrap();
        self.login(user, sig.expose()).unwrap();
        self.wait(mark, "sdkStateReady");
    }

    /// Waits until the SDK's requests after its first login are answered, so that a later kick does
    /// not become an answer to one of them.
    #[track_caller]
    pub(super) fn settle(&self) {
        self.wait(0, "socketSettled");
    }

    /// Sends a text and returns the message from the SDK.
    #[track_caller]
    pub(super) fn say(&self, to: &str, text: &str) -> Value {
        self.call("sendText", &json!([to, text])).unwrap()
    }

    /// Calls the SDK and returns the data of its answer.
    #[track_caller]
    pub(super) fn data(&self, name: &str, args: &Value) -> Value {
        self.try_data(name, args).unwrap()
    }

    /// Calls the SDK and returns the data of its answer, or the error code.
    #[track_caller]
    pub(super) fn try_data(&self, name: &str, args: &Value) -> Result<Value, i64> {
        let mut all = vec![json!(name)];
        all.extend(args.as_array().cloned().unwrap_or_default());
        self.call("data", &all.into())
    }

    /// Sends a message of this kind to an account. `more` contains further options for its
    /// creation.
    #[track_caller]
    pub(super) fn send_to(&self, user: &str, kind: &str, payload: &Value, more: &Value) -> Value {
        self.try_send_to(user, kind, payload, more, &json!({}))
            .unwrap()
    }

    /// Like [`Self::send_to`], with send options. An error is returned as its code.
    #[track_caller]
    pub(super) fn try_send_to(
        &self,
        user: &str,
        kind: &str,
        payload: &Value,
        more: &Value,
        sending: &Value,
    ) -> Result<Value, i64> {
        let mut options = json!({"to": user, "conversationType": "C2C", "payload": payload});
        for (name, value) in more.as_object().into_iter().flatten() {
            options[name] = value.clone();
        }
        self.call("send", &json!([kind, options, sending]))
    }

    /// Sends a message of this kind to a group. `payload` is passed to the SDK's `create…Message`.
    #[track_caller]
    pub(super) fn send_to_group(&self, group: &str, kind: &str, payload: &Value) -> Value {
        self.try_to_group(group, kind, payload).unwrap()
    }

    #[track_caller]
    pub(super) fn try_to_group(
        &self,
        group: &str,
        kind: &str,
        payload: &Value,
    ) -> Result<Value, i64> {
        let options = json!({"to": group, "conversationType": "GROUP", "payload": payload});
        self.call("send", &json!([kind, options]))
    }

    /// Sends a text to a group.
    #[track_caller]
    pub(super) fn say_to_group(&self, group: &str, text: &str) -> Value {
        self.send_to_group(group, "Text", &json!({"text": text}))
    }

    /// Waits for a received message that matches, and returns it.
    #[track_caller]
    pub(super) fn hear(&self, mark: usize, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        self.lines.wait(mark, what, |line| {
            let heard = line["event"] == "onMessageReceived";
            let messages = line["data"].as_array().filter(|_| heard)?;
            messages.iter().find(|message| fits(message)).cloned()
        })
    }

    /// Waits for a group tip of this operation.
    #[track_caller]
    pub(super) fn hear_tip(&self, mark: usize, operation: u64) -> Value {
        self.hear(mark, &format!("tip {operation}"), |message| {
            message["type"] == "TIMGroupTipElem" && message["payload"]["operationType"] == operation
        })
    }

    /// Waits for a system notice of this number.
    #[track_caller]
    pub(super) fn hear_notice(&self, mark: usize, number: u64) -> Value {
        self.hear(mark, &format!("notice {number}"), |message| {
            message["type"] == "TIMGroupSystemNoticeElem"
                && message["payload"]["operationType"] == number
        })
    }

    /// Returns all messages received since `mark`.
    pub(super) fn heard(&self, mark: usize) -> Vec<Value> {
        let lines = self.lines.since(mark);
        let heard = lines
            .iter()
            .filter(|line| line["event"] == "onMessageReceived");
        heard
            .flat_map(|line| line["data"].as_array().cloned().unwrap_or_default())
            .collect()
    }

    pub(super) fn mark(&self) -> usize {
        self.lines.mark()
    }

    /// Waits for an event from `mark` on and returns its data.
    #[track_caller]
    pub(super) fn wait(&self, mark: usize, event: &str) -> Value {
        self.lines.wait(mark, event, |line| {
            (line["event"] == event).then(|| line["data"].clone())
        })
    }

    /// Returns the data of all events with this name since `mark`.
    pub(super) fn all(&self, mark: usize, event: &str) -> Vec<Value> {
        let lines = self.lines.since(mark);
        let of_name = lines.iter().filter(|line| line["event"] == event);
        of_name.map(|line| line["data"].clone()).collect()
    }

    /// Waits for an event whose data matches.
    #[track_caller]
    pub(super) fn wait_until(&self, mark: usize, event: &str, fits: impl Fn(&Value) -> bool) {
        self.lines.wait(mark, event, |line| {
            (line["event"] == event && fits(&line["data"])).then_some(())
        });
    }

    /// Waits until a message with this text arrives. Returns all messages since `mark`.
    #[track_caller]
    pub(super) fn heard_up_to(&self, mark: usize, text: &str) -> Vec<Value> {
        self.lines.wait_for_all(mark, text, |lines| {
            let heard: Vec<Value> = lines
                .iter()
                .filter(|line| line["event"] == "onMessageReceived")
                .flat_map(|line| line["data"].as_array().cloned().unwrap_or_default())
                .collect();
            let is_last = |message: &Value| message["payload"]["text"] == text;
            heard.iter().any(is_last).then_some(heard)
        })
    }

    /// Returns the texts received since `mark`, up to and including this one.
    #[track_caller]
    pub(super) fn texts_up_to(&self, mark: usize, text: &str) -> Vec<String> {
        let heard = self.heard_up_to(mark, text);
        let text_of = |message: &Value| message["payload"]["text"].as_str().map(str::to_owned);
        heard.iter().filter_map(text_of).collect()
    }

    /// Returns the SDK's events about the login and the link since `mark`, with the data of those
    /// that have one word of it.
    pub(super) fn lifecycle(&self, mark: usize) -> Vec<String> {
        let word = |line: &Value| {
            let name = line["event"].as_str()?;
            match name {
                "sdkStateReady" | "sdkStateNotReady" | "sdkDestroy" | "error" => Some(name.into()),
                "kickedOut" => Some(format!("{name} {}", line["data"]["type"].as_str()?)),
                "netStateChange" => Some(format!("{name} {}", line["data"]["state"].as_str()?)),
                _ => None,
            }
        };
        self.lines.since(mark).iter().filter_map(word).collect()
    }

    /// Waits until this event has happened at least `count` times.
    #[track_caller]
    pub(super) fn wait_for_count(&self, mark: usize, event: &str, count: usize) {
        self.lines.wait_for_all(mark, event, |lines| {
            let times = lines.iter().filter(|line| line["event"] == event).count();
            (times >= count).then_some(())
        });
    }

    /// Returns how often this event happened since `mark`.
    pub(super) fn count(&self, mark: usize, event: &str) -> usize {
        let lines = self.lines.since(mark);
        lines.iter().filter(|line| line["event"] == event).count()
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // Both calls fail if the process has already ended, which is fine.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if !std::thread::panicking() {
            // The SDK must not throw, whatever the sandbox sends.
            assert_eq!(self.count(0, "uncaughtException"), 0, "{:?}", self.lines);
        }
    }
}
