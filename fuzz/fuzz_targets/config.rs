//! Parses any text as a config file. It must succeed, or fail with at least one error, without a
//! panic.

#![no_main]

use std::collections::BTreeMap;

use botroupe::config::{Config, Sources};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let env: BTreeMap<String, String> = BTreeMap::new();
    let parsed =
        Config::parse(Sources::new("config.toml", text, &env).known_bots(&["echo", "counter"]));
    match parsed {
        Ok(config) => assert!(!config.accounts.is_empty()),
        Err(errors) => assert!(!errors.errors().is_empty()),
    }
});
