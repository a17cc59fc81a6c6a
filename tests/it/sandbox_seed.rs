//! Tests of a sandbox that starts with the content of a seed file: from a config, stand-alone, and
//! with invalid files.

use crate::harness::{APP, KEY, config_in, sandbox};
use crate::sandbox::connect;
use botroupe::app::{App, AppError};
use botroupe::bot::Bots;
use botroupe::proto::id::SdkAppId;
use botroupe::sandbox::{Sandbox, SandboxConfig, SandboxError};
use serde_json::json;
use std::path::Path;

#[test]
fn the_example_is_there_before_anybody_connects() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/seed.toml");
    let sandbox = sandbox(|config| config.seed_file = Some(example));
    assert_eq!(sandbox.history("alice", "bob").len(), 2);
    assert_eq!(sandbox.group_history("team").len(), 2);
    sandbox.shutdown();
}

#[test]
fn clients_find_their_conversations_as_they_set_them_up() {
    actix_rt::System::new().block_on(async {
        let mut config = SandboxConfig::new(SdkAppId::new(APP).unwrap(), KEY);
        config.seed_file = Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/seed.toml"));
        let listen = ([127, 0, 0, 1], 0).into();
        let sandbox = Sandbox::start(config, listen).await.unwrap();
        let mut alice = connect(&sandbox).await;
        alice.login(&sandbox, "alice").await;
        let list = alice.call("recentcontact.page_get", json!({})).await;
        let rows = list["SessionItem"].as_array().unwrap().iter();
        let rows: Vec<_> = rows
            .map(|row| {
                [
                    &row["TopFlags"],
                    &row["StandardMark"],
                    &row["MsgRecvOption"],
                ]
            })
            .collect();
        let (team, bob) = (
            [json!(0), json!("0"), json!(2)],
            [json!(1), json!("11"), json!(0)],
        );
        assert_eq!(rows, [team.each_ref(), bob.each_ref()], "{list}");
        sandbox.stop().await;
    });
}

#[test]
fn a_wrong_seed_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("seed.toml");
    let start = || {
        let mut config = SandboxConfig::new(SdkAppId::new(APP).unwrap(), KEY);
        config.seed_file = Some(path.clone());
        Sandbox::spawn_thread(config, ([127, 0, 0, 1], 0).into()).unwrap_err()
    };
    assert!(matches!(start(), SandboxError::SeedFile { .. }));
    std::fs::write(&path, "[[users]]\nid = \"alice\"\nnik = \"\"\n").unwrap();
    let error = start().to_string();
    let place = format!("{}:3:1: unknown field `nik`", path.display());
    assert!(error.starts_with(&place), "{error}");
}

#[test]
fn the_config_names_the_seed_relative_to_itself() {
    let folder = tempfile::tempdir().unwrap();
    let config = config_in(folder.path(), "seed = \"here.toml\"");
    let seed = folder.path().join("here.toml");
    assert_eq!(config.sandbox.seed.as_ref(), Some(&seed));
    actix_rt::System::new().block_on(async {
        let error = App::start(&config, &Bots::default(), None)
            .await
            .unwrap_err();
        let is_missing = matches!(error, AppError::Sandbox(SandboxError::SeedFile { .. }));
        assert!(
            is_missing && error.to_string().ends_with("(key sandbox.seed)"),
            "{error}"
        );
        // Accounts of the config need no [[users]] entry.
        let text = "[[users]]\nid = \"alice\"\nfriends = [\"bot\"]\n\
                    [[history]]\nfrom = \"alice\"\nto = \"bot\"\ntext = \"hello\"\n";
        std::fs::write(&seed, text).unwrap();
        let app = App::start(&config, &Bots::default(), None).await.unwrap();
        assert_eq!(app.sandbox().unwrap().history("alice", "bot").len(), 1);
        app.stop().await;
    });
}
