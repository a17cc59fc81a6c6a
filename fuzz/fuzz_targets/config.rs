//! Any text may be a config file: it is read, or refused with at least one mistake, without panic.

#![no_main]

use std::collections::BTreeMap;

use botroupe::config::{Config, Sources};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let env: BTreeMap<String, String> = BTreeMap::new();
    let parsed = Config::parse(Sources::new("config.toml", text, &env).known_bots(&["echo", "counter"]));
    match parsed {
        Ok(config) => assert!(!config.accounts.is_empty()),
        Err(errors) => assert!(!errors.errors().is_empty()),
    }
});
