//! What a question can be answered with.

use crate::bot::language::Texts;
use crate::proto::message::Message;

/// Why a message is no answer to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoAnswer {
    /// It has no text.
    Text,
    /// It is no whole number of this range.
    Integer {
        /// The smallest.
        from: i128,
        /// The greatest.
        to: i128,
    },
    /// It is no number.
    Number,
    /// It is neither yes nor no.
    YesOrNo,
    /// It is more than one character.
    Character,
    /// It has no file.
    File,
    /// It is none of these.
    Choice(Vec<String>),
    /// It is of the right kind, and the question does not accept it.
    Unfit,
    /// Something else; the text says what is wanted.
    Other(String),
}

impl NoAnswer {
    /// What the user is told.
    pub(super) fn said(&self, texts: &Texts) -> String {
        match self {
            Self::Text => texts.get("answer-text"),
            Self::Integer { from, to } => {
                let (from, to) = (from.to_string(), to.to_string());
                let values = [("from", from.as_str().into()), ("to", to.as_str().into())];
                texts.with("answer-integer", &values)
            }
            Self::Number => texts.get("answer-number"),
            Self::YesOrNo => texts.get("answer-yes-or-no"),
            Self::Character => texts.get("answer-character"),
            Self::File => texts.get("answer-file"),
            Self::Choice(choices) => {
                let choices = choices.join(&texts.get("list-separator"));
                texts.with("answer-choice", &[("choices", choices.as_str().into())])
            }
            Self::Unfit => texts.get("answer-unfit"),
            Self::Other(wanted) => wanted.clone(),
        }
    }
}

/// Types that a question can be answered with: texts, numbers, `bool` (yes and no, also in Chinese), `char`, `Message`,
/// and types of your own:
///
/// ```
/// use botroupe::prelude::*;
///
/// enum Size { Small, Large }
///
/// impl Answer for Size {
///     fn from_message(message: &Message) -> Result<Self, NoAnswer> {
///         match message.text() {
///             Some("S") => Ok(Self::Small),
///             Some("L") => Ok(Self::Large),
///             _ => Err(NoAnswer::Choice(vec!["S".into(), "L".into()])),
///         }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "a question cannot be answered with `{Self}`",
    note = "answers are `String`, numbers, `bool`, `char` and `Message`, or your own type with `impl Answer`"
)]
pub trait Answer: Sized {
    /// Reads the answer. It is read again from the same message each time the handler runs, so it must not depend on
    /// anything else.
    ///
    /// # Errors
    /// What is asked for again, in other words.
    fn from_message(message: &Message) -> Result<Self, NoAnswer>;
}

fn text(message: &Message) -> Result<&str, NoAnswer> {
    let text = message.text().map(str::trim);
    text.filter(|text| !text.is_empty()).ok_or(NoAnswer::Text)
}

impl Answer for String {
    fn from_message(message: &Message) -> Result<Self, NoAnswer> {
        text(message).map(str::to_owned)
    }
}

impl Answer for Message {
    fn from_message(message: &Message) -> Result<Self, NoAnswer> {
        Ok(message.clone())
    }
}

impl Answer for bool {
    fn from_message(message: &Message) -> Result<Self, NoAnswer> {
        const YES: [&str; 12] = [
            "y", "yes", "yeah", "ok", "true", "1", "是", "是的", "好", "好的", "对", "行",
        ];
        const NO: [&str; 9] = ["n", "no", "nope", "false", "0", "否", "不", "不是", "不行"];
        let text = text(message).map_err(|_| NoAnswer::YesOrNo)?;
        let text = text.trim_end_matches(['.', '!', '。', '！']).to_lowercase();
        if YES.contains(&text.as_str()) {
            Ok(true)
        } else if NO.contains(&text.as_str()) {
            Ok(false)
        } else {
            Err(NoAnswer::YesOrNo)
        }
    }
}

impl Answer for char {
    fn from_message(message: &Message) -> Result<Self, NoAnswer> {
        let text = text(message).map_err(|_| NoAnswer::Character)?;
        text.parse().map_err(|_| NoAnswer::Character)
    }
}

/// Full-width digits, as Chinese keyboards write them, become plain ones.
fn plain(text: &str) -> String {
    let plain = |c: char| match c {
        '０'..='９' => {
            char::from_u32(u32::from(c) - u32::from('０') + u32::from('0')).unwrap_or(c)
        }
        '．' => '.',
        '－' => '-',
        other => other,
    };
    text.chars().map(plain).collect()
}

macro_rules! integer {
    ($($type:ty),*) => {$(
        impl Answer for $type {
            fn from_message(message: &Message) -> Result<Self, NoAnswer> {
                let wanted = NoAnswer::Integer {
                    from: i128::try_from(<$type>::MIN).unwrap_or(i128::MIN),
                    to: i128::try_from(<$type>::MAX).unwrap_or(i128::MAX),
                };
                let text = text(message).map_err(|_| wanted.clone())?;
                plain(text).parse().map_err(|_| wanted)
            }
        }
    )*};
}

integer!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);

macro_rules! number {
    ($($type:ty),*) => {$(
        impl Answer for $type {
            fn from_message(message: &Message) -> Result<Self, NoAnswer> {
                let text = text(message).map_err(|_| NoAnswer::Number)?;
                let number = plain(text).parse::<Self>().map_err(|_| NoAnswer::Number)?;
                number.is_finite().then_some(number).ok_or(NoAnswer::Number)
            }
        }
    )*};
}

number!(f32, f64);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bot::language::Language;
    use crate::proto::message::{C2cItem, Element};

    fn answer<T: Answer>(text: &str) -> Result<T, NoAnswer> {
        let item = C2cItem::new("alice", "bot", vec![Element::text(text)]);
        T::from_message(&Message::from_c2c(item, "bot"))
    }

    #[test]
    fn answers_are_read_as_people_write_them() {
        assert_eq!(answer::<u8>(" 42 "), Ok(42));
        assert_eq!(answer::<u8>("４２"), Ok(42));
        assert_eq!(
            answer::<u8>("256"),
            Err(NoAnswer::Integer { from: 0, to: 255 })
        );
        let said = |language| {
            let why = answer::<u8>("old").unwrap_err();
            why.said(&Texts::built_in(language))
        };
        assert!(said(Language::english()).contains("0 to 255"));
        assert!(said(Language::chinese()).contains("0 到 255"));
        assert_eq!(answer::<i32>("-7"), Ok(-7));
        assert_eq!(answer::<f64>("1.5"), Ok(1.5));
        assert_eq!(answer::<f64>("NaN"), Err(NoAnswer::Number));
        assert_eq!(answer::<bool>("Yes!"), Ok(true));
        assert_eq!(answer::<bool>("不是"), Ok(false));
        assert_eq!(answer::<bool>("perhaps"), Err(NoAnswer::YesOrNo));
        assert_eq!(answer::<char>("好"), Ok('好'));
        assert_eq!(answer::<String>("  "), Err(NoAnswer::Text));
        assert_eq!(answer::<String>(" a b "), Ok("a b".to_owned()));
    }
}
