//! The list of bots a program has.

use super::builder::Bot;

/// One bot of the list: its name and how to make it.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The name of its file, by which the config file calls it.
    pub name: &'static str,
    /// Makes one for an account.
    pub make: fn() -> Bot,
}

impl Entry {
    /// What the config calls it: of `bots/type.rs`, which is `r#type` to the compiler, `type`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name.strip_prefix("r#").unwrap_or(self.name)
    }
}

/// Looks a bot up by name.
#[must_use]
pub fn find<'a>(bots: &'a [Entry], name: &str) -> Option<&'a Entry> {
    bots.iter().find(|entry| entry.name() == name)
}

/// Declares the list of bots: one file name per line. Each file has a `pub fn bot() -> Bot`.
///
/// Expands to the modules and to `pub const BOTS: &[Entry]`.
#[macro_export]
macro_rules! bots {
    ($($name:ident),* $(,)?) => {
        $(pub mod $name;)*

        /// Every bot of this program.
        pub const BOTS: &[$crate::bot::Entry] =
            &[$($crate::bot::Entry { name: stringify!($name), make: $name::bot }),*];
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bot_whose_file_is_named_like_a_keyword_is_found_by_the_name_of_the_file() {
        const BOTS: &[Entry] = &[Entry {
            name: stringify!(r#type),
            make: || Bot::new("something"),
        }];
        assert_eq!(find(BOTS, "type").map(Entry::name), Some("type"));
    }
}
