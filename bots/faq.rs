//! Answers questions from a table of its settings, also those that are worded a little differently.
//!
//! ```toml
//! [bots.faq]
//! threshold = 0.6      # from 0 to 1: how alike a text and a question have to be
//!
//! [[bots.faq.questions]]
//! ask = ["What are your opening hours?", "When are you open?", "几点开门？"]
//! answer = "Monday to Friday, 9:00 to 18:00."
//! ```

use botroupe::prelude::*;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;

/// So many letters of a text are compared: nobody asks in more.
const LONGEST: usize = 200;
/// So many questions are offered.
const OFFERED: usize = 3;
/// So long a number is taken for one of them.
const PATIENCE: Duration = Duration::from_secs(600);
/// Bytes of an answer, well below what fits into a message.
const LONGEST_ANSWER: usize = 8 * 1024;

/// `[bots.faq]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// How alike a text and a question have to be, from 0 to 1.
    #[serde(default)]
    threshold: Threshold,
    /// What it knows.
    questions: Vec<Question>,
}

/// A number from 0 to 1.
#[derive(Deserialize)]
#[serde(try_from = "f64")]
struct Threshold(f64);

impl Default for Threshold {
    fn default() -> Self {
        Self(0.6)
    }
}

impl TryFrom<f64> for Threshold {
    type Error = &'static str;

    fn try_from(number: f64) -> Result<Self, Self::Error> {
        let fits = (0.0..=1.0).contains(&number);
        fits.then_some(Self(number))
            .ok_or("expected a number from 0 to 1")
    }
}

/// `[[bots.faq.questions]]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    /// What people ask, in several wordings and languages.
    #[serde(deserialize_with = "wordings")]
    ask: Vec<Wording>,
    /// What is answered.
    #[serde(deserialize_with = "answer")]
    answer: String,
}

struct Wording {
    shown: String,
    /// As it is compared.
    letters: String,
}

fn wordings<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<Wording>, D::Error> {
    let texts = Vec::<String>::deserialize(from)?;
    let wordings = texts.into_iter().map(|shown| {
        let letters = letters(&shown);
        (!letters.is_empty() && letters.chars().count() < LONGEST)
            .then_some(Wording { shown, letters })
    });
    let wordings: Option<Vec<_>> = wordings.collect();
    wordings.filter(|all| !all.is_empty()).ok_or_else(|| {
        serde::de::Error::custom("expected a list of questions: [\"Are you open?\"]")
    })
}

fn answer<'de, D: serde::Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let answer = String::deserialize(from)?;
    let fits = !answer.trim().is_empty() && answer.len() <= LONGEST_ANSWER;
    fits.then_some(answer)
        .ok_or_else(|| serde::de::Error::custom("expected a text of at most 8 KiB"))
}

/// Makes the bot.
pub fn bot() -> Bot {
    let is_asked = filter::private() | filter::check(is_named);
    Bot::new("faq")
        .config::<Settings>()
        .texts("en", include_str!("faq/en.ftl"))
        .texts("zh", include_str!("faq/zh.ftl"))
        .on(filter::text() & is_asked, asked)
        .on_text(overheard)
}

/// Whether the message mentions the account itself: an announcement to everybody asks nobody.
fn is_named(event: &Event) -> bool {
    let mentions = event.message().map(|message| &message.mentions);
    mentions.is_some_and(|all| {
        all.iter()
            .any(|it| it.user.as_deref() == Some(event.user()))
    })
}

/// Somebody asks the bot, so it always answers.
async fn asked(
    message: Arc<Message>,
    settings: Config<Settings>,
    offers: Store<Vec<String>>,
    texts: Texts,
) -> Result<String, ValueError> {
    let said = letters(message.text().unwrap_or_default());
    let here = format!("offered in {}", message.conversation);
    let offers = offers.user()?;
    // A number is one of the questions that were offered.
    if let Some(number) = said.parse::<usize>().ok().and_then(|it| it.checked_sub(1))
        && let Some(offered) = offers.get(&here).await?
        && let Some(answer) = offered.get(number).and_then(|it| settings.answer_to(it))
    {
        return Ok(answer.to_owned());
    }
    let nearest = settings.nearest(&said);
    if let Some(best) = nearest.first()
        && best.score >= settings.threshold.0
    {
        return Ok(best.question.answer.clone());
    }
    let offered = nearest.iter().take(OFFERED).map(|it| it.shown.to_owned());
    let offered: Vec<String> = offered.collect();
    let lines = offered.iter().zip(1..);
    let lines: Vec<String> = lines.map(|(it, at)| format!("{at}. {it}")).collect();
    offers.set_for(&here, &offered, PATIENCE).await?;
    Ok(texts.with(
        "faq-offer",
        &[("questions", lines.join("\n").as_str().into())],
    ))
}

/// People talk in a group: it says something only if it knows the answer.
async fn overheard(message: Arc<Message>, settings: Config<Settings>) -> Option<Draft> {
    let said = letters(message.text().unwrap_or_default());
    let nearest = settings.nearest(&said);
    let best = nearest.first()?;
    (best.score >= settings.threshold.0).then(|| Draft::text(&best.question.answer).quote(&message))
}

/// A question, and how near a text is to it.
struct Near<'a> {
    question: &'a Question,
    /// Its nearest wording.
    shown: &'a str,
    score: f64,
}

impl Settings {
    /// All questions, the nearest first.
    fn nearest(&self, said: &str) -> Vec<Near<'_>> {
        let mut all: Vec<Near<'_>> = self
            .questions
            .iter()
            .filter_map(|question| {
                let scores = question
                    .ask
                    .iter()
                    .map(|it| (likeness(said, &it.letters), it));
                // Of several that are as near, the first.
                let (score, wording) = scores.rev().max_by(|(a, _), (b, _)| a.total_cmp(b))?;
                let shown = &wording.shown;
                Some(Near {
                    question,
                    shown,
                    score,
                })
            })
            .collect();
        all.sort_by(|a, b| b.score.total_cmp(&a.score));
        all
    }

    /// The answer to a wording.
    fn answer_to(&self, shown: &str) -> Option<&str> {
        let is_it = |question: &&Question| question.ask.iter().any(|it| it.shown == shown);
        Some(&self.questions.iter().find(is_it)?.answer)
    }
}

/// How alike two texts are, from 0 to 1: how many pairs of neighbouring letters they have in common (Sørensen–Dice). That
/// of `strsim` counts bytes in the divisor, so that two Chinese texts are never alike.
fn likeness(said: &str, wording: &str) -> f64 {
    if said == wording {
        return 1.0;
    }
    let pairs =
        |text: &str| -> Vec<(char, char)> { text.chars().zip(text.chars().skip(1)).collect() };
    let (said, mut left) = (pairs(said), pairs(wording));
    let all = said.len() + left.len();
    let mut shared = 0_u32;
    for pair in said {
        if let Some(at) = left.iter().position(|other| *other == pair) {
            left.swap_remove(at);
            shared += 1;
        }
    }
    // No text has more than a few hundred letters.
    2.0 * f64::from(shared) / f64::from(u32::try_from(all.max(1)).unwrap_or(u32::MAX))
}

/// What is compared of a text: small letters and digits of any script, without mentions.
fn letters(text: &str) -> String {
    // More is not read. What is cut off was no question.
    let text: String = text.chars().take(4 * LONGEST).collect();
    let words = text.split_whitespace();
    let words = words.filter(|word| !word.starts_with(['@', '＠']));
    let letters = words.flat_map(str::chars).map(narrow);
    let letters = letters.filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).take(LONGEST).collect()
}

/// Chinese keyboards write Latin letters and digits in full width, too.
fn narrow(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use botroupe::bot::testing::TestBot;

    const HOURS: &str = "Monday to Friday, 9:00 to 18:00.";
    const OFFER: &str = "I am not sure what you mean. Is it one of these?\n\
                         1. What are your opening hours?\n2. Where are you?\n3. What does it cost?\n\
                         Send its number.";

    fn settings() -> toml::Table {
        toml::toml! {
            threshold = 0.6
            [[questions]]
            ask = ["What are your opening hours?", "When are you open?", "你们几点开门？"]
            answer = "Monday to Friday, 9:00 to 18:00."
            [[questions]]
            ask = ["Where are you?", "What is your address?"]
            answer = "1 Long Street, Shenzhen."
            [[questions]]
            ask = ["What does it cost?"]
            answer = "Nothing."
            [[questions]]
            ask = ["How do I return something?", "怎么退货？"]
            answer = "Within 30 days."
        }
    }

    fn faq() -> TestBot {
        let mut bot = bot();
        bot.configure(Some(&settings())).unwrap();
        TestBot::new(bot)
    }

    #[actix_rt::test]
    async fn what_is_worded_a_little_differently_is_answered() {
        let bot = faq();
        for question in [
            "What are your opening hours?",
            "what are your opening hour",
            "what are ur opening hours??",
            "WHEN ARE YOU OPEN",
            "When\u{200b} are\u{202e} you open? 😀",
            "ｗｈｅｎ ａｒｅ ｙｏｕ ｏｐｅｎ",
            "请问你们几点开门",
        ] {
            assert_eq!(bot.hears(question).await, [HOURS], "{question}");
        }
    }

    #[actix_rt::test]
    async fn what_it_does_not_know_is_met_with_the_nearest_and_a_number_chooses() {
        let bot = faq();
        let said = bot.hears("I want to return it").await.texts();
        assert!(
            said[0].contains("\n1. How do I return something?\n2. "),
            "{said:?}"
        );
        assert_eq!(said[0].lines().count(), 5, "{said:?}");
        assert_eq!(bot.hears("1").await, ["Within 30 days."]);
        // Two answers to one question: each is for the list that was shown.
        assert_eq!(bot.hears("１。").await, ["Within 30 days."]);
        assert_eq!(bot.from("bob").hears("1").await.texts().len(), 1);
        assert!(bot.hears("4").await.texts()[0].contains("Is it one of these?"));
        bot.hears("I want to return it").await;
        bot.crash_and_restart().await.expect_no_reply();
        assert_eq!(bot.hears("1").await, ["Within 30 days."]);
        bot.advance("11m").await.expect_no_reply();
        assert!(bot.hears("1").await.texts()[0].contains("Is it one of these?"));
        let said = bot.hears("我想退货").await.texts();
        assert!(
            said[0].contains("您想问的是：\n1. 怎么退货？\n"),
            "{said:?}"
        );
    }

    #[actix_rt::test]
    async fn in_groups_it_is_silent_unless_it_knows_or_is_asked() {
        let bot = faq();
        let group = bot.in_group("g");
        group.hears("lovely weather today").await.expect_no_reply();
        group.hears("1").await.expect_no_reply();
        let known = group.hears("when are you open").await;
        assert_eq!(known, [HOURS]);
        assert_eq!(
            bot.in_group("g")
                .mentioning()
                .hears("@bot when are you open")
                .await,
            [HOURS]
        );
        let asked = group.mentioning().hears("@bot hello").await.texts();
        assert!(asked[0].contains("Is it one of these?"), "{asked:?}");
    }

    #[actix_rt::test]
    async fn odd_texts_are_no_questions() {
        let bot = faq();
        let long = "when are you open ".repeat(700);
        for odd in [
            "",
            " ",
            "😀👨\u{200d}👩",
            "\u{202e}\u{200b}",
            "?",
            &long,
            "שלום",
            "0",
            "18446744073709551616",
        ] {
            let said = bot.hears(odd).await.texts();
            assert!(
                said.len() == 1 && said[0].contains("Is it one of these?"),
                "{odd:.20} {said:?}"
            );
            bot.in_group("g").hears(odd).await.expect_no_reply();
        }
        // Nothing is near to nothing: the first three are examples.
        assert_eq!(bot.hears("").await, [OFFER]);
    }

    #[test]
    fn a_table_that_cannot_be_used_is_refused() {
        let refusal = |text: &str| {
            let table = text.parse().unwrap();
            bot().configure(Some(&table)).unwrap_err().to_string()
        };
        for (text, fragment) in [
            ("", "missing: questions"),
            (
                "questions = []\nthreshold = 2.0",
                "threshold: expected a number from 0 to 1",
            ),
            (
                "questions = []\nthreshhold = 0.5",
                "did you mean \"threshold\"",
            ),
            (
                "[[questions]]\nask = []\nanswer = \"a\"",
                "expected a list of questions",
            ),
            (
                "[[questions]]\nask = [\"?!\"]\nanswer = \"a\"",
                "expected a list of questions",
            ),
            (
                "[[questions]]\nask = [\"a\"]\nanswer = \" \"",
                "questions.0.answer: expected a text",
            ),
            ("[[questions]]\nask = [\"a\"]", "missing: answer"),
        ] {
            let error = refusal(text);
            assert!(error.contains(fragment), "{text}: {error}");
        }
    }
}
