//! Which settings a bot takes, found out by reading them.
//!
//! A type that implements `Deserialize` says what it wants while it reads: names of fields, kinds of values. Here it reads from
//! something that only listens. It is asked once for each field, because a reader may stop at the first value that it
//! does not like.

use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, Visitor};
use std::cell::RefCell;
use std::fmt;

/// Tables within tables that are looked into.
const DEPTH: usize = 3;
/// Fields that are told at most.
const MOST: usize = 100;

/// A setting of a bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingField {
    /// The keys that lead to it.
    pub path: Vec<String>,
    /// What it takes.
    pub kind: SettingKind,
    /// Without it the settings do not fit.
    pub is_required: bool,
}

/// What a setting takes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SettingKind {
    /// A text.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// Yes or no.
    Boolean,
    /// One of these texts.
    Choice(Vec<String>),
    /// A list.
    List,
    /// A table of keys that are not fixed.
    Table,
    /// Anything.
    Any,
}

/// The settings that a type takes, in the order of its fields.
pub(super) fn shape_of<T: DeserializeOwned>() -> Vec<SettingField> {
    let mut fields = Vec::new();
    walk::<T>(&mut Vec::new(), false, &mut fields);
    fields
}

fn walk<T: DeserializeOwned>(
    path: &mut Vec<&'static str>,
    is_required: bool,
    fields: &mut Vec<SettingField>,
) {
    let found = RefCell::new(Found::Nothing);
    // What it says is heard; that it fails does not matter.
    let _ = T::deserialize(Probe {
        path,
        found: &found,
    });
    let kind = match found.into_inner() {
        Found::Struct(names) if path.len() < DEPTH => {
            let required = required::<T>(path);
            for name in names {
                path.push(name);
                walk::<T>(path, required.contains(name), fields);
                path.pop();
            }
            return;
        }
        Found::Struct(_) => SettingKind::Table,
        Found::Kind(kind) => kind,
        Found::Nothing => SettingKind::Any,
    };
    if !path.is_empty() && fields.len() < MOST {
        fields.push(SettingField {
            path: path.iter().map(|key| (*key).to_owned()).collect(),
            kind,
            is_required,
        });
    }
}

/// The fields of the table at this path without which it cannot be read. It is given those that it misses, one after
/// the other, until it misses none or does not like what it is given.
fn required<T: DeserializeOwned>(path: &[&'static str]) -> Vec<&'static str> {
    let mut given = Vec::new();
    while given.len() < MOST {
        match T::deserialize(Filler {
            path,
            given: &given,
        }) {
            Err(Stop::Missing(name)) if !given.contains(&name) => given.push(name),
            _ => break,
        }
    }
    given
}

/// Why a reading ends.
#[derive(Debug)]
enum Stop {
    Missing(&'static str),
    Else,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it was only asked what it takes")
    }
}

impl std::error::Error for Stop {}

impl de::Error for Stop {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Else
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field)
    }
}

enum Found {
    Nothing,
    Struct(&'static [&'static str]),
    Kind(SettingKind),
}

/// Goes the path, and notes what is wanted at its end.
struct Probe<'a> {
    path: &'a [&'static str],
    found: &'a RefCell<Found>,
}

impl<'de> Probe<'_> {
    fn found(&self, found: Found) -> Stop {
        if self.path.is_empty() {
            *self.found.borrow_mut() = found;
        }
        Stop::Else
    }

    fn table<V: Visitor<'de>>(self, found: Found, visitor: V) -> Result<V::Value, Stop> {
        match self.path.split_first() {
            None => Err(self.found(found)),
            Some((key, path)) => visitor.visit_map(OneKey {
                key: Some(key),
                value: Probe {
                    path,
                    found: self.found,
                },
            }),
        }
    }
}

macro_rules! kinds {
    ($($method:ident $kind:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Stop> {
            Err(self.found(Found::Kind(SettingKind::$kind)))
        }
    )*};
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Stop;

    kinds! {
        deserialize_bool Boolean
        deserialize_i8 Integer deserialize_i16 Integer deserialize_i32 Integer deserialize_i64 Integer
        deserialize_u8 Integer deserialize_u16 Integer deserialize_u32 Integer deserialize_u64 Integer
        deserialize_i128 Integer deserialize_u128 Integer
        deserialize_f32 Number deserialize_f64 Number
        deserialize_char Text deserialize_str Text deserialize_string Text deserialize_identifier Text
        deserialize_bytes Any deserialize_byte_buf Any deserialize_unit Any deserialize_ignored_any Any
        deserialize_seq List
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.table(Found::Kind(SettingKind::Any), visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.table(Found::Kind(SettingKind::Table), visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.table(Found::Struct(fields), visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Stop> {
        let variants = variants.iter().map(|name| (*name).to_owned()).collect();
        Err(self.found(Found::Kind(SettingKind::Choice(variants))))
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: V,
    ) -> Result<V::Value, Stop> {
        Err(self.found(Found::Kind(SettingKind::Any)))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Stop> {
        Err(self.found(Found::Kind(SettingKind::List)))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        _: V,
    ) -> Result<V::Value, Stop> {
        Err(self.found(Found::Kind(SettingKind::List)))
    }
}

/// A table with one key.
struct OneKey<'a> {
    key: Option<&'static str>,
    value: Probe<'a>,
}

impl<'de> MapAccess<'de> for OneKey<'_> {
    type Error = Stop;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Stop> {
        let key = self.key.take();
        key.map(|key| seed.deserialize(StrDeserializer::new(key)))
            .transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Stop> {
        seed.deserialize(Probe {
            path: self.value.path,
            found: self.value.found,
        })
    }
}

/// Goes the path, and gives the table at its end the fields that it is known to want.
struct Filler<'a> {
    path: &'a [&'static str],
    given: &'a [&'static str],
}

macro_rules! fills {
    ($($method:ident $visit:ident $value:expr;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
            visitor.$visit($value)
        }
    )*};
}

impl<'de> Deserializer<'de> for Filler<'_> {
    type Error = Stop;

    fills! {
        deserialize_bool visit_bool false;
        deserialize_i8 visit_i8 1; deserialize_i16 visit_i16 1; deserialize_i32 visit_i32 1; deserialize_i64 visit_i64 1;
        deserialize_u8 visit_u8 1; deserialize_u16 visit_u16 1; deserialize_u32 visit_u32 1; deserialize_u64 visit_u64 1;
        deserialize_i128 visit_i128 1; deserialize_u128 visit_u128 1;
        deserialize_f32 visit_f32 1.0; deserialize_f64 visit_f64 1.0;
        deserialize_char visit_char 'x'; deserialize_str visit_str "x"; deserialize_string visit_str "x";
        deserialize_identifier visit_str "x"; deserialize_bytes visit_bytes b"x"; deserialize_byte_buf visit_bytes b"x";
        deserialize_any visit_str "x";
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        match self.path.is_empty() {
            true => visitor.visit_none(),
            false => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_unit()
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_seq(Empty)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_seq(Empty)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        visitor.visit_seq(Empty)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_map(Given::of(&self))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        visitor.visit_map(Given::of(&self))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let first = variants.first().copied().unwrap_or_default();
        visitor.visit_enum(StrDeserializer::<Stop>::new(first))
    }
}

struct Empty;

impl<'de> de::SeqAccess<'de> for Empty {
    type Error = Stop;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        _: T,
    ) -> Result<Option<T::Value>, Stop> {
        Ok(None)
    }
}

/// The keys of a table: the next of the path, or all that are given.
struct Given<'a> {
    keys: std::slice::Iter<'a, &'static str>,
    path: &'a [&'static str],
    given: &'a [&'static str],
}

impl<'a> Given<'a> {
    fn of(filler: &Filler<'a>) -> Self {
        match filler.path.split_first() {
            Some((_, rest)) => Self {
                keys: filler.path.get(..1).unwrap_or_default().iter(),
                path: rest,
                given: filler.given,
            },
            None => Self {
                keys: filler.given.iter(),
                path: &[],
                given: &[],
            },
        }
    }
}

impl<'de> MapAccess<'de> for Given<'_> {
    type Error = Stop;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Stop> {
        let key = self.keys.next();
        key.map(|key| seed.deserialize(StrDeserializer::new(key)))
            .transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Stop> {
        seed.deserialize(Filler {
            path: self.path,
            given: self.given,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use std::collections::BTreeMap;
    use std::time::Duration;

    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Tone {
        Kind,
        Short,
    }

    /// It refuses what it is given while it is asked.
    #[derive(Deserialize)]
    #[serde(try_from = "String")]
    struct Span(#[expect(dead_code, reason = "only its shape is looked at")] Duration);

    impl TryFrom<String> for Span {
        type Error = String;

        fn try_from(text: String) -> Result<Self, String> {
            let span = crate::config::parse_duration(&text);
            span.map(Self).map_err(|error| error.to_string())
        }
    }

    #[derive(Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Model {
        name: String,
        temperature: f64,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "as above")]
    struct Settings {
        greeting: String,
        tone: Tone,
        retries: Option<u8>,
        #[serde(default)]
        loud: bool,
        #[serde(default)]
        model: Model,
        #[serde(default)]
        names: Vec<String>,
        #[serde(default)]
        prices: BTreeMap<String, f64>,
        wait: Span,
        last: u32,
    }

    #[test]
    fn a_type_says_which_settings_it_takes() {
        let fields = shape_of::<Settings>();
        let shown: Vec<_> = fields
            .iter()
            .map(|field| (field.path.join("."), &field.kind, field.is_required))
            .collect();
        let choices = SettingKind::Choice(vec!["kind".into(), "short".into()]);
        let expected = [
            ("greeting", &SettingKind::Text, true),
            ("tone", &choices, true),
            ("retries", &SettingKind::Integer, false),
            ("loud", &SettingKind::Boolean, false),
            ("model.name", &SettingKind::Text, false),
            ("model.temperature", &SettingKind::Number, false),
            ("names", &SettingKind::List, false),
            ("prices", &SettingKind::Table, false),
            ("wait", &SettingKind::Text, true),
            // Nothing is known of what comes behind a value that was refused.
            ("last", &SettingKind::Integer, false),
        ];
        let expected: Vec<_> = expected
            .into_iter()
            .map(|(path, kind, is_required)| (path.to_owned(), kind, is_required))
            .collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_type_without_fields_says_nothing_and_one_within_itself_ends() {
        #[derive(Deserialize)]
        #[expect(dead_code, reason = "as above")]
        struct Deep {
            more: Option<Box<Self>>,
        }
        assert_eq!(shape_of::<BTreeMap<String, String>>(), []);
        let deep = shape_of::<Deep>();
        assert_eq!(deep.len(), 1);
        assert_eq!(deep[0].path.len(), DEPTH);
        assert_eq!(deep[0].kind, SettingKind::Table);
    }
}
