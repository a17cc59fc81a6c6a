use super::*;
use botroupe::bot::testing::TestBot;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

/// What the model does with a request.
#[derive(Clone)]
enum Does {
    /// Answers these pieces, and says that they cost so many tokens.
    Says(Vec<String>, u64),
    /// Answers everything at once.
    Whole(&'static str),
    /// Answers with this status.
    Status(u16),
    /// Begins to answer, and goes away: within the first words, or after them.
    BreaksOff,
    BreaksOffLater,
    /// Never answers.
    Hangs,
}

fn says(text: &str) -> Does {
    Does::Says(vec![text.to_owned()], 10)
}

/// A model on this machine, and what it is asked.
struct Fake {
    url: String,
    asked: Receiver<(String, Value)>,
}

impl Fake {
    fn start(script: impl IntoIterator<Item = Does>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let (tell, asked) = channel();
        let script: Vec<Does> = script.into_iter().collect();
        std::thread::spawn(move || {
            let mut open = Vec::new();
            for does in script {
                let Ok((mut stream, _)) = listener.accept() else {
                    return;
                };
                let _ = tell.send(request(&stream));
                match does {
                    Does::Says(pieces, tokens) => {
                        let _ = stream.write_all(&stream_of(&pieces, tokens));
                    }
                    Does::Whole(body) => {
                        let _ = write!(
                            stream,
                            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                            body.len()
                        );
                    }
                    Does::Status(status) => {
                        let _ = write!(
                            stream,
                            "HTTP/1.1 {status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                        );
                    }
                    Does::BreaksOff => {
                        let whole = stream_of(&["half an".to_owned()], 1);
                        let _ = stream.write_all(&whole[..whole.len() / 2]);
                    }
                    Does::BreaksOffLater => {
                        let whole = stream_of(&["half an".to_owned(), " answer".to_owned()], 1);
                        let end = whole.windows(4).rposition(|bytes| bytes == b" ans");
                        let _ = stream.write_all(&whole[..end.unwrap()]);
                    }
                    Does::Hangs => open.push(stream),
                }
            }
            // Until the test ends.
            if !open.is_empty() {
                std::thread::park();
            }
        });
        Self { url, asked }
    }

    /// What it was asked, with the key.
    fn next(&self) -> (String, Value) {
        self.asked.recv().unwrap()
    }

    fn settings(&self) -> String {
        format!(
            "[[models]]\nurl = \"{}\"\nmodel = \"m\"\nkey = \"s3cr3t\"\n",
            self.url
        )
    }
}

fn request(stream: &TcpStream) -> (String, Value) {
    let mut reader = BufReader::new(stream);
    let (mut key, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let lower = line.to_lowercase();
        if let Some(value) = lower.strip_prefix("authorization: ") {
            value.trim().clone_into(&mut key);
        }
        if let Some(value) = lower.strip_prefix("content-length: ") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    (key, serde_json::from_slice(&body).unwrap())
}

fn stream_of(pieces: &[String], tokens: u64) -> Vec<u8> {
    let mut text = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n".to_owned();
    let mut chunk = |data: String| {
        let data = format!("data: {data}\n\n");
        text.push_str(&format!("{:x}\r\n{data}\r\n", data.len()));
    };
    for piece in pieces {
        chunk(json!({ "choices": [{ "delta": { "content": piece } }] }).to_string());
    }
    chunk(json!({ "choices": [], "usage": { "total_tokens": tokens } }).to_string());
    chunk("[DONE]".to_owned());
    text.push_str("0\r\n\r\n");
    text.into_bytes()
}

fn made(text: &str) -> Bot {
    let mut bot = bot();
    bot.configure(Some(&text.parse().unwrap())).unwrap();
    bot
}

#[actix_rt::test]
async fn it_answers_with_a_label_and_remembers_the_conversation() {
    let pieces = ["Hel", "lo 😀", "!"].map(str::to_owned).to_vec();
    let fake = Fake::start([
        Does::Says(pieces, 10),
        says("你好！"),
        says("Hm."),
        says("Yes."),
    ]);
    let bot = TestBot::new(made(&format!(
        "system = \"Be brief.\"\n{}",
        fake.settings()
    )));
    assert_eq!(
        bot.hears("hi \u{202e}\u{200b}").await,
        ["Hello 😀!\n(written by an AI)"]
    );
    let (key, body) = fake.next();
    assert_eq!(
        (key.as_str(), &body["model"], &body["stream"]),
        ("bearer s3cr3t", &json!("m"), &json!(true))
    );
    assert_eq!(
        body["messages"],
        json!([
            { "role": "system", "content": "Be brief." },
            { "role": "user", "content": "hi \u{202e}\u{200b}" },
        ])
    );
    assert_eq!(bot.hears("再说一次").await, ["你好！\n（由人工智能生成）"]);
    assert_eq!(fake.next().1["messages"].as_array().unwrap().len(), 4);
    // Another conversation knows nothing of this one, and a group is answered when it asks.
    bot.in_group("g").hears("hello all").await.expect_no_reply();
    let said = bot
        .in_group("g")
        .from("bob")
        .mentioning()
        .hears("@bot well?")
        .await;
    assert_eq!(said, ["Hm.\n(written by an AI)"]);
    let (_, body) = fake.next();
    assert_eq!(body["messages"][1]["content"], "bob: @bot well?");
    assert_eq!(
        bot.hears("/forget").await,
        ["I have forgotten what we said before."]
    );
    assert_eq!(bot.hears("hi").await.texts().len(), 1);
    assert_eq!(fake.next().1["messages"].as_array().unwrap().len(), 2);
    assert_eq!(bot.hears("  ").await, ["Please ask me something."]);
}

#[actix_rt::test]
async fn the_next_model_is_asked_when_one_fails() {
    for does in [
        Does::Status(500),
        Does::Status(401),
        Does::BreaksOff,
        Does::Hangs,
        Does::Says(vec![], 1),
        Does::Whole("{\"error\":{}}"),
        Does::Whole("<html>"),
    ] {
        let (broken, fake) = (Fake::start([does]), Fake::start([says("here")]));
        let nobody = "[[models]]\nurl = \"http://127.0.0.1:1\"\nmodel = \"x\"\n";
        let text = format!(
            "label = false\npatience = \"400ms\"\n{nobody}{}{}",
            broken.settings(),
            fake.settings()
        );
        assert_eq!(TestBot::new(made(&text)).hears("hi").await, ["here"]);
    }
    // All of them together may take so long.
    let silent = Fake::start([Does::Hangs]);
    let text = format!("deadline = \"100ms\"\n{}", silent.settings());
    let failed = TestBot::new(made(&text)).hears("hi").await;
    assert_eq!(failed.failures()[0].to_string(), "the model took too long");
    let fake = Fake::start([Does::Whole(
        "{\"choices\":[{\"message\":{\"content\":\"all\"}}]}",
    )]);
    let text = format!("label = false\n{}", fake.settings());
    assert_eq!(TestBot::new(made(&text)).hears("hi").await, ["all"]);
}

#[actix_rt::test]
async fn an_answer_that_breaks_off_is_marked_or_the_next_model_is_asked() {
    let (broken, fake) = (
        Fake::start([Does::BreaksOffLater]),
        Fake::start([says("ok")]),
    );
    let models = format!("{}{}", broken.settings(), fake.settings());
    let bot = TestBot::new(made(&models));
    let said = bot.hears("hi").await;
    let marked = "half an\n(The answer broke off here.)\n(written by an AI)";
    assert_eq!(said.texts(), [marked]);
    assert_eq!(said.failures()[0].to_string(), "the answer broke off");
    // What is not shown while it comes can be asked for again.
    let bot = TestBot::new(made(&format!("stream = false\n{}", {
        let broken = Fake::start([Does::BreaksOffLater]);
        format!("{}{}", broken.settings(), fake.settings())
    })));
    assert_eq!(bot.hears("hi").await, ["ok\n(written by an AI)"]);
}

#[actix_rt::test]
async fn without_any_model_it_apologises_and_names_no_key() {
    let fake = Fake::start([Does::Status(403), says("back")]);
    let bot = TestBot::new(made(&fake.settings()));
    let failed = bot.hears("hi").await;
    assert_eq!(failed.failures().len(), 1);
    let reason = failed.failures()[0].to_string();
    assert_eq!(reason, "the model answered with status 403");
    // What was not answered is not remembered.
    bot.hears("hello").await;
    fake.next();
    assert_eq!(fake.next().1["messages"].as_array().unwrap().len(), 1);
}

#[actix_rt::test]
async fn each_person_has_a_budget_for_a_day() {
    let script = (0..4).map(|_| says("x"));
    let fake = Fake::start(script);
    let bot = TestBot::new(made(&format!(
        "budget = 15\nlabel = false\n{}",
        fake.settings()
    )));
    assert_eq!(bot.hears("a").await, ["x"]);
    assert_eq!(bot.hears("b").await, ["x"]);
    let enough = "That was enough for today. Please ask me again tomorrow.";
    assert_eq!(bot.hears("c").await, [enough]);
    assert_eq!(bot.from("bob").hears("d").await, ["x"]);
    bot.crash_and_restart().await.expect_no_reply();
    assert_eq!(bot.hears("e").await, [enough]);
    bot.advance("1d").await.expect_no_reply();
    assert_eq!(bot.hears("f").await, ["x"]);
}

#[actix_rt::test]
async fn who_writes_on_gets_one_answer_to_everything() {
    let fake = Fake::start([says("both"), says("both")]);
    let bot = TestBot::new(made(&format!("label = false\n{}", fake.settings())));
    for text in ["what about", "the weather"] {
        bot.from("alice").drops_in(text);
    }
    assert_eq!(bot.advance("1s").await, ["both"]);
    let last = std::iter::from_fn(|| fake.asked.try_recv().ok()).last();
    let messages = &last.unwrap().1["messages"];
    assert_eq!(
        *messages,
        json!([{ "role": "user", "content": "what about\nthe weather" }])
    );
}

#[actix_rt::test]
async fn a_crash_pays_once() {
    for writes in 0..6 {
        let fake = Fake::start([says("one"), says("two"), says("three")]);
        let bot = TestBot::new(made(&format!("label = false\n{}", fake.settings())));
        bot.die_after(writes);
        let mut said = bot.hears("hi").await.texts();
        said.extend(bot.crash_and_restart().await.texts());
        assert_eq!(said.len(), 1, "{writes} {said:?}");
        let next = bot.hears("again").await.texts();
        assert_eq!(next.len(), 1);
        let last = std::iter::from_fn(|| fake.asked.try_recv().ok())
            .last()
            .unwrap();
        assert_eq!(last.1["messages"].as_array().unwrap().len(), 3, "{writes}");
    }
}

#[actix_rt::test]
async fn long_texts_are_cut_and_old_ones_forgotten() {
    let long = vec!["\"长\n".repeat(1_000); 20];
    let script = (0..6).map(|_| Does::Says(long.clone(), 1));
    let fake = Fake::start(script);
    let bot = TestBot::new(made(&format!("history = 4\n{}", fake.settings())));
    let question = "长".repeat(3_900);
    for _ in 0..6 {
        let said = bot.hears(&question).await;
        let text = said.texts().concat();
        assert!(
            text.ends_with("…\n（由人工智能生成）"),
            "{:?}",
            said.failures()
        );
        assert!(said.sent()[0].1.check().is_ok());
        assert!(fake.next().1["messages"].as_array().unwrap().len() <= 5);
    }
}

#[test]
fn what_is_kept_has_bounds() {
    let turn = |bytes: usize| Turn {
        role: "user".to_owned(),
        content: "x".repeat(bytes),
    };
    assert_eq!(
        latest(vec![turn(1), turn(2), turn(3)], 2),
        [turn(2), turn(3)]
    );
    assert_eq!(
        latest(vec![turn(1), turn(REMEMBERED), turn(3)], 9),
        [turn(3)]
    );
    assert_eq!(latest(vec![turn(REMEMBERED + 1)], 9), []);
}

#[test]
fn settings_that_cannot_be_used_are_refused_without_their_keys() {
    for (text, fragment) in [
        ("", "missing: models"),
        ("models = []", "expected models with url"),
        (
            "[[models]]\nurl = \"ftp://x\"\nmodel = \"m\"\nkey = \"s3cr3t\"",
            "expected models with url",
        ),
        (
            "[[models]]\nurl = \"https://x\"\nmodel = \"m\"\nkey = 7",
            "expected a string",
        ),
        (
            "patience = \"soon\"\n[[models]]\nurl = \"https://x\"\nmodel = \"m\"",
            "patience: ",
        ),
    ] {
        let error = bot()
            .configure(Some(&text.parse().unwrap()))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(fragment) && !error.contains("s3cr3t"),
            "{text}: {error}"
        );
    }
}
