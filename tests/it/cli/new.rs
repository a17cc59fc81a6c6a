//! `botroupe new`: what it writes is a program that compiles, passes its tests and runs.

use super::*;
use std::path::Path;

const SOURCE: &str = env!("CARGO_MANIFEST_DIR");

#[track_caller]
fn done(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{errors}");
    said
}

fn new(folder: &Path, args: &[&str]) -> Output {
    let mut command = botroupe();
    command.arg("new").args(args).current_dir(folder);
    command.stdin(Stdio::null()).output().unwrap()
}

#[test]
fn a_mistake_writes_nothing_and_has_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    for (args, remedy) in [
        (
            &["bot", "weather"][..],
            "make one with `botroupe new project NAME`",
        ),
        (&["bot", "my-bot"], "use my_bot"),
        (&["bot", "type"], "use type_bot"),
        (&["project", "My Bots"], "use my-bots"),
        (
            &["project", "bots", "--path", "nowhere"],
            "name the folder with its Cargo.toml",
        ),
    ] {
        let output = new(folder.path(), args);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(64), "{args:?}: {said}");
        assert!(said.contains(remedy), "{args:?}: {said}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
#[ignore = "compiles the library and everything below it for another program"]
fn what_is_new_compiles_and_passes_its_tests_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let said = done(&new(
        folder.path(),
        &["project", "my-bots", "--path", SOURCE],
    ));
    assert!(said.contains("cd my-bots && cargo test"), "{said}");
    let project = folder.path().join("my-bots");
    done(&new(&project, &["bot", "weather"]));
    let again = new(&project, &["bot", "weather"]);
    assert_eq!(again.status.code(), Some(64));
    // What was fetched for this workspace is there for the program, too.
    fs::copy(
        Path::new(SOURCE).join("Cargo.lock"),
        project.join("Cargo.lock"),
    )
    .unwrap();
    let cargo = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO"));
        command.args(args).args(["--offline"]).current_dir(&project);
        // Another run finds what this one has compiled.
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("new");
        command.arg("--target-dir").arg(target);
        command.env("CARGO_PROFILE_DEV_DEBUG", "false");
        command.env("CARGO_INCREMENTAL", "0");
        command.env_remove("RUSTFLAGS").stdin(Stdio::null());
        command
    };
    let tested = done(&cargo(&["test"]).output().unwrap());
    for test in ["hello", "weather"] {
        let passed = format!("test bots::{test}::tests::it_says_hello ... ok");
        assert!(tested.contains(&passed), "{tested}");
    }
    let mut check = cargo(&["run", "--quiet"]);
    let said = done(&check.args(["--", "check"]).output().unwrap());
    assert!(said.contains("hello-bot"), "{said}");
    let listed = Path::new(SOURCE).join("src/cli/new/template/gitignore.txt");
    let (listed, ours) = (
        fs::read_to_string(listed).unwrap(),
        Path::new(SOURCE).join(".gitignore"),
    );
    let ours = fs::read_to_string(ours).unwrap();
    let left = listed
        .lines()
        .filter(|line| !ours.lines().any(|known| known == *line));
    assert_eq!(
        left.count(),
        0,
        "what a program leaves behind is known in one place"
    );
}
