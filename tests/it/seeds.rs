//! Runs the seeds of the fuzz targets on stable Rust, so that earlier findings stay fixed.

use std::{collections::BTreeMap, fs, io, path::Path};

use botroupe::{
    config::{Config, Sources},
    proto::usersig,
};

#[path = "../../fuzz/fuzz_targets/drive/mod.rs"]
#[allow(unreachable_pub, reason = "shared with the fuzz targets")]
mod drive;

/// Calls `test` with the name and bytes of every seed of `target`. There is at least one seed.
fn each_seed(target: &str, mut test: impl FnMut(&str, &[u8])) -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/seeds")
        .join(target);
    let mut count = 0;
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        test(&path.display().to_string(), &fs::read(&path)?);
        count += 1;
    }
    assert!(count > 0, "no seeds in {}", folder.display());
    Ok(())
}

#[test]
fn usersig_seeds_are_read_or_refused() -> io::Result<()> {
    each_seed("usersig", |name, bytes| {
        let read = usersig::inspect(&String::from_utf8_lossy(bytes));
        assert_eq!(read.is_ok(), name.contains("valid-"), "{name}: {read:?}");
    })
}

#[test]
fn config_seeds_are_read_or_refused() -> io::Result<()> {
    let env: BTreeMap<String, String> = BTreeMap::new();
    each_seed("config", |name, bytes| {
        let parsed = Config::parse(
            Sources::new(name, &String::from_utf8_lossy(bytes), &env)
                .known_bots(&["echo", "counter"]),
        );
        assert_eq!(parsed.is_ok(), name.ends_with("shipped"), "{name}");
    })
}

#[test]
fn decoder_seeds_do_no_harm() -> io::Result<()> {
    each_seed("decoder", |_, bytes| drive::decoder(bytes))
}

#[test]
fn session_seeds_do_no_harm() -> io::Result<()> {
    each_seed("session", |_, bytes| drive::session(bytes))
}

#[test]
fn message_seeds_do_no_harm() -> io::Result<()> {
    each_seed("messages", |_, bytes| drive::messages(bytes))
}
