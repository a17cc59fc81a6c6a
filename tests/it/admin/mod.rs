//! Tests of the admin API over real connections, with a fleet against the sandbox.

mod access;
mod alerts;
mod audit;
mod bots;
mod console;
mod conversations;
mod described;
mod dialogues;
mod events;
mod figures;
mod logs;
mod schema;
mod secure;
mod talk;

use crate::harness::{self, APP, KEY};
use actix::prelude::*;
use botroupe::account::Changed;
use botroupe::admin::types::{LevelsOfLog, SandboxOf, TemporaryLevel};
use botroupe::admin::{
    Admin, ConfigSource, Feed, LogLevels, LogPart, LogTail, Logs, NewToken, Opened, Setting,
};
use botroupe::alerts::{Watch, WatchHandle};
use botroupe::app::App;
use botroupe::bot::Bots;
use botroupe::config::{Config, LogLevel, Sources};
use botroupe::prelude::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Tells the feed and the alerts of every change, as the program does.
struct Observer(Feed, Recipient<Changed>);

impl Actor for Observer {
    type Context = Context<Self>;
}

impl Handler<Changed> for Observer {
    type Result = ();

    fn handle(&mut self, changed: Changed, _: &mut Context<Self>) {
        self.0.tell(&changed);
        self.1.do_send(changed);
    }
}

/// Levels that end after a time that no test lives to see.
#[derive(Debug, Default)]
struct Levels(Mutex<BTreeMap<LogPart, LogLevel>>);

impl LogLevels for Levels {
    fn told(&self) -> LevelsOfLog {
        let set = self.0.lock().unwrap();
        let mut told = LevelsOfLog {
            level: LogLevel::Info.into(),
            modules: BTreeMap::new(),
            accounts: BTreeMap::new(),
            temporary: Vec::new(),
            held_back: 0,
            lost: BTreeMap::from([("standard error".to_owned(), 0)]),
        };
        for (part, level) in &*set {
            let (module, account) = match part.clone() {
                LogPart::Whole => (None, None),
                LogPart::Module(module) => (Some(module), None),
                LogPart::Account(account) => (None, Some(account)),
            };
            told.modules
                .extend(module.clone().map(|it| (it, (*level).into())));
            told.accounts
                .extend(account.clone().map(|it| (it, (*level).into())));
            told.temporary.push(TemporaryLevel {
                module,
                account,
                level: (*level).into(),
                ends: 4_000_000_000,
            });
        }
        told
    }

    fn set(&self, part: LogPart, level: Option<LogLevel>, _: Duration) -> Result<(), String> {
        let mut set = self.0.lock().unwrap();
        match level {
            Some(level) => drop(set.insert(part, level)),
            None => drop(set.remove(&part)),
        }
        Ok(())
    }
}

/// A fleet of `echo-bot` and `support-1` to `-3`, and its API on TCP.
struct Server {
    app: App,
    admin: Admin,
    feed: Feed,
    /// Held, because dropping it ends the alerts.
    _watch: WatchHandle,
    /// What is put here is the log.
    tail: LogTail,
    /// With the scope `admin`.
    token: String,
    /// By name.
    tokens: HashMap<&'static str, String>,
    /// The text of the config, which can be reloaded.
    text: Arc<Mutex<String>>,
}

fn echo() -> Bot {
    Bot::new("echo").on_text(|text: Text| async move { text.into_inner() })
}

fn counter() -> Bot {
    Bot::new("counter").on_text(|| async { "one more" })
}

/// Asks for a name and an age.
fn signup() -> Bot {
    Bot::new("signup").on_text(|dialogue: Dialogue| async move {
        let name: String = dialogue.ask("What is your name?").await?;
        let age: u8 = dialogue.ask("How old are you?").await?;
        Ok::<_, DialogueError>(format!("{name}, {age}"))
    })
}

/// What a greeter says, and how.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Greeting {
    words: String,
    tone: Option<Tone>,
    #[serde(default)]
    times: u8,
    #[expect(dead_code, reason = "it is a secret")]
    api_key: Option<String>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Tone {
    Kind,
    Loud,
}

/// Greets as its settings say, and fails when asked to.
fn greeter() -> Bot {
    Bot::new("greeter").config::<Greeting>().on_text(
        |text: Text, greeting: botroupe::prelude::Config<Greeting>| async move {
            if &*text == "fail" {
                return Err(format!("I was asked by <b>{}</b>", text.len()));
            }
            let words = greeting.words.repeat(1 + usize::from(greeting.times));
            Ok(match greeting.tone {
                Some(Tone::Loud) => words.to_uppercase(),
                Some(Tone::Kind) | None => words,
            })
        },
    )
}

/// The names of all bots.
const BOTS: [&str; 4] = ["echo", "counter", "signup", "greeter"];

/// Names, scopes and accounts of the tokens.
const TOKENS: [(&str, &str, &str); 5] = [
    ("all", "admin", "*"),
    ("reader", "read", "*"),
    ("operator", "operate", "*"),
    ("sender", "send", "*"),
    ("shop", "read\", \"operate\", \"send", "support-*"),
];

async fn server(more: &str) -> Server {
    let accounts = "[[accounts]]\nuser_id = \"echo-bot\"\nbots = [\"echo\"]\n\
                    [[accounts]]\nuser_id = \"support-{1..3}\"\nbots = [\"echo\", \"counter\"]\n\
                    [bots.greeter]\nwords = \"Hello\"\napi_key = \"geheim-marker\"\n";
    let server = server_of("sandbox", accounts, more).await;
    harness::eventually("all are online", || async {
        (server.app.controller().online().await == 4).then_some(())
    })
    .await;
    server
}

async fn server_of(endpoint: &str, accounts: &str, more: &str) -> Server {
    let bots = Bots::new().with("echo", echo).with("counter", counter);
    let bots = bots.with("signup", signup).with("greeter", greeter);
    let mut tokens = HashMap::new();
    // Several apps take the place of the one that all others have.
    let app = match accounts.starts_with("[[apps]]") {
        true => String::new(),
        false => format!("[app]\nsdk_app_id = {APP}\nsecret_key = \"{KEY}\"\n"),
    };
    let mut text = format!(
        "endpoint = \"{endpoint}\"\n{app}\
         [defaults]\nlogin_spacing = \"0s\"\nbackoff = {{ min = \"20ms\", max = \"200ms\" }}\n\
         [sandbox]\nlisten = \"127.0.0.1:0\"\n{accounts}\
         [admin]\nlisten = \"127.0.0.1:0\"\n{more}\n"
    );
    for (name, scopes, accounts) in TOKENS {
        let token = NewToken::make().unwrap();
        text += &format!(
            "[[admin.tokens]]\nname = \"{name}\"\nhash = \"{}\"\nscopes = [\"{scopes}\"]\naccounts = [\"{accounts}\"]\n",
            token.config_hash()
        );
        tokens.insert(name, token.text().to_owned());
    }
    let file = harness::file_in_fresh_folder();
    let env = BTreeMap::new();
    let config = Sources::new(&file, &text, &env);
    let config = Config::parse(config.known_bots(&BOTS)).unwrap();
    let opened = Opened::new(&config.admin).unwrap();
    let feed = opened.feed();
    let watch = Watch::start(&config, "fleet", 1);
    let observer = Observer(feed.clone(), watch.observer()).start();
    let away = HashMap::new();
    let app = App::start_with(&config, &bots, Some(observer.recipient()), away).await;
    let app = app.unwrap();
    let text = Arc::new(Mutex::new(text));
    watch.begin(app.controller(), HashMap::new());
    let tail = LogTail::default();
    let admin = opened.serve(Setting {
        controller: app.controller(),
        moved: None,
        sandbox: app.sandbox_url().map(|url| SandboxOf {
            url,
            sdk_app_id: APP,
        }),
        handover: None,
        alerts: Some(Arc::new(watch.board())),
        logs: Some(Logs {
            tail: tail.clone(),
            levels: Arc::<Levels>::default(),
        }),
        source: Some(ConfigSource::new({
            let text = text.clone();
            move || {
                let (text, env) = (text.lock().unwrap().clone(), BTreeMap::new());
                let config = Sources::new(&file, &text, &env);
                let config = Config::parse(config.known_bots(&BOTS));
                config.map_err(|mistakes| mistakes.to_string())
            }
        })),
    });
    Server {
        app,
        admin,
        feed,
        _watch: watch,
        tail,
        token: tokens["all"].clone(),
        tokens,
        text,
    }
}

/// An answer.
struct Answer {
    status: u16,
    headers: awc::http::header::HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }
}

impl Server {
    fn url(&self) -> &str {
        self.admin.url().unwrap()
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, None, Some(&self.token), &[]).await
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> Answer {
        self.ask(method, path, Some(body), Some(&self.token), &[])
            .await
    }

    async fn ask(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
        token: Option<&str>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let client = awc::Client::builder()
            .timeout(Duration::from_secs(60))
            .finish();
        let url = format!("{}{path}", self.url());
        let mut request = client.request(method.parse().unwrap(), url);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        for header in headers {
            request = request.insert_header(*header);
        }
        let mut answer = match body {
            Some(body) => request.send_json(&body).await.unwrap(),
            None => request.send().await.unwrap(),
        };
        let body = answer.body().limit(64 << 20).await.unwrap();
        Answer {
            status: answer.status().as_u16(),
            headers: answer.headers().clone(),
            text: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    async fn order(&self, account: &str, order: &str) -> Answer {
        let path = format!("/api/v1/accounts/{account}/orders");
        self.send("POST", &path, json!({ "order": order })).await
    }

    async fn end(self) {
        drop(self.admin);
        self.app.stop().await;
    }
}
