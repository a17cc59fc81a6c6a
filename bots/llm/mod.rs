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

mod answer;
mod events;
mod model;

use answer::Said;
use botroupe::bot::Cells;
use botroupe::prelude::*;
use events::Trouble;
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

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
    /// How long all of them together may take until one begins to answer; less than `host.handler_timeout`.
    #[serde(default = "all_in_all")]
    deadline: Patience,
    /// Whether an answer is shown while it comes.
    #[serde(default = "yes")]
    stream: bool,
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
) -> Result<Reply, Failed> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(Reply::message(texts.get("llm-nothing")));
    }
    let (used, day) = (used.user()?, message.time / DAY);
    let today = used.get("used").await?.filter(|used| used.day == day);
    let spent = today.unwrap_or_default().tokens;
    if settings.budget > 0 && spent >= settings.budget {
        return Ok(Reply::message(texts.get("llm-budget")));
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
    let label = settings.label.then(|| texts.get("llm-label"));
    let streams = settings.stream;
    let mut answer = Answer {
        said: None,
        known,
        settings,
        turns,
        used,
        day,
        api,
    };
    // A handler that runs again after a crash gets the answer that was paid for.
    if let Some(whole) = answer.recorded().await {
        answer.keep(&whole).await?;
        let whole = stream::iter([Ok::<_, Infallible>(whole.0)]);
        return Ok(labelled(Streamed::new(whole), label));
    }
    let deadline = answer.settings.deadline.0;
    let first = tokio::time::timeout(deadline, answer.begin(streams)).await;
    let first = first.unwrap_or(Err(Trouble::TooSlow))?;
    let first = stream::iter([Ok::<_, Failed>(first)]);
    let rest = stream::unfold(answer, async |mut answer| {
        let more = answer.more().await.transpose()?;
        Some((more, answer))
    });
    Ok(labelled(Streamed::new(first.chain(rest)), label))
}

fn labelled(streamed: Streamed, label: Option<String>) -> Reply {
    match label {
        Some(label) => streamed.ending(label).into_reply(),
        None => streamed.into_reply(),
    }
}

/// An answer that is being given.
struct Answer {
    /// `None` before a model has begun to answer, and once everything is said.
    said: Option<Said>,
    /// What was said before, and the question.
    known: Vec<Turn>,
    settings: Config<Settings>,
    turns: Cells<Vec<Turn>>,
    used: Cells<Used>,
    day: u64,
    api: Api,
}

impl Answer {
    /// The answer and its cost, if they were recorded before the process died.
    async fn recorded(&self) -> Option<(String, u64)> {
        let none = async || Err::<(String, u64), _>(Trouble::Empty);
        self.api.run("answer", none).await.ok()
    }

    /// Asks one model after the other, until one answers. Returns the first words; all of them, if they are not to be
    /// `streamed`.
    async fn begin(&mut self, streamed: bool) -> Result<String, Trouble> {
        let mut trouble = Trouble::Unreachable;
        for model in &self.settings.models {
            let question = self.settings.question(model, &self.known);
            match first(question, self.settings.patience.0, streamed).await {
                Ok((said, text)) => {
                    self.said = Some(said);
                    return Ok(text);
                }
                Err(reason) => trouble = reason,
            }
        }
        Err(trouble)
    }

    /// More of the answer; `None` at the end, when it is kept.
    async fn more(&mut self) -> Result<Option<String>, Failed> {
        let Some(said) = &mut self.said else {
            return Ok(None);
        };
        match said.more().await {
            Ok(Some(more)) => return Ok(Some(more)),
            Ok(None) => {}
            Err(trouble) => {
                self.said = None;
                return Err(trouble.into());
            }
        }
        let bytes = self.known.iter().map(|turn| turn.content.len()).sum();
        let whole = (said.text().to_owned(), said.cost(bytes));
        self.said = None;
        let whole = self.api.run("answer", async || Ok::<_, Infallible>(whole));
        let whole = whole.await?;
        self.keep(&whole).await?;
        Ok(None)
    }

    /// Remembers the answer, and what it cost.
    async fn keep(&self, (said, tokens): &(String, u64)) -> Result<(), ValueError> {
        let day = self.day;
        let more = |used: Option<Used>| {
            let today = used.filter(|used| used.day == day).unwrap_or_default();
            let tokens = today.tokens.saturating_add(*tokens);
            Used { day, tokens }
        };
        self.used.update("used", more).await?;
        let mut known = self.known.clone();
        known.push(Turn {
            role: "assistant".to_owned(),
            content: said.clone(),
        });
        let latest = latest(known, self.settings.history);
        self.turns.set("turns", &latest).await
    }
}

/// Asks a model for its first words, or for all.
async fn first(
    question: model::Question,
    patience: Duration,
    streamed: bool,
) -> Result<(Said, String), Trouble> {
    let mut said = Said::new(model::ask(question, patience).await?);
    let mut text = said.more().await?.unwrap_or_default();
    while !streamed && let Some(more) = said.more().await? {
        text.push_str(&more);
    }
    Ok((said, text))
}

impl Settings {
    fn question(&self, model: &Model, turns: &[Turn]) -> model::Question {
        let mut messages = Vec::new();
        if !self.system.is_empty() {
            messages.push(json!({ "role": "system", "content": self.system }));
        }
        messages.extend(turns.iter().map(|turn| json!(turn)));
        let Model { url, model, key } = model;
        let body = json!({
            "model": model, "messages": messages, "stream": true,
            "stream_options": { "include_usage": true },
        });
        model::Question {
            url: format!("{}/chat/completions", url.trim_end_matches('/')),
            key: key.clone(),
            body: body.to_string(),
        }
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

#[cfg(test)]
mod tests;
