//! Why the type of a handler does not take what was given.

use super::kind::Wanted;
use serde::de::{self, Unexpected};
use std::fmt;

/// Why a type did not take what was given.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fault {
    /// What was written is no such value.
    Wanted {
        wanted: Wanted,
        written: Option<String>,
    },
    /// The type itself refuses the value.
    Refused(String),
    /// No text could ever fit: the pattern and the type differ.
    Structure(String),
    /// The fault is about this argument.
    At(usize, Box<Self>),
}

impl Fault {
    pub(super) fn at(self, place: usize) -> Self {
        match self {
            Self::At(..) => self,
            fault => Self::At(place, Box::new(fault)),
        }
    }

    /// The argument that it is about, and the fault.
    pub(super) fn apart(self) -> (Option<usize>, Self) {
        match self {
            Self::At(place, fault) => (Some(place), *fault),
            fault => (None, fault),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wanted { wanted, .. } => write!(f, "expected {wanted:?}"),
            Self::Refused(reason) | Self::Structure(reason) => f.write_str(reason),
            Self::At(_, fault) => fault.fmt(f),
        }
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Self::Refused(reason.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, wanted: &dyn de::Expected) -> Self {
        Self::Structure(format!("gives {found}, and the type wants {wanted}"))
    }

    fn invalid_value(_: Unexpected<'_>, wanted: &dyn de::Expected) -> Self {
        Self::Refused(format!("expected {wanted}"))
    }

    fn invalid_length(length: usize, wanted: &dyn de::Expected) -> Self {
        Self::Structure(format!(
            "gives {length} values, and the type wants {wanted}"
        ))
    }

    fn unknown_variant(variant: &str, known: &'static [&'static str]) -> Self {
        Self::Structure(format!(
            "{variant:?} is no variant of the type; it has {}",
            known.join(", ")
        ))
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        Self::Structure(format!(
            "no field takes {field:?}; there are {}",
            known.join(", ")
        ))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Structure(format!("the field `{field}` gets no value"))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::Structure(format!("the field `{field}` gets two values"))
    }
}

impl Fault {
    /// A choice is a name and nothing else.
    pub(super) fn has_data(variant: &str) -> Self {
        Self::Structure(format!(
            "the variant {variant:?} holds data; a choice cannot"
        ))
    }
}
