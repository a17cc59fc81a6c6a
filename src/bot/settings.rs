//! Reads the settings of a bot. Its error texts hold no value, because bots keep passwords in their settings.

use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

/// A mistake: the keys that lead to it, and a description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mistake {
    pub(super) path: Vec<String>,
    pub(super) reason: String,
}

/// Reads settings into a `T`.
pub(super) fn read<T: DeserializeOwned>(table: toml::Table) -> Result<T, Mistake> {
    serde_path_to_error::deserialize(table).map_err(|error| {
        let path = error.path().iter().filter_map(|segment| match segment {
            Segment::Map { key } => Some(key.clone()),
            Segment::Seq { index } => Some(index.to_string()),
            Segment::Enum { .. } | Segment::Unknown => None,
        });
        let mut mistake = Mistake {
            path: path.collect(),
            reason: words(error.inner().message()),
        };
        // Point at the unknown key itself and not at the table around it.
        if let Some(name) = unknown_field(error.inner().message())
            && mistake.path.last().is_none_or(|last| last != name)
        {
            mistake.path.push(name.to_owned());
        }
        mistake
    })
}

/// The error text of serde without the value that it quotes.
fn words(message: &str) -> String {
    let message = message.lines().next().unwrap_or_default();
    if let Some(name) = unknown_field(message) {
        let known: Vec<&str> = message.split('`').skip(3).step_by(2).collect();
        let nearest = known
            .iter()
            .map(|known| (strsim::jaro_winkler(name, known), known))
            .filter(|(score, _)| *score >= 0.75)
            .max_by(|(a, _), (b, _)| a.total_cmp(b));
        let meant = nearest.map(|(_, known)| format!("; did you mean {known:?}?"));
        return format!(
            "unknown key{} (known: {})",
            meant.unwrap_or_default(),
            known.join(", ")
        );
    }
    if let Some(name) = message
        .strip_prefix("missing field `")
        .and_then(|rest| rest.strip_suffix('`'))
    {
        return format!("missing: {name} = …");
    }
    if let Some(rest) = message.strip_prefix("unknown variant `") {
        let known = rest
            .split_once("`, ")
            .map_or("something else", |(_, known)| known);
        return format!("is none of those known; {}", known.replace('`', ""));
    }
    for kind in ["invalid type: ", "invalid value: ", "invalid length "] {
        if let Some(rest) = message.strip_prefix(kind) {
            let (found, expected) = rest
                .rsplit_once(", expected ")
                .unwrap_or((rest, "something else"));
            let found = found.split([' ', ',']).next().unwrap_or_default();
            let found = match (kind, found) {
                ("invalid length ", _) => "another number of items",
                (_, "string") => "text",
                (_, "map") => "a table",
                (_, "sequence") => "a list",
                (_, "boolean") => "true or false",
                (_, "integer") => "an integer",
                (_, "floating") => "a number with a fraction",
                _ => "something else",
            };
            return format!("expected {expected}, found {found}");
        }
    }
    // The text comes from the bot itself, which may quote what it checked.
    message.to_owned()
}

fn unknown_field(message: &str) -> Option<&str> {
    let rest = message.strip_prefix("unknown field `")?;
    rest.split_once('`').map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Settings {
        #[expect(dead_code, reason = "only read")]
        operator: String,
        #[expect(dead_code, reason = "only read")]
        model: Option<Model>,
        #[expect(dead_code, reason = "only read")]
        retries: Option<u8>,
        #[expect(dead_code, reason = "only read")]
        mode: Option<Mode>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Model {
        #[expect(dead_code, reason = "only read")]
        temperature: Option<f32>,
        #[expect(dead_code, reason = "only read")]
        names: Option<Vec<u8>>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Mode {
        Quick,
        Slow,
    }

    #[test]
    fn a_mistake_is_named_with_its_keys_and_without_its_value() {
        for (text, path, reason) in [
            ("", "", "missing: operator = …"),
            (
                "operatr = \"s3cr3t\"",
                "operatr",
                "unknown key; did you mean \"operator\"? (known: operator, model, retries, mode)",
            ),
            (
                "operator = \"o\"\nretries = \"s3cr3t\"",
                "retries",
                "expected u8, found text",
            ),
            (
                "operator = \"o\"\nretries = 70000",
                "retries",
                "expected u8, found an integer",
            ),
            (
                "operator = \"o\"\nmode = \"s3cr3t\"",
                "mode",
                "is none of those known; expected quick or slow",
            ),
            (
                "operator = \"o\"\n[model]\ntemperature = \"s3cr3t\"",
                "model.temperature",
                "expected f32, found text",
            ),
            (
                "operator = \"o\"\n[model]\nnames = [1, \"s3cr3t\"]",
                "model.names.1",
                "expected u8, found text",
            ),
            (
                "operator = \"o\"\n[model]\ntempreature = 1.0",
                "model.tempreature",
                "unknown key; did you mean \"temperature\"? (known: temperature, names)",
            ),
            (
                "operator = [\"s3cr3t\"]",
                "operator",
                "expected a string, found a list",
            ),
        ] {
            let mistake = read::<Settings>(toml::from_str(text).unwrap()).unwrap_err();
            assert_eq!(
                (mistake.path.join(".").as_str(), mistake.reason.as_str()),
                (path, reason),
                "{text}"
            );
            assert!(!format!("{mistake:?}").contains("s3cr3t"));
        }
        assert!(
            read::<Settings>(toml::from_str("operator = \"o\"\nmode = \"quick\"").unwrap()).is_ok()
        );
    }
}
