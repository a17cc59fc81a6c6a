//! Everything that was given for a command, as serde reads it.

use super::cell::{Cell, is_duration, kind_of_id};
use super::fault::Fault;
use super::given::Given;
use super::pattern::Many;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, SeqAccess, Visitor,
    value::StrDeserializer,
};

/// All arguments.
#[derive(Clone, Copy)]
pub(super) struct Root<'a> {
    given: &'a Given,
    /// A sample: of all arguments, or of the required ones.
    sample: Option<bool>,
}

impl<'a> Root<'a> {
    pub(super) const fn given(given: &'a Given) -> Self {
        Self {
            given,
            sample: None,
        }
    }

    pub(super) const fn sample(given: &'a Given, all: bool) -> Self {
        Self {
            given,
            sample: Some(all),
        }
    }

    fn cell(self, at: usize) -> Option<Cell<'a>> {
        Some(Cell {
            argument: self.given.pattern.arguments.get(at)?,
            taken: self.given.taken.get(at)?,
            at,
            is_sample: self.sample.is_some(),
        })
    }

    fn len(self) -> usize {
        self.given.pattern.arguments.len()
    }

    /// The only argument.
    fn single(self) -> Result<Cell<'a>, Fault> {
        match (self.cell(0), self.len()) {
            (Some(cell), 1) => Ok(cell),
            (_, 0) => Err(Fault::Structure(
                "the pattern has no arguments, and the type wants a value".to_owned(),
            )),
            (_, count) => Err(Fault::Structure(format!(
                "the pattern has {count} arguments; take a tuple of {count}, or a struct"
            ))),
        }
    }

    fn cells(self) -> Cells<'a> {
        Cells {
            root: self,
            next: 0,
            fields: None,
            passes_over_missing: false,
        }
    }
}

macro_rules! only_one {
    ($($method:ident),*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            let cell = self.single()?;
            cell.$method(visitor).map_err(|fault| fault.at(cell.at))
        }
    )*};
}

impl<'de> Deserializer<'de> for Root<'_> {
    type Error = Fault;

    only_one!(
        deserialize_bool,
        deserialize_i8,
        deserialize_i16,
        deserialize_i32,
        deserialize_i64,
        deserialize_u8,
        deserialize_u16,
        deserialize_u32,
        deserialize_u64,
        deserialize_f32,
        deserialize_f64,
        deserialize_char,
        deserialize_str,
        deserialize_string,
        deserialize_bytes,
        deserialize_byte_buf,
        deserialize_option,
        deserialize_identifier
    );

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.single() {
            Ok(cell) => cell.deserialize_any(visitor).map_err(|fault| fault.at(0)),
            Err(_) => self.deserialize_map(visitor),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.len() {
            0 => visitor.visit_unit(),
            count => Err(Fault::Structure(format!(
                "the pattern has {count} arguments, and the type takes none"
            ))),
        }
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
        if kind_of_id(name).is_some() {
            let cell = self.single()?;
            let read = cell.deserialize_newtype_struct(name, visitor);
            return read.map_err(|fault| fault.at(0));
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.single() {
            Ok(cell) => cell.deserialize_seq(visitor).map_err(|fault| fault.at(0)),
            Err(_) => visitor.visit_seq(Cells {
                passes_over_missing: true,
                ..self.cells()
            }),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        wanted: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let count = self.len();
        if wanted != count {
            return Err(Fault::Structure(format!(
                "the pattern has {count} arguments, and the tuple {wanted}"
            )));
        }
        visitor.visit_seq(self.cells())
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        wanted: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_tuple(wanted, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_map(Cells {
            fields: Some(&[]),
            ..self.cells()
        })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        if is_duration(name, fields) {
            let cell = self.single()?;
            let read = cell.deserialize_struct(name, fields, visitor);
            return read.map_err(|fault| fault.at(0));
        }
        if self.sample.is_some() {
            let arguments = &self.given.pattern.arguments;
            let plain: Vec<String> = arguments
                .iter()
                .map(|it| it.name.replace('-', "_"))
                .collect();
            for (argument, plain) in arguments.iter().zip(&plain) {
                if !fields.contains(&argument.name.as_str()) && !fields.contains(&plain.as_str()) {
                    return Err(Fault::Structure(format!(
                        "{} is in no field of `{name}`, which has {}",
                        argument.usage(),
                        fields.join(", ")
                    )));
                }
            }
        }
        visitor
            .visit_map(Cells {
                fields: Some(fields),
                ..self.cells()
            })
            .map_err(|fault| self.explain_missing(fault))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let cell = self.single()?;
        let read = cell.deserialize_enum(name, variants, visitor);
        read.map_err(|fault| fault.at(0))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }
}

impl Root<'_> {
    /// Says of a field without a value why it has none.
    fn explain_missing(self, fault: Fault) -> Fault {
        match fault {
            Fault::Structure(reason) if reason.ends_with("gets no value") => {
                Fault::Structure(match self.sample {
                    Some(false) => format!(
                        "{reason} when its argument is missing: make it an `Option`, or add `#[serde(default)]`"
                    ),
                    _ => format!("{reason}: no argument of the pattern has its name"),
                })
            }
            fault => fault,
        }
    }
}

/// The arguments one after the other, for a tuple, or with their names, for a struct.
struct Cells<'a> {
    root: Root<'a>,
    next: usize,
    /// The fields of the struct; none of a map.
    fields: Option<&'static [&'static str]>,
    /// For lists, which have no empty places.
    passes_over_missing: bool,
}

impl<'de> SeqAccess<'de> for Cells<'_> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Fault> {
        while let Some(cell) = self.root.cell(self.next) {
            self.next += 1;
            if !(self.passes_over_missing && cell.taken.is_empty()) {
                let read = seed.deserialize(cell);
                return read.map(Some).map_err(|fault| fault.at(cell.at));
            }
        }
        Ok(None)
    }
}

impl<'de> MapAccess<'de> for Cells<'_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        let fields = self.fields.unwrap_or_default();
        while let Some(cell) = self.root.cell(self.next) {
            let name = cell.argument.name.as_str();
            // A list that is empty is there.
            if cell.taken.is_empty() && cell.argument.many != Many::Repeated {
                self.next += 1;
                continue;
            }
            let plain = name.replace('-', "_");
            let name = if fields.contains(&plain.as_str()) {
                plain.as_str()
            } else {
                name
            };
            let name: StrDeserializer<'_, Fault> = name.into_deserializer();
            return seed.deserialize(name).map(Some);
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let cell = self.root.cell(self.next);
        self.next += 1;
        let cell = cell.ok_or_else(|| Fault::custom("a value without a name"))?;
        seed.deserialize(cell).map_err(|fault| fault.at(cell.at))
    }
}
