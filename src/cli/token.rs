//! `botroupe token new NAME`: a token for the admin API, and its lines for the config.

use super::args::{ScopeArg, TokenCommand};
use super::exit::Failure;
use crate::admin::NewToken;
use std::io::Write;

/// Makes a token. It is written once, and kept nowhere.
///
/// # Errors
/// When the system gives no random numbers, or `out` cannot be written.
pub(super) fn token(command: &TokenCommand, out: &mut dyn Write) -> Result<(), Failure> {
    let TokenCommand::New(args) = command;
    let made = NewToken::make().map_err(|error| Failure::Runtime(error.into()))?;
    let list = |items: Vec<String>| {
        let quoted = items
            .into_iter()
            .map(|item| toml::Value::String(item).to_string());
        format!("[{}]", quoted.collect::<Vec<_>>().join(", "))
    };
    let scopes = args.scopes.iter().map(|scope| scope.name().to_owned());
    let mut lines = format!(
        "[[admin.tokens]]\nname = {}\nhash = \"{}\"\nscopes = {}\n",
        toml::Value::String(args.name.clone()),
        made.config_hash(),
        list(scopes.collect()),
    );
    if !args.accounts.is_empty() {
        lines.push_str(&format!("accounts = {}\n", list(args.accounts.clone())));
    }
    write!(
        out,
        "The token, shown this once:\n\n  {}\n\nIts lines for the config:\n\n{lines}",
        made.text()
    )
    .map_err(Failure::Output)
}

impl ScopeArg {
    const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Operate => "operate",
            Self::Send => "send",
            Self::Admin => "admin",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::NewTokenArgs;
    use crate::config::{Config, Sources};

    #[test]
    fn the_lines_are_config_and_hold_no_token() {
        let command = TokenCommand::New(NewTokenArgs {
            name: "night \"shift\"".to_owned(),
            scopes: vec![ScopeArg::Read, ScopeArg::Send],
            accounts: vec!["shop-*".to_owned()],
        });
        let mut out = Vec::new();
        token(&command, &mut out).unwrap();
        let said = String::from_utf8(out).unwrap();
        let secret = said.lines().nth(2).unwrap().trim();
        assert!(secret.starts_with("btr_"), "{said}");
        let (_, lines) = said.split_once("config:\n\n").unwrap();
        assert!(!lines.contains(secret));
        let text = format!(
            "[app]\nsdk_app_id = 1\nsecret_key = \"k\"\n[[accounts]]\nuser_id = \"a\"\nbots = []\n{lines}"
        );
        let env = std::collections::BTreeMap::new();
        let config = Config::parse(Sources::new("c", &text, &env)).unwrap();
        let token = &config.admin.tokens[0];
        assert_eq!(token.name, "night \"shift\"");
        assert_eq!(token.scopes.len(), 2);
        assert!(token.accounts[0].matches("shop-1"));
    }
}
