//! Texts by their id, in every language there is one in.

use super::tag::Language;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, LazyLock};

/// What the framework itself says.
const BUILT_IN: [(&str, &str); 2] = [
    ("en", include_str!("en.ftl")),
    ("zh", include_str!("zh.ftl")),
];

type Bundle = FluentBundle<Arc<FluentResource>>;

/// A file of texts that cannot be used: the language it was given for, the line, and what is wrong there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the texts in {language:?} have a mistake in line {line}: {reason}")]
pub struct TextsError {
    language: String,
    line: usize,
    reason: String,
}

impl TextsError {
    /// The line of the file, from 1.
    #[must_use]
    pub const fn line(&self) -> usize {
        self.line
    }
}

/// The files of texts that a bot brings along.
#[derive(Clone, Default)]
pub(in crate::bot) struct TextSources(Vec<(Language, Arc<FluentResource>)>);

impl TextSources {
    /// Adds a file. What it has of an id that is there already comes before what was there.
    ///
    /// # Errors
    /// The first mistake in the file.
    pub(in crate::bot) fn add(&mut self, language: &str, text: &str) -> Result<(), TextsError> {
        let mistake = |line, reason: String| TextsError {
            language: language.to_owned(),
            line,
            reason,
        };
        let tag = language
            .parse()
            .map_err(|error: super::LanguageError| mistake(1, error.to_string()))?;
        let resource = FluentResource::try_new(text.to_owned()).map_err(|(_, errors)| {
            let first = errors.iter().min_by_key(|error| error.pos.start);
            first.map_or_else(
                || mistake(1, "not a Fluent file".to_owned()),
                |error| mistake(line_of(text, error.pos.start), error.kind.to_string()),
            )
        })?;
        if let Some(id) = repeated_id(text) {
            let line = text
                .lines()
                .enumerate()
                .filter(|(_, line)| is_entry(line, id));
            let line = line.map(|(at, _)| at + 1).nth(1).unwrap_or(1);
            return Err(mistake(line, format!("{id:?} is there twice")));
        }
        self.0.push((tag, Arc::new(resource)));
        Ok(())
    }
}

/// The line of a byte, from 1.
fn line_of(text: &str, at: usize) -> usize {
    let before = text.bytes().take(at).filter(|byte| *byte == b'\n');
    before.count() + 1
}

/// The id that the line begins, if it begins one.
fn entry(line: &str) -> Option<&str> {
    let (id, _) = line.split_once('=')?;
    let id = id.trim_end();
    let name = id.strip_prefix('-').unwrap_or(id);
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    (name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(fits)).then_some(id)
}

fn is_entry(line: &str, id: &str) -> bool {
    entry(line) == Some(id)
}

fn repeated_id(text: &str) -> Option<&str> {
    let mut seen = BTreeSet::new();
    text.lines().filter_map(entry).find(|id| !seen.insert(*id))
}

/// Every text of a bot, those of the framework included.
pub(in crate::bot) struct TextSet {
    bundles: Vec<(Language, Bundle)>,
}

impl TextSet {
    /// The texts of the framework and of a bot.
    pub(in crate::bot) fn new(own: &TextSources) -> Arc<Self> {
        if own.0.is_empty() {
            static PLAIN: LazyLock<Arc<TextSet>> = LazyLock::new(|| Arc::new(TextSet::of(&[])));
            return PLAIN.clone();
        }
        Arc::new(Self::of(&own.0))
    }

    fn of(own: &[(Language, Arc<FluentResource>)]) -> Self {
        let built_in = BUILT_IN.iter().filter_map(|(tag, text)| {
            // A test reads both files; what could be read would do here.
            let text = FluentResource::try_new((*text).to_owned());
            let resource = text.unwrap_or_else(|(resource, _)| resource);
            Some((tag.parse().ok()?, Arc::new(resource)))
        });
        let mut bundles: Vec<(Language, Bundle)> = Vec::new();
        for (language, resource) in built_in.chain(own.iter().cloned()) {
            let place = bundles.iter().position(|(known, _)| *known == language);
            let place = place.unwrap_or_else(|| {
                let mut bundle = Bundle::new_concurrent(vec![language.identifier()]);
                // The marks show as boxes in some clients, and break the copying of names.
                bundle.set_use_isolating(false);
                bundles.push((language, bundle));
                bundles.len() - 1
            });
            if let Some((_, bundle)) = bundles.get_mut(place) {
                bundle.add_resource_overriding(resource);
            }
        }
        Self { bundles }
    }

    /// The text of this id in `language`, or in the nearest language that has it.
    pub(in crate::bot) fn find(
        &self,
        language: Language,
        id: &str,
        values: &[(&str, TextValue<'_>)],
    ) -> Option<String> {
        let languages = language.down_to_base().chain([Language::english()]);
        let mut bundles = languages.filter_map(|language| {
            let found = self.bundles.iter().find(|(known, _)| *known == language);
            found.map(|(_, bundle)| bundle)
        });
        let (bundle, pattern) = bundles.find_map(|bundle| {
            let message = bundle.get_message(id)?;
            Some((bundle, message.value()?))
        })?;
        let mut args = FluentArgs::with_capacity(values.len());
        for (name, value) in values {
            args.set(*name, value.0.clone());
        }
        let mut ignored = Vec::new();
        let text = bundle.format_pattern(pattern, Some(&args), &mut ignored);
        Some(text.into_owned())
    }

    /// As [`find`](Self::find); the id itself when no language has it.
    pub(in crate::bot) fn say(
        &self,
        language: Language,
        id: &str,
        values: &[(&str, TextValue<'_>)],
    ) -> String {
        self.find(language, id, values)
            .unwrap_or_else(|| id.to_owned())
    }
}

impl fmt::Debug for TextSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let languages = self.bundles.iter().map(|(language, _)| language);
        f.debug_list().entries(languages).finish()
    }
}

/// A value for a text: a text or a number. Numbers choose plural forms.
#[derive(Clone, Debug)]
pub struct TextValue<'a>(FluentValue<'a>);

macro_rules! values {
    ($($kind:ty),*) => {$(
        impl<'a> From<$kind> for TextValue<'a> {
            fn from(value: $kind) -> Self {
                Self(value.into())
            }
        }
    )*};
}

values!(
    &'a str,
    String,
    &'a String,
    u8,
    u16,
    u32,
    u64,
    usize,
    i8,
    i16,
    i32,
    i64,
    isize,
    f32,
    f64
);

/// The texts of the bot, in the language to answer in: a parameter of handlers.
///
/// ```
/// use botroupe::prelude::*;
///
/// async fn greet(texts: Texts, from: Sender) -> String {
///     texts.with("greeting", &[("name", from.nick.as_str().into())])
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Texts {
    all: Arc<TextSet>,
    language: Language,
}

impl Texts {
    pub(in crate::bot) const fn new(all: Arc<TextSet>, language: Language) -> Self {
        Self { all, language }
    }

    /// The texts of the framework alone, to try a handler with.
    #[must_use]
    pub fn built_in(language: Language) -> Self {
        Self::new(TextSet::new(&TextSources::default()), language)
    }

    /// The language to answer in.
    #[must_use]
    pub const fn language(&self) -> Language {
        self.language
    }

    /// The same texts in another language.
    #[must_use]
    pub fn in_language(&self, language: Language) -> Self {
        Self::new(self.all.clone(), language)
    }

    /// The text of this id, from the nearest language that has it; the id itself if none has it.
    #[must_use]
    pub fn get(&self, id: &str) -> String {
        self.with(id, &[])
    }

    /// The text of this id with values filled in. A value that is missing shows as its name in braces.
    #[must_use]
    pub fn with(&self, id: &str, values: &[(&str, TextValue<'_>)]) -> String {
        self.all.say(self.language, id, values)
    }

    /// The text of this id, if a language has it.
    pub(in crate::bot) fn find(&self, id: &str) -> Option<String> {
        self.all.find(self.language, id, &[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn built(files: &[(&str, &str)]) -> Arc<TextSet> {
        let mut sources = TextSources::default();
        for (language, text) in files {
            sources.add(language, text).unwrap();
        }
        TextSet::new(&sources)
    }

    fn in_language(texts: &Arc<TextSet>, tag: &str) -> Texts {
        Texts::new(texts.clone(), tag.parse().unwrap())
    }

    /// The ids of a file, each with the names of its variables.
    fn shape(text: &str) -> BTreeMap<String, BTreeSet<String>> {
        let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut id = String::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            if let Some(begun) = entry(line) {
                id = begun.to_owned();
                assert!(found.insert(id.clone(), BTreeSet::new()).is_none(), "{id}");
            }
            for variable in line.split('$').skip(1) {
                let name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
                let end = variable.find(|c| !name(c)).unwrap_or(variable.len());
                found
                    .get_mut(&id)
                    .unwrap()
                    .insert(variable[..end].to_owned());
            }
        }
        found
    }

    #[test]
    fn both_languages_say_the_same_with_the_same_variables() {
        let [(_, en), (_, zh)] = BUILT_IN;
        assert!(shape(en).len() > 10);
        assert_eq!(shape(en), shape(zh));
        for (_, text) in BUILT_IN {
            assert!(FluentResource::try_new(text.to_owned()).is_ok());
        }
    }

    #[test]
    fn the_nearest_language_answers() {
        let texts = built(&[
            ("en", "a = English a\nb = English b\nc = English c"),
            ("zh", "a = 中文\nb = 中文乙"),
            ("zh-TW", "a = 繁體"),
            ("en", "c = newer"),
        ]);
        for (tag, id, expected) in [
            ("zh-TW", "a", "繁體"),
            ("zh-TW", "b", "中文乙"),
            ("zh-Hans-CN", "a", "中文"),
            ("zh", "c", "newer"),
            ("fr", "a", "English a"),
            ("en-GB", "b", "English b"),
            ("en", "nothing", "nothing"),
            ("en", "", ""),
            ("en", "🦀 = {", "🦀 = {"),
        ] {
            assert_eq!(in_language(&texts, tag).get(id), expected, "{tag} {id}");
        }
    }

    #[test]
    fn a_bot_overrides_what_the_framework_says() {
        let plain = in_language(&built(&[]), "en");
        let texts = built(&[("en", "help-title = Ask me:")]);
        assert_ne!(plain.get("help-title"), "help-title");
        assert_eq!(in_language(&texts, "en").get("help-title"), "Ask me:");
        let chinese = in_language(&texts, "zh").get("help-title");
        assert_eq!(chinese, in_language(&built(&[]), "zh").get("help-title"));
    }

    #[test]
    fn values_are_filled_in_without_marks_and_may_be_missing() {
        let texts = built(&[(
            "en",
            "n = { $n ->\n    [one] one file\n   *[other] { $n } files\n }\ncycle = { cycle }\nhi = Hi { $name }!",
        )]);
        let texts = in_language(&texts, "en");
        assert_eq!(texts.with("hi", &[("name", "Bob".into())]), "Hi Bob!");
        assert_eq!(texts.with("hi", &[("name", "{ $n }".into())]), "Hi { $n }!");
        assert_eq!(texts.get("hi"), "Hi {$name}!");
        assert_eq!(texts.with("n", &[("n", 1.into())]), "one file");
        assert_eq!(texts.with("n", &[("n", 2_u64.into())]), "2 files");
        let _ = texts.get("n");
        let _ = texts.get("cycle");
    }

    #[test]
    fn a_mistake_in_a_file_is_reported_with_its_line() {
        for (language, text, line, reason) in [
            ("en", "a = A\n\nb = { $x\nc = C", 3, ""),
            ("en", "a = A\n= B", 2, ""),
            ("en", "a = A\nb = B\na = C", 3, "twice"),
            ("klingon!", "a = A", 1, "no language"),
        ] {
            let error = TextSources::default().add(language, text).unwrap_err();
            assert!(
                error.line().abs_diff(line) <= 1 && error.to_string().contains(reason),
                "{text}: {error}"
            );
        }
    }
}
