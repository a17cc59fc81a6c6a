//! What was given for one argument, as serde reads it.

use super::fault::Fault;
use super::given::One;
use super::kind::{self, Kind, Value, Wanted};
use super::pattern::{Argument, Form, Many};
use super::written;
use crate::proto::id::{GroupId, UserId};
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, SeqAccess, VariantAccess,
    Visitor, value::StrDeserializer,
};

/// `std::time::Duration` calls itself a struct of seconds and nanoseconds.
pub(super) fn is_duration(name: &str, fields: &[&str]) -> bool {
    name == "Duration" && fields == ["secs", "nanos"]
}

/// The kind of arguments that gives IDs of this name, and what it is called in a pattern; `None` for other types. A type
/// of the bot's own has another name here even if it is called `UserId`, too.
pub(super) fn kind_of_id(name: &str) -> Option<(Kind, &'static str)> {
    match name {
        UserId::SERDE_NAME => Some((Kind::User, "user")),
        GroupId::SERDE_NAME => Some((Kind::Group, "group")),
        _ => None,
    }
}

/// What one argument has.
#[derive(Clone, Copy)]
pub(super) struct Cell<'a> {
    pub(super) argument: &'a Argument,
    pub(super) taken: &'a [One],
    pub(super) at: usize,
    pub(super) is_sample: bool,
}

impl<'a> Cell<'a> {
    /// The one value.
    fn one(self) -> Result<&'a One, Fault> {
        match (self.argument.many, self.taken) {
            (Many::Repeated, _) if self.is_sample => {
                Err(Fault::Structure("is repeated: take a `Vec`".to_owned()))
            }
            (_, [one, ..]) => Ok(one),
            (_, []) => Err(Fault::Structure(
                "may be missing: take an `Option`".to_owned(),
            )),
        }
    }

    /// What was written is no `wanted`. The pattern's own kinds have looked at it before the type does: where they
    /// differ no text will ever fit.
    fn unfit(self, one: &One, wanted: Wanted) -> Fault {
        if self.is_sample && !matches!(one.value, Value::Sample(_)) {
            return Fault::Structure(format!(
                "is {}, and the type does not take {:?}",
                self.argument.kind.called(),
                one.written
            ));
        }
        Fault::Wanted {
            wanted,
            written: Some(one.written.clone()),
        }
    }

    fn whole<T: std::str::FromStr + TryFrom<i64>>(
        self,
        from: i64,
        to: Option<i64>,
    ) -> Result<T, Fault> {
        let one = self.one()?;
        let read = match &one.value {
            Value::Sample(_) => T::try_from(1).ok(),
            Value::Whole(number) => T::try_from(*number).ok(),
            Value::Duration(duration) => i64::try_from(duration.as_secs())
                .ok()
                .and_then(|seconds| T::try_from(seconds).ok()),
            Value::Text(_) | Value::Number(_) | Value::YesOrNo(_) => kind::whole(&one.written),
        };
        let from = Some(from).filter(|from| *from > i64::MIN);
        read.ok_or_else(|| self.unfit(one, Wanted::Kind(Kind::Whole { from, to })))
    }

    fn float(self) -> Result<f64, Fault> {
        let one = self.one()?;
        let read = match &one.value {
            Value::Sample(_) => Some(1.0),
            Value::Duration(duration) => Some(duration.as_secs_f64()),
            Value::Number(number) => Some(*number),
            Value::Text(_) | Value::Whole(_) | Value::YesOrNo(_) => kind::number(&one.written),
        };
        read.ok_or_else(|| self.unfit(one, Wanted::Kind(Kind::Number)))
    }

    fn text(self) -> Result<&'a str, Fault> {
        let one = self.one()?;
        Ok(match &one.value {
            Value::Text(text) => text,
            Value::Sample(text) => text,
            Value::YesOrNo(true) if self.argument.form == Form::Flag => "true",
            Value::YesOrNo(false) if self.argument.form == Form::Flag => "false",
            Value::Whole(_) | Value::Number(_) | Value::YesOrNo(_) | Value::Duration(_) => {
                &one.written
            }
        })
    }

    fn no_such_shape(self, wanted: &str) -> Fault {
        Fault::Structure(format!("is one value, and the type wants {wanted}"))
    }
}

macro_rules! whole_numbers {
    ($($method:ident $visit:ident $kind:ty: $from:expr, $to:expr;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            visitor.$visit(self.whole::<$kind>($from, $to)?)
        }
    )*};
}

impl<'de> Deserializer<'de> for Cell<'_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.argument.many == Many::Repeated {
            return self.deserialize_seq(visitor);
        }
        match self.taken.first().map(|one| &one.value) {
            None => visitor.visit_none(),
            Some(Value::Whole(number)) => visitor.visit_i64(*number),
            Some(Value::Number(number)) => visitor.visit_f64(*number),
            Some(Value::YesOrNo(yes)) => visitor.visit_bool(*yes),
            Some(Value::Text(_) | Value::Duration(_) | Value::Sample(_)) => {
                visitor.visit_str(self.text()?)
            }
        }
    }

    whole_numbers! {
        deserialize_i8 visit_i8 i8: i8::MIN.into(), Some(i8::MAX.into());
        deserialize_i16 visit_i16 i16: i16::MIN.into(), Some(i16::MAX.into());
        deserialize_i32 visit_i32 i32: i32::MIN.into(), Some(i32::MAX.into());
        deserialize_i64 visit_i64 i64: i64::MIN, None;
        deserialize_u8 visit_u8 u8: 0, Some(u8::MAX.into());
        deserialize_u16 visit_u16 u16: 0, Some(u16::MAX.into());
        deserialize_u32 visit_u32 u32: 0, Some(u32::MAX.into());
        deserialize_u64 visit_u64 u64: 0, None;
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_f64(self.float()?)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let one = self.one()?;
        let read = match &one.value {
            Value::YesOrNo(yes) => Some(*yes),
            Value::Sample(_) => Some(true),
            Value::Text(text) => kind::yes_or_no(text),
            Value::Whole(_) | Value::Number(_) | Value::Duration(_) => None,
        };
        visitor.visit_bool(read.ok_or_else(|| self.unfit(one, Wanted::Kind(Kind::YesOrNo)))?)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let one = self.one()?;
        let text = match &one.value {
            Value::Sample(_) => "a",
            _ => self.text()?,
        };
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) => visitor.visit_char(c),
            // A choice or a text may be one character; anything longer is told to who wrote it.
            _ => Err(Fault::Wanted {
                wanted: Wanted::Character,
                written: Some(one.written.clone()),
            }),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_str(self.text()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_bytes(self.text()?.as_bytes())
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.taken.is_empty() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Fault> {
        Err(self.no_such_shape("none"))
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        if let Some((kind, word)) = kind_of_id(name)
            && kind != self.argument.kind
        {
            let is = self.argument.kind.called();
            return Err(Fault::Structure(format!(
                "is {is}, and the type is the ID of a {word}: write `:{word}` behind its name"
            )));
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.argument.many != Many::Repeated {
            return Err(self.no_such_shape("a list; a list is written `<name>+`"));
        }
        visitor.visit_seq(Items {
            of: self,
            left: self.taken,
        })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, _visitor: V) -> Result<V::Value, Fault> {
        Err(self.no_such_shape("a tuple"))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_tuple(len, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Fault> {
        Err(self.no_such_shape("a map"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        if !is_duration(name, fields) {
            return Err(self.no_such_shape("a struct"));
        }
        let one = self.one()?;
        let read = match &one.value {
            Value::Duration(duration) => Some(*duration),
            Value::Sample(_) => Some(std::time::Duration::from_secs(60)),
            Value::Text(text) => kind::duration(text),
            Value::Whole(_) | Value::Number(_) | Value::YesOrNo(_) => None,
        };
        let read = read.ok_or_else(|| self.unfit(one, Wanted::Kind(Kind::Duration)))?;
        let parts = [read.as_secs(), u64::from(read.subsec_nanos())];
        visitor.visit_seq(de::value::SeqDeserializer::new(parts.into_iter()))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let one = self.one()?;
        let text = match (&one.value, variants) {
            (Value::Sample(_), [first, ..]) => first,
            _ => self.text()?,
        };
        let folded = written::folded(text);
        let exact = variants.iter().find(|variant| **variant == text);
        let alike = variants
            .iter()
            .find(|variant| written::folded(variant) == folded);
        let Some(variant) = exact.or(alike) else {
            // Aliases are not in the list.
            return visitor
                .visit_enum(Variant(text))
                .map_err(|fault| match fault {
                    Fault::Structure(reason) if self.is_sample => Fault::Structure(reason),
                    Fault::Structure(_) => {
                        let known = variants.iter().map(|it| (*it).to_owned()).collect();
                        self.unfit(one, Wanted::Kind(Kind::OneOf(known)))
                    }
                    fault => fault,
                });
        };
        visitor.visit_enum(Variant(variant))
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.is_sample {
            return Err(Fault::Structure("is taken by no field".to_owned()));
        }
        visitor.visit_unit()
    }
}

/// The values of an argument that is repeated.
struct Items<'a> {
    of: Cell<'a>,
    left: &'a [One],
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Fault> {
        let Some((one, left)) = self.left.split_first() else {
            return Ok(None);
        };
        self.left = left;
        let argument = Argument {
            many: Many::One,
            ..self.of.argument.clone()
        };
        let cell = Cell {
            argument: &argument,
            taken: std::slice::from_ref(one),
            ..self.of
        };
        seed.deserialize(cell).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left.len())
    }
}

/// The name of a variant without data.
struct Variant<'a>(&'a str);

impl<'de> EnumAccess<'de> for Variant<'_> {
    type Error = Fault;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Fault> {
        let name: StrDeserializer<'_, Fault> = self.0.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, Fault> {
        Err(Fault::has_data(self.0))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Fault> {
        Err(Fault::has_data(self.0))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Fault> {
        Err(Fault::has_data(self.0))
    }
}
