//! Lenient deserialisation: numbers in strings, strings in numbers, and booleans as flags.
//!
//! These `serde` `deserialize_with` functions are for fields whose JSON type differs between
//! servers. They only reject values without a sensible interpretation.

use secrecy::SecretString;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error, Unexpected, Visitor};
use serde::ser::{Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;
use std::fmt;
use std::marker::PhantomData;

struct Number;

impl Visitor<'_> for Number {
    type Value = Option<i128>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number, or a string that contains one")
    }

    fn visit_u64<E: Error>(self, v: u64) -> Result<Self::Value, E> {
        Ok(Some(i128::from(v)))
    }

    fn visit_i64<E: Error>(self, v: i64) -> Result<Self::Value, E> {
        Ok(Some(i128::from(v)))
    }

    fn visit_f64<E: Error>(self, v: f64) -> Result<Self::Value, E> {
        if v.is_finite() && v.fract() == 0.0 && v.abs() < 1e18 {
            // The value is whole and in range, so the cast is exact.
            #[allow(clippy::cast_possible_truncation)]
            Ok(Some(v as i128))
        } else {
            Err(E::invalid_value(Unexpected::Float(v), &self))
        }
    }

    fn visit_bool<E: Error>(self, v: bool) -> Result<Self::Value, E> {
        Ok(Some(i128::from(v)))
    }

    fn visit_str<E: Error>(self, v: &str) -> Result<Self::Value, E> {
        if v.is_empty() {
            return Ok(None);
        }
        v.trim()
            .parse()
            .map(Some)
            .map_err(|_| E::invalid_value(Unexpected::Str(v), &self))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

fn number<'de, D: Deserializer<'de>>(d: D) -> Result<Option<i128>, D::Error> {
    d.deserialize_any(Number)
}

fn narrowed<T: TryFrom<i128>, E: Error>(n: i128) -> Result<T, E> {
    T::try_from(n).map_err(|_| E::custom(format_args!("{n} is out of range")))
}

/// Deserialises a whole number that fits `T`. Absent, `null` and `""` become zero.
///
/// # Errors
/// If the value is not a whole number, or does not fit `T`.
pub fn int<'de, D, T>(d: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<i128>,
{
    narrowed(number(d)?.unwrap_or(0))
}

/// Like [`int`], but `null` and `""` become `None`.
///
/// # Errors
/// If the value is not a whole number, or does not fit `T`.
pub fn opt_int<'de, D, T>(d: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<i128>,
{
    number(d)?.map(narrowed).transpose()
}

/// Deserialises a flag. `true`, `1`, `"1"` and all other non-zero numbers are true.
///
/// # Errors
/// If the value is neither a boolean nor a whole number.
pub fn flag<'de, D: Deserializer<'de>>(d: D) -> Result<bool, D::Error> {
    Ok(number(d)?.unwrap_or(0) != 0)
}

/// Like [`flag`], but an absent value and `null` become `None`.
///
/// # Errors
/// See [`flag`].
pub fn opt_flag<'de, D: Deserializer<'de>>(d: D) -> Result<Option<bool>, D::Error> {
    Ok(number(d)?.map(|number| number != 0))
}

/// Serialises a flag as 0 or 1, because clients compare it with 1.
///
/// # Errors
/// The errors of the serializer.
pub fn as_number<F, S>(flag: &F, serializer: S) -> Result<S::Ok, S::Error>
where
    F: Copy + Into<Option<bool>>,
    S: Serializer,
{
    (*flag).into().map(u8::from).serialize(serializer)
}

/// Deserialises a floating-point number, which may be in a string. Absent and `null` become zero.
///
/// # Errors
/// If the value is not a number.
pub fn float<'de, D: Deserializer<'de>>(d: D) -> Result<f64, D::Error> {
    match Value::deserialize(d)? {
        Value::Null => Ok(0.0),
        Value::Number(n) => n.as_f64().ok_or_else(|| Error::custom("no number")),
        Value::String(text) => text
            .trim()
            .parse()
            .ok()
            .filter(|n: &f64| n.is_finite())
            .ok_or_else(|| Error::invalid_value(Unexpected::Str(&text), &"a number")),
        _ => Err(Error::custom("expected a number")),
    }
}

/// Deserialises any type. `null` becomes its default.
///
/// # Errors
/// If the value is neither `null` nor a valid `T`.
pub fn null_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    d: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(d)?.unwrap_or_default())
}

/// Deserialises a list and skips invalid entries, so that one invalid entry does not make the
/// others unusable. `null` becomes an empty list.
///
/// # Errors
/// If the value is neither `null` nor a list.
pub fn list<'de, D: Deserializer<'de>, T: DeserializeOwned>(d: D) -> Result<Vec<T>, D::Error> {
    let items: Option<Vec<Box<RawValue>>> = Option::deserialize(d)?;
    Ok(items
        .unwrap_or_default()
        .iter()
        .filter_map(|item| read(item.get()).ok())
        .collect())
}

/// Like [`list`], for fields of a flattened struct, which serde buffers instead of reading from the
/// text.
///
/// # Errors
/// If the value is not a list.
pub fn flat_list<'de, D: Deserializer<'de>, T: DeserializeOwned>(d: D) -> Result<Vec<T>, D::Error> {
    let items: Option<Vec<Value>> = Option::deserialize(d)?;
    let items = items.unwrap_or_default().into_iter();
    Ok(items.filter_map(|item| T::deserialize(item).ok()).collect())
}

/// Groups of field names with the same meaning; the command decides which name is used. If an
/// object contains several of them, the first one counts.
const SAME: &[&[&str]] = &[
    &["MsgRandom", "Random", "MsgRand"],
    &["MsgTimeStamp", "MsgTime"],
    &["ResultCode", "RetCode", "ErrorCode", "Code"],
    &["ResultInfo", "ErrorInfo"],
    &["To_Account", "Peer_Account", "Member_Account"],
];

/// Parses an object. Unlike plain serde, it accepts a field that occurs twice, under the same name
/// or under several names.
///
/// # Errors
/// If the text is not JSON, or has an unexpected shape.
pub fn read<T: DeserializeOwned>(json: &str) -> serde_json::Result<T> {
    let error = match serde_json::from_str(json) {
        Ok(read) => return Ok(read),
        Err(error) => error,
    };
    // This case is rare, so it may be slow: duplicate fields are merged into one.
    match serde_json::from_str(json) {
        Ok(Value::Object(mut object)) if error.is_data() => {
            take_first_names(&mut object);
            serde_json::from_str(&Value::Object(object).to_string()).map_err(|_| error)
        }
        _ => Err(error),
    }
}

/// Removes duplicate names from an object and, recursively, from its values.
pub fn take_first_names(object: &mut serde_json::Map<String, Value>) {
    for names in SAME {
        let first = names.iter().position(|name| object.contains_key(*name));
        for name in names
            .iter()
            .skip(first.map_or(names.len(), |first| first + 1))
        {
            object.remove(*name);
        }
    }
    let mut inside: Vec<&mut Value> = object.values_mut().collect();
    while let Some(value) = inside.pop() {
        match value {
            Value::Object(object) => take_first_names(object),
            Value::Array(list) => inside.extend(list),
            _ => {}
        }
    }
}

/// Deserialises the priority of a group message: a number in received messages, a word in sent
/// ones.
///
/// # Errors
/// If the value is neither a number nor one of the four words.
pub fn opt_priority<'de, D: Deserializer<'de>>(d: D) -> Result<Option<u32>, D::Error> {
    let text: String = string(d)?;
    match text.as_str() {
        "" => Ok(None),
        "High" => Ok(Some(1)),
        "Normal" => Ok(Some(2)),
        "Low" => Ok(Some(3)),
        "Lowest" => Ok(Some(4)),
        number => number
            .parse()
            .map(Some)
            .map_err(|_| Error::invalid_value(Unexpected::Str(number), &"a priority")),
    }
}

/// Reads a string, or a number as its decimal text.
struct Text<T>(PhantomData<T>);

impl<T: for<'a> From<&'a str> + From<String>> Visitor<'_> for Text<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a number")
    }

    fn visit_str<E: Error>(self, v: &str) -> Result<Self::Value, E> {
        Ok(Some(v.into()))
    }

    fn visit_string<E: Error>(self, v: String) -> Result<Self::Value, E> {
        Ok(Some(v.into()))
    }

    fn visit_u64<E: Error>(self, v: u64) -> Result<Self::Value, E> {
        Ok(Some(v.to_string().into()))
    }

    fn visit_i64<E: Error>(self, v: i64) -> Result<Self::Value, E> {
        Ok(Some(v.to_string().into()))
    }

    fn visit_f64<E: Error>(self, v: f64) -> Result<Self::Value, E> {
        Ok(Some(v.to_string().into()))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

/// Deserialises a string, or an ID. A number becomes its decimal text, and `null` an empty string.
///
/// # Errors
/// If the value is an array, an object or a boolean.
pub fn string<'de, D, T>(d: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: for<'a> From<&'a str> + From<String> + Default,
{
    Ok(opt_string(d)?.unwrap_or_default())
}

/// Like [`string`], but `null` becomes `None`.
///
/// # Errors
/// If the value is an array, an object or a boolean.
pub fn opt_string<'de, D, T>(d: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: for<'a> From<&'a str> + From<String>,
{
    d.deserialize_any(Text(PhantomData))
}

/// Deserialises a secret string. An empty string and `null` become `None`.
///
/// # Errors
/// If the value is an array, an object or a boolean.
pub fn opt_secret<'de, D: Deserializer<'de>>(d: D) -> Result<Option<SecretString>, D::Error> {
    Ok(opt_string::<_, String>(d)?
        .filter(|text| !text.is_empty())
        .map(SecretString::from))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    #[derive(Deserialize, Debug, PartialEq)]
    struct Probe {
        #[serde(default, deserialize_with = "super::int")]
        n: u32,
        #[serde(default, deserialize_with = "super::flag")]
        f: bool,
        #[serde(default, deserialize_with = "super::string")]
        s: String,
    }

    #[test]
    fn both_spellings_of_a_number_read_the_same() {
        for text in [
            r#"{"n":3139160001,"f":1,"s":7}"#,
            r#"{"n":"3139160001","f":true,"s":"7"}"#,
        ] {
            let probe: Probe = serde_json::from_str(text).unwrap();
            assert_eq!(
                probe,
                Probe {
                    n: 3_139_160_001,
                    f: true,
                    s: "7".into()
                },
                "{text}"
            );
        }
    }

    #[test]
    fn absent_and_null_are_zero() {
        for text in [
            "{}",
            r#"{"n":null,"f":null,"s":null}"#,
            r#"{"n":"","f":"","s":""}"#,
        ] {
            let probe: Probe = serde_json::from_str(text).unwrap();
            assert_eq!(
                probe,
                Probe {
                    n: 0,
                    f: false,
                    s: String::new()
                },
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_named_twice_is_read_by_its_first_name() {
        #[derive(Deserialize)]
        struct Item {
            #[serde(rename = "MsgRandom", alias = "Random")]
            random: u32,
            #[serde(rename = "MsgTimeStamp", alias = "MsgTime", default)]
            time: u32,
        }
        let twice = r#"{"Random":2,"MsgRandom":1,"MsgTime":3}"#;
        assert!(
            serde_json::from_str::<Item>(twice).is_err(),
            "serde alone refuses it"
        );
        let item: Item = super::read(twice).unwrap();
        assert_eq!((item.random, item.time), (1, 3));
        let same: Item = super::read(r#"{"Random":1,"Random":2}"#).unwrap();
        assert_eq!(same.random, 2);
        assert!(super::read::<Item>(r#"{"MsgTime":3}"#).is_err());
        assert!(super::read::<Item>("{").is_err());
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            r#"{"n":-1}"#,
            r#"{"n":4294967296}"#,
            r#"{"n":1.5}"#,
            r#"{"n":"x"}"#,
            r#"{"n":[]}"#,
        ] {
            assert!(serde_json::from_str::<Probe>(text).is_err(), "{text}");
        }
    }
}
