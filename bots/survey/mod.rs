//! Asks everybody the same questions, one by one, and hands the answers to its admins as a table.
//!
//! ```toml
//! [bots.survey]
//! admins = ["boss"]    # who may have the answers
//!
//! [[bots.survey.questions]]
//! kind = "number"      # or "text", "yes_no", "choice"
//! ask = "How old are you?"
//! from = 1
//! to = 120
//! ```

use botroupe::prelude::*;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// So many people may answer: the table is made in memory.
const MOST: u64 = 10_000;
/// So many questions may be asked.
const QUESTIONS: usize = 40;
/// So many characters an answer may have at most: a dialogue has room for all of them.
const LONGEST: usize = 1_000;
/// So many answers may be offered to a question.
const CHOICES: usize = 20;

/// `[bots.survey]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Whether everybody may answer once; otherwise who answers again replaces the own answers.
    #[serde(default = "yes")]
    once: bool,
    /// What is said at the end, in the place of the bot's own thanks.
    thanks: Option<String>,
    /// What is asked, in this order.
    #[serde(deserialize_with = "questions")]
    questions: Vec<Question>,
}

const fn yes() -> bool {
    true
}

/// `[[bots.survey.questions]]`
#[derive(Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum Question {
    /// Any text.
    Text {
        /// The question.
        ask: String,
        /// How many characters the answer may have.
        #[serde(default = "page")]
        most: usize,
    },
    /// A whole number.
    Number {
        /// The question.
        ask: String,
        /// The smallest.
        from: i64,
        /// The greatest.
        to: i64,
    },
    /// Yes or no.
    YesNo {
        /// The question.
        ask: String,
    },
    /// One of several.
    Choice {
        /// The question.
        ask: String,
        /// What may be answered.
        choices: Vec<String>,
    },
}

const fn page() -> usize {
    500
}

fn questions<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<Question>, D::Error> {
    let all = Vec::<Question>::deserialize(from)?;
    let mistake = all.iter().find_map(Question::mistake);
    match mistake {
        Some(mistake) => Err(serde::de::Error::custom(mistake)),
        None if all.is_empty() || all.len() > QUESTIONS => Err(serde::de::Error::custom(format!(
            "expected 1 to {QUESTIONS} questions"
        ))),
        None => Ok(all),
    }
}

/// What somebody answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Said {
    Text(String),
    Number(i64),
    YesNo(bool),
}

/// Everything that one person answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Row {
    /// When the survey was begun, in Unix seconds.
    at: u64,
    user: String,
    nick: String,
    /// Questions and answers: the settings may change.
    answers: Vec<(String, Said)>,
}

/// Makes the bot.
pub fn bot() -> Bot {
    Bot::new("survey")
        .config::<Settings>()
        .texts("en", include_str!("en.ftl"))
        .texts("zh", include_str!("zh.ftl"))
        .command(command("survey").alias("调查"), survey)
        .command(
            command("results")
                .alias("结果")
                .permit(Permission::admins()),
            results,
        )
}

async fn survey(
    dialogue: Dialogue,
    start: Arc<Message>,
    settings: Config<Settings>,
    texts: Texts,
    numbers: Store<u64>,
    rows: Store<Row>,
    api: Api,
) -> BotResult<String> {
    // The handler runs again with each answer, and has to do the same again: what it reads here is kept by `run`.
    let (mine, all) = (numbers.user()?, numbers.bot());
    let earlier = api.run("earlier", || mine.get("row")).await?;
    if earlier.is_some() && settings.once {
        return Ok(texts.get("survey-already"));
    }
    let count = api.run("count", || all.get("rows")).await?;
    if earlier.is_none() && count.unwrap_or(0) >= MOST {
        return Ok(texts.get("survey-closed"));
    }
    let mut answers = Vec::new();
    for question in &settings.questions {
        let said = question.put(&dialogue, &texts).await?;
        answers.push((question.text().to_owned(), said));
    }
    // Somebody may hold two dialogues, in two chats: the later one replaces what the earlier one has written.
    let number = match mine.get("row").await? {
        Some(number) => number,
        None => all.update("rows", |count| count.unwrap_or(0) + 1).await?,
    };
    let row = Row {
        at: start.time,
        user: start.from.to_string(),
        nick: start.nick.clone(),
        answers,
    };
    rows.bot().set(&row_name(number), &row).await?;
    mine.set("row", &number).await?;
    let thanks = settings.thanks.clone();
    Ok(thanks.unwrap_or_else(|| texts.get("survey-thanks")))
}

/// A store cannot list what is in it, so the rows have numbers.
fn row_name(number: u64) -> String {
    format!("row {number}")
}

async fn results(
    at: Conversation,
    settings: Config<Settings>,
    texts: Texts,
    numbers: Store<u64>,
    rows: Store<Row>,
) -> Result<Reply, ValueError> {
    if at.is_group() {
        return Ok(Reply::message(texts.get("survey-private")));
    }
    let (count, rows) = (numbers.bot().get("rows").await?, rows.bot());
    let mut all = Vec::new();
    for number in 1..=count.unwrap_or(0) {
        all.extend(rows.get(&row_name(number)).await?);
    }
    if all.is_empty() {
        return Ok(Reply::message(texts.get("survey-nobody")));
    }
    let table = table(&settings.questions, &all);
    let file = Upload::new("survey.csv", table).content_type("text/csv; charset=utf-8");
    let count = u64::try_from(all.len()).unwrap_or(u64::MAX);
    let said = texts.with("survey-file", &[("count", count.into())]);
    // Two messages: the kits of the service show the first element of one, and that is the text.
    Ok(Reply::message(said).then(Reply::file(Outgoing::file(file))))
}

impl Question {
    fn text(&self) -> &str {
        match self {
            Self::Text { ask, .. }
            | Self::Number { ask, .. }
            | Self::YesNo { ask }
            | Self::Choice { ask, .. } => ask,
        }
    }

    /// What is wrong with it.
    fn mistake(&self) -> Option<String> {
        let ask = self.text();
        if ask.trim().is_empty() || ask.len() > LONGEST {
            return Some("expected a question in every `ask`".to_owned());
        }
        match self {
            Self::Text { most, .. } if *most == 0 || *most > LONGEST => {
                Some(format!("{ask:?}: `most` is 1 to {LONGEST}"))
            }
            Self::Number { from, to, .. } if from > to => {
                Some(format!("{ask:?}: `from` is greater than `to`"))
            }
            Self::Choice { choices, .. } => {
                let mut names: Vec<String> = choices.iter().map(|it| it.to_lowercase()).collect();
                names.sort_unstable();
                names.dedup();
                let fit = names.len() == choices.len() && (2..=CHOICES).contains(&names.len());
                let fit = fit
                    && choices
                        .iter()
                        .all(|it| !it.trim().is_empty() && it.len() <= 200);
                (!fit).then(|| format!("{ask:?}: expected 2 to {CHOICES} different choices"))
            }
            _ => None,
        }
    }

    /// Asks it until the answer fits.
    async fn put(&self, dialogue: &Dialogue, texts: &Texts) -> Result<Said, DialogueError> {
        Ok(match self {
            Self::Text { ask, most } => {
                let most = *most;
                let again = texts.with("survey-text", &[("most", most.into())]);
                let asked = dialogue.ask(ask.as_str()).retry(again);
                Said::Text(
                    asked
                        .check(move |it: &String| it.chars().count() <= most)
                        .await?,
                )
            }
            Self::Number { ask, from, to } => {
                // As texts: languages write large numbers in their own ways.
                let (least, greatest) = (from.to_string(), to.to_string());
                let range = [
                    ("from", least.as_str().into()),
                    ("to", greatest.as_str().into()),
                ];
                let range_of = *from..=*to;
                let asked = dialogue
                    .ask(ask.as_str())
                    .retry(texts.with("survey-number", &range));
                Said::Number(asked.check(move |it| range_of.contains(it)).await?)
            }
            Self::YesNo { ask } => {
                let again = texts.get("survey-yes-or-no");
                Said::YesNo(dialogue.ask(ask.as_str()).retry(again).await?)
            }
            Self::Choice { ask, choices } => {
                let names: Vec<&str> = choices.iter().map(String::as_str).collect();
                let all = names.join(", ");
                let again = texts.with("survey-choice", &[("choices", all.as_str().into())]);
                let chosen = dialogue.choose(ask, &names).retry(again).await?;
                Said::Text(choices.get(chosen).cloned().unwrap_or_default())
            }
        })
    }
}

/// All answers as CSV: a column for each question that is asked, and for each that was.
fn table(asked: &[Question], rows: &[Row]) -> String {
    let mut columns: Vec<&str> = asked.iter().map(Question::text).collect();
    for (question, _) in rows.iter().flat_map(|row| &row.answers) {
        if !columns.contains(&question.as_str()) {
            columns.push(question);
        }
    }
    // The mark at the start tells spreadsheets that it is UTF-8.
    let mut text = "\u{feff}time,user,nick".to_owned();
    for column in &columns {
        text.push_str(&format!(",{}", Cell(column)));
    }
    text.push_str("\r\n");
    for row in rows {
        let seconds = i64::try_from(row.at).unwrap_or(i64::MAX);
        let time = jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        text.push_str(&format!("{time},{},{}", Cell(&row.user), Cell(&row.nick)));
        for column in &columns {
            let said = row.answers.iter().find(|(question, _)| question == column);
            match said {
                Some((_, Said::Text(said))) => text.push_str(&format!(",{}", Cell(said))),
                Some((_, Said::Number(number))) => text.push_str(&format!(",{number}")),
                Some((_, Said::YesNo(yes))) => text.push_str(if *yes { ",yes" } else { ",no" }),
                None => text.push(','),
            }
        }
        text.push_str("\r\n");
    }
    text
}

/// A text of somebody as a cell of a table. A spreadsheet calculates what begins like a formula, and formulas can read
/// other cells and open addresses: such a text gets an apostrophe in front. It stays in one cell and on one line.
struct Cell<'a>(&'a str);

impl fmt::Display for Cell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_blank = |c: char| {
            c.is_whitespace()
                || c.is_control()
                || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        };
        let seen = self.0.trim_start_matches(is_blank);
        let begins = ['=', '+', '-', '@', '＝', '＋', '－', '＠', '|', '%'];
        f.write_str(if seen.starts_with(begins) {
            "\"'"
        } else {
            "\""
        })?;
        for c in self.0.chars() {
            match c {
                '"' => f.write_str("\"\"")?,
                c if c.is_control() => f.write_str(" ")?,
                c => write!(f, "{c}")?,
            }
        }
        f.write_str("\"")
    }
}

#[cfg(test)]
mod tests;
