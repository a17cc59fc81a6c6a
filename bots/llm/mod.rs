//! Answers with a language model, through any server that speaks the chat completions of OpenAI.
//!
//! ```toml
//! [bots.llm]
//! system = "You are the help desk of a bicycle shop."
//!
//! [[bots.llm.models]]          # the next one is asked when one fails
//! url = "https://api.example.com/v1"
//! model = "small"
//! key = "${LLM_KEY}"
//! ```

mod model;
mod stream;

use botroupe::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use stream::Trouble;
use url::Url;

/// Bytes of an answer, as they are written into a message: a little less than one holds.
const LONGEST: usize = 11_000;
/// Bytes of what is kept of a conversation.
const REMEMBERED: usize = 32 * 1024;
const DAY: u64 = 24 * 3600;

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// `[bots.llm]`. It has no `Debug`, because it holds keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Who is asked: the next one when one fails.
    #[serde(deserialize_with = "models")]
    models: Vec<Model>,
    /// What the models are told first.
    #[serde(default)]
    system: String,
    /// So many messages before are told, too.
    #[serde(default = "page")]
    history: usize,
    /// So many tokens one person may use on one day (UTC); 0 is any number.
    #[serde(default = "plenty")]
    budget: u64,
    /// How long a model may be silent.
    #[serde(default)]
    patience: Patience,
    /// How long all of them together may take; less than `host.handler_timeout`.
    #[serde(default = "all_in_all")]
    deadline: Patience,
    /// Whether answers say that an AI has written them.
    #[serde(default = "yes")]
    label: bool,
}

const fn page() -> usize {
    20
}

const fn plenty() -> u64 {
    100_000
}

const fn all_in_all() -> Patience {
    Patience(Duration::from_secs(25))
}

const fn yes() -> bool {
    true
}

/// `[[bots.llm.models]]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Model {
    /// The address in front of `/chat/completions`.
    url: String,
    /// The name of the model.
    model: String,
    /// The key of the server.
    key: Option<String>,
}

fn models<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<Model>, D::Error> {
    let models = Vec::<Model>::deserialize(from)?;
    let fits = |model: &Model| {
        let url = Url::parse(&model.url);
        url.is_ok_and(|url| matches!(url.scheme(), "http" | "https")) && !model.model.is_empty()
    };
    if models.is_empty() || !models.iter().all(fits) {
        let wanted = "expected models with url = \"https://…/v1\" and model = \"…\"";
        return Err(serde::de::Error::custom(wanted));
    }
    Ok(models)
}

/// A time such as `"8s"`.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Patience(Duration);

impl Default for Patience {
    fn default() -> Self {
        Self(Duration::from_secs(8))
    }
}

impl TryFrom<String> for Patience {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let time = botroupe::config::parse_duration(&text).map_err(|error| error.to_string())?;
        Ok(Self(time))
    }
}

/// What was said, by whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Turn {
    /// `user` or `assistant`.
    role: String,
    content: String,
}

/// What somebody has used on a day.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Used {
    day: u64,
    tokens: u64,
}

/// Makes the bot.
pub fn bot() -> Bot {
    let is_asked = filter::private() | filter::check(is_named);
    Bot::new("llm")
        .config::<Settings>()
        .texts("en", include_str!("en.ftl"))
        .texts("zh", include_str!("zh.ftl"))
        // Who writes on while the model is busy wants an answer to everything: it is asked anew.
        .overlap(Overlap::Latest)
        .command(command("forget").alias("忘记"), forget)
        .on(filter::text() & is_asked, asked)
}

/// Whether the message mentions the account itself: an announcement to everybody asks nobody.
fn is_named(event: &Event) -> bool {
    let mentions = event.message().map(|message| &message.mentions);
    mentions.is_some_and(|all| {
        all.iter()
            .any(|it| it.user.as_deref() == Some(event.user()))
    })
}

async fn forget(turns: Store<Vec<Turn>>, texts: Texts) -> Result<String, ValueError> {
    turns.conversation()?.remove("turns").await?;
    Ok(texts.get("llm-forgotten"))
}

async fn asked(
    text: Text,
    message: Arc<Message>,
    settings: Config<Settings>,
    texts: Texts,
    turns: Store<Vec<Turn>>,
    used: Store<Used>,
    api: Api,
) -> Result<String, Failed> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(texts.get("llm-nothing"));
    }
    let (used, day) = (used.user()?, message.time / DAY);
    let today = used.get("used").await?.filter(|used| used.day == day);
    let spent = today.unwrap_or_default().tokens;
    if settings.budget > 0 && spent >= settings.budget {
        return Ok(texts.get("llm-budget"));
    }
    let turns = turns.conversation()?;
    let mut known = turns.get("turns").await?.unwrap_or_default();
    let content = match &message.conversation {
        // A model has to know who of several says something.
        Conversation::Group(_) => format!("{}: {text}", message.from),
        _ => text.to_owned(),
    };
    known.push(Turn {
        role: "user".to_owned(),
        content,
    });
    // A handler that runs again after a crash gets the answer that was paid for.
    let ask = || async {
        let asked = tokio::time::timeout(settings.deadline.0, settings.ask(&known)).await;
        asked.unwrap_or(Err(Trouble::TooSlow))
    };
    let (said, tokens) = api.run("answer", ask).await?;
    let more = |used: Option<Used>| {
        let today = used.filter(|used| used.day == day).unwrap_or_default();
        let tokens = today.tokens.saturating_add(tokens);
        Used { day, tokens }
    };
    used.update("used", more).await?;
    known.push(Turn {
        role: "assistant".to_owned(),
        content: said.clone(),
    });
    turns.set("turns", &latest(known, settings.history)).await?;
    Ok(match settings.label {
        true => format!("{said}\n{}", texts.get("llm-label")),
        false => said,
    })
}

impl Settings {
    /// Asks one model after the other. The answer comes back with what it cost.
    async fn ask(&self, turns: &[Turn]) -> Result<(String, u64), Trouble> {
        let mut messages = Vec::new();
        if !self.system.is_empty() {
            messages.push(json!({ "role": "system", "content": self.system }));
        }
        messages.extend(turns.iter().map(|turn| json!(turn)));
        let mut trouble = Trouble::Unreachable;
        for Model { url, model, key } in &self.models {
            let body = json!({
                "model": model, "messages": messages, "stream": true,
                "stream_options": { "include_usage": true },
            });
            let question = model::Question {
                url: format!("{}/chat/completions", url.trim_end_matches('/')),
                key: key.clone(),
                body: body.to_string(),
            };
            match model::ask(question, self.patience.0, LONGEST).await {
                Ok((said, cost)) => {
                    let said = fitting(said.trim());
                    // Who does not say what it cost is taken to have used a token for each two bytes.
                    let bytes = turns.iter().map(|turn| turn.content.len()).sum::<usize>();
                    let guess = u64::try_from((bytes + said.len()) / 2).unwrap_or(u64::MAX);
                    return Ok((said, cost.unwrap_or(guess)));
                }
                Err(reason) => trouble = reason,
            }
        }
        Err(trouble)
    }
}

/// What is kept: so many turns, and so many bytes.
fn latest(turns: Vec<Turn>, most: usize) -> Vec<Turn> {
    let mut room = REMEMBERED;
    let newest = turns.into_iter().rev().take(most).take_while(|turn| {
        let fits = turn.content.len() <= room;
        room = room.saturating_sub(turn.content.len());
        fits
    });
    let mut kept: Vec<Turn> = newest.collect();
    kept.reverse();
    kept
}

/// The part of a text that a message has room for.
fn fitting(text: &str) -> String {
    let mut room = LONGEST - 1_000;
    let mut fitting = String::new();
    for c in text.chars() {
        // As JSON writes it.
        let bytes = match c {
            '"' | '\\' | '\n' | '\r' | '\t' => 2,
            c if c.is_control() => 6,
            c => c.len_utf8(),
        };
        let Some(left) = room.checked_sub(bytes) else {
            fitting.push('…');
            break;
        };
        room = left;
        fitting.push(c);
    }
    fitting
}

#[cfg(test)]
mod tests;
