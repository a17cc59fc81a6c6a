//! Settings of bots.

use crate::app::SettingsOf;
use crate::bot::{SettingField, SettingKind};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// The settings of a bot on an account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BotSettingList {
    /// The account.
    pub account: String,
    /// The bot.
    pub bot: String,
    /// They are those of this account, and not of the bot's section of the config.
    pub is_own: bool,
    /// What it takes, and what is set besides.
    pub fields: Vec<BotSetting>,
}

/// A setting of a bot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BotSetting {
    /// The keys that lead to it.
    pub path: Vec<String>,
    /// What it takes.
    pub kind: SettingType,
    /// Where it is one of several texts, those.
    pub choices: Vec<String>,
    /// The bot does not run without it.
    pub required: bool,
    /// It has a value.
    pub is_set: bool,
    /// The value; null when there is none, or when it is not shown.
    pub value: Value,
    /// The value is not shown: it may be a secret.
    pub hidden: bool,
}

/// What a setting takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SettingType {
    /// A text.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// Yes or no.
    Boolean,
    /// One of several texts.
    Choice,
    /// A list.
    List,
    /// A table of any keys.
    Table,
    /// Anything.
    Any,
}

/// Other settings for a bot on an account; the rest stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SettingChange {
    /// Values, in tables as in the bot's section of the config.
    #[schema(value_type = Object)]
    pub set: Map<String, Value>,
    /// Settings that are left out from now on: of each the keys that lead to it.
    pub unset: Vec<Vec<String>>,
}

/// Parts of names of what nobody shows around.
const SECRETS: [&str; 15] = [
    "key",
    "secret",
    "token",
    "pass",
    "pwd",
    "credential",
    "auth",
    "cookie",
    "private",
    "signature",
    "url",
    "uri",
    "dsn",
    "webhook",
    "header",
];
/// A text without a space that is longer looks like something that a machine made.
const SHORT: usize = 20;

impl BotSettingList {
    /// Those of a bot on an account.
    #[must_use]
    pub fn new(account: &str, bot: &str, of: &SettingsOf) -> Self {
        let table = of.settings.table();
        let mut fields: Vec<BotSetting> = of
            .fields
            .iter()
            .map(|field| BotSetting::new(field, value_at(table, &field.path)))
            .collect();
        // What the type does not name: the bot keeps it in a table, or it is for every bot.
        for (key, value) in table {
            if !of
                .fields
                .iter()
                .any(|field| field.path.first() == Some(key))
            {
                let field = SettingField {
                    path: vec![key.clone()],
                    kind: kind_of(value),
                    is_required: false,
                };
                fields.push(BotSetting::new(&field, Some(value)));
            }
        }
        Self {
            account: account.to_owned(),
            bot: bot.to_owned(),
            is_own: of.is_own,
            fields,
        }
    }
}

impl BotSetting {
    fn new(field: &SettingField, value: Option<&toml::Value>) -> Self {
        let (kind, choices) = match &field.kind {
            SettingKind::Text => (SettingType::Text, Vec::new()),
            SettingKind::Integer => (SettingType::Integer, Vec::new()),
            SettingKind::Number => (SettingType::Number, Vec::new()),
            SettingKind::Boolean => (SettingType::Boolean, Vec::new()),
            SettingKind::Choice(choices) => (SettingType::Choice, choices.clone()),
            SettingKind::List => (SettingType::List, Vec::new()),
            SettingKind::Table => (SettingType::Table, Vec::new()),
            SettingKind::Any => (SettingType::Any, Vec::new()),
        };
        let is_choice = |value: &toml::Value| {
            value
                .as_str()
                .is_some_and(|it| choices.iter().any(|c| c == it))
        };
        let is_shown = |value: &&toml::Value| is_choice(value) || is_open(&field.path, value);
        let shown = value.filter(is_shown);
        Self {
            path: field.path.clone(),
            required: field.is_required,
            is_set: value.is_some(),
            hidden: value.is_some() && shown.is_none(),
            value: shown.map_or(Value::Null, |value| {
                serde_json::to_value(value).unwrap_or_default()
            }),
            kind,
            choices,
        }
    }
}

fn value_at<'t>(table: &'t toml::Table, path: &[String]) -> Option<&'t toml::Value> {
    let (key, rest) = path.split_first()?;
    let value = table.get(key)?;
    match rest {
        [] => Some(value),
        rest => value_at(value.as_table()?, rest),
    }
}

const fn kind_of(value: &toml::Value) -> SettingKind {
    match value {
        toml::Value::String(_) | toml::Value::Datetime(_) => SettingKind::Text,
        toml::Value::Integer(_) => SettingKind::Integer,
        toml::Value::Float(_) => SettingKind::Number,
        toml::Value::Boolean(_) => SettingKind::Boolean,
        toml::Value::Array(_) => SettingKind::List,
        toml::Value::Table(_) => SettingKind::Table,
    }
}

/// Whether it may be shown. Bots keep passwords in their settings, and say of none that it is one.
fn is_open(path: &[String], value: &toml::Value) -> bool {
    let is_harmless = |name: &String| {
        let name = name.to_lowercase();
        !SECRETS.iter().any(|part| name.contains(part))
    };
    path.iter().all(is_harmless)
        && match value {
            toml::Value::String(text) => {
                text.len() < SHORT
                    || text
                        .split(char::is_whitespace)
                        .all(|word| word.len() < SHORT)
            }
            toml::Value::Array(all) => all.iter().all(|value| is_open(path, value)),
            toml::Value::Table(all) => all
                .iter()
                .all(|(key, value)| is_open(std::slice::from_ref(key), value)),
            _ => true,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::BotSettings;
    use serde_json::json;

    #[test]
    fn what_may_be_a_secret_is_not_shown_and_what_the_type_does_not_name_is() {
        let text = "greeting = \"Good morning, dear customers\"\napi_key = \"geheim-1\"\n\
                    word = \"geheim-2-abcdefghijklmnop\"\ntone = \"a-very-long-name-of-a-tone\"\n\
                    [limits]\nper_day = 9\n[more]\nnames = [\"a\"]\n[auth]\nname = \"geheim-3\"\n";
        let field = |path: &[&str], kind| SettingField {
            path: path.iter().map(|key| (*key).to_owned()).collect(),
            kind,
            is_required: path == ["greeting"],
        };
        let tones = vec!["a-very-long-name-of-a-tone".to_owned()];
        let of = SettingsOf {
            fields: vec![
                field(&["greeting"], SettingKind::Text),
                field(&["api_key"], SettingKind::Text),
                field(&["word"], SettingKind::Text),
                field(&["tone"], SettingKind::Choice(tones)),
                field(&["limits", "per_day"], SettingKind::Integer),
                field(&["limits", "per_hour"], SettingKind::Integer),
            ],
            settings: BotSettings::new(toml::from_str(text).unwrap()),
            is_own: true,
        };
        let list = BotSettingList::new("shop", "clerk", &of);
        assert!(!serde_json::to_string(&list).unwrap().contains("geheim"));
        let shown: Vec<_> = list
            .fields
            .iter()
            .map(|it| (it.path.join("."), it.is_set, it.hidden, it.value.clone()))
            .collect();
        let expected = [
            (
                "greeting",
                true,
                false,
                json!("Good morning, dear customers"),
            ),
            ("api_key", true, true, Value::Null),
            ("word", true, true, Value::Null),
            ("tone", true, false, json!("a-very-long-name-of-a-tone")),
            ("limits.per_day", true, false, json!(9)),
            ("limits.per_hour", false, false, Value::Null),
            ("auth", true, true, Value::Null),
            ("more", true, false, json!({"names": ["a"]})),
        ];
        let expected =
            expected.map(|(path, set, hidden, value)| (path.to_owned(), set, hidden, value));
        assert_eq!(shown, expected);
        assert!(list.fields[0].required);
    }
}
