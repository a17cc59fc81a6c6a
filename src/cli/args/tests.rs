//! Command lines, and what is read from them.

use super::*;

fn read(line: &str) -> Result<Args, clap::Error> {
    Args::read(
        std::iter::once("botroupe")
            .chain(line.split_whitespace())
            .map(OsString::from),
    )
}

#[test]
fn the_definition_is_sound() {
    Args::command().debug_assert();
}

#[test]
fn run_is_the_default() {
    for line in ["", "run", "-v", "--log-format json"] {
        let Command::Run(run) = read(line).unwrap().into_command() else {
            panic!("{line}");
        };
        assert_eq!(run, RunCommand::default(), "{line}");
    }
    for line in [
        "--config a.toml --set x.y=1 --set z=a=b",
        "run --config a.toml --set x.y=1 --set z=a=b",
        "run a.toml --set x.y=1 --set z=a=b",
    ] {
        let Command::Run(run) = read(line).unwrap().into_command() else {
            panic!("{line}");
        };
        assert_eq!(run.path(), Path::new("a.toml"));
        let pairs = run.run.config.overrides();
        assert_eq!(pairs[0], ("x.y".to_owned(), "1".to_owned()));
        assert_eq!(pairs[1], ("z".to_owned(), "a=b".to_owned()));
    }
}

#[test]
fn check_takes_its_config_in_both_ways() {
    for line in ["check", "check config.toml", "check --config config.toml"] {
        let Command::Check(check) = read(line).unwrap().into_command() else {
            panic!("{line}");
        };
        assert_eq!(check.path(), Path::new("config.toml"), "{line}");
    }
}

#[test]
fn global_options_stand_anywhere() {
    for line in ["-vv check", "check -vv", "usersig inspect x -v --verbose"] {
        assert_eq!(read(line).unwrap().verbose, 2, "{line}");
    }
}

#[test]
fn what_would_be_ignored_is_refused() {
    for line in ["--config a.toml check", "--set a=b usersig inspect x"] {
        assert_eq!(
            read(line).unwrap_err().kind(),
            ErrorKind::ArgumentConflict,
            "{line}"
        );
    }
}

#[test]
fn wrong_values_are_refused_without_showing_secrets() {
    for (line, expected) in [
        ("sandbox --sdk-app-id 0", "an SDKAppID is a number from 1"),
        (
            "sandbox --sdk-app-id 1 --hello-interval 10x",
            "unknown unit",
        ),
        (
            "sandbox --sdk-app-id 1 --hello-interval 0",
            "at least one second",
        ),
        (
            "sandbox --sdk-app-id 1 --max-web-instances 0",
            "0 is not in 1..=100",
        ),
        (
            "sandbox --sdk-app-id 1 --auto-import perhaps",
            "[possible values: true, false]",
        ),
        ("chat --as a", "--to <ACCOUNT>"),
        ("run --set s3cr3t", "--set takes KEY=VALUE"),
        ("check --set =s3cr3t", "--set takes KEY=VALUE"),
        ("--set s3cr3t", "--set takes KEY=VALUE"),
        ("chat --as a --to b --set s3cr3t", "--set takes KEY=VALUE"),
        ("chekc", "unrecognized subcommand"),
        (
            "run --set app.secret_key=s3cr3t",
            "BOTROUPE__APP__SECRET_KEY",
        ),
        (
            "check --set accounts[0].user_sig=s3cr3t",
            "can be read by every user",
        ),
        (
            "run --set proxy.url=http://u:s3cr3t@h:1",
            "BOTROUPE__PROXY__URL",
        ),
        ("run --set sandbox.token=s3cr3t", "BOTROUPE__SANDBOX__TOKEN"),
        ("chat --as a --to b --group g", "cannot be used with"),
        ("chat --as a --to b --create", "cannot be used with"),
        ("run a.toml --config b.toml", "cannot be used with"),
        ("sandbox --sdk-app-id 1 --listen 7080", "127.0.0.1:7080"),
        (
            "sandbox --sdk-app-id 1 --listen localhost:7080",
            "127.0.0.1:7080",
        ),
    ] {
        let error = read(line).unwrap_err().to_string();
        assert!(error.contains(expected), "{line}: {error}");
        assert!(!error.contains("s3cr3t"), "{line}: {error}");
    }
}

#[test]
fn debug_shows_no_secret() {
    for line in [
        "--set bots.relay.token=s3cr3t",
        "sandbox --sdk-app-id 1 --secret-key s3cr3t",
        "usersig inspect s3cr3t",
    ] {
        let args = read(line).unwrap();
        assert!(!format!("{args:?}").contains("s3cr3t"), "{args:?}");
    }
}

#[test]
fn the_sandbox_takes_its_options() {
    let line = "sandbox --listen 127.0.0.1:0 --sdk-app-id 7 --secret-key k --max-web-instances 2 \
                --hello-interval 5 --auto-import false --admin a --admin b --seed s.toml \
                --store s.json --tls-cert c.pem --tls-key k.pem";
    let Command::Sandbox(args) = read(line).unwrap().into_command() else {
        panic!("not the sandbox");
    };
    assert_eq!((args.listen.port(), args.sdk_app_id.get()), (0, 7));
    assert_eq!((args.max_web_instances, args.auto_import), (2, false));
    assert_eq!(args.seed, Some(PathBuf::from("s.toml")));
    assert_eq!(args.store, Some(PathBuf::from("s.json")));
    assert_eq!(args.tls_cert, Some(PathBuf::from("c.pem")));
    assert_eq!(args.tls_key, Some(PathBuf::from("k.pem")));
    assert_eq!(args.tls, None);
    for (line, ca) in [
        ("--tls", None),
        ("--tls self-signed", None),
        ("--tls --tls-ca ca.pem", Some(PathBuf::from("ca.pem"))),
    ] {
        let line = format!("sandbox --sdk-app-id 7 --secret-key k {line}");
        let Command::Sandbox(args) = read(&line).unwrap().into_command() else {
            panic!("not the sandbox");
        };
        assert_eq!((args.tls, args.tls_ca), (Some(TlsKind::SelfSigned), ca));
    }
    for line in [
        "--tls-cert c.pem",
        "--tls --tls-cert c.pem --tls-key k.pem",
        "--tls strange",
        "--tls-ca ca.pem",
    ] {
        let line = format!("sandbox --sdk-app-id 7 --secret-key k {line}");
        assert!(read(&line).is_err(), "{line}");
    }
    assert_eq!(
        (args.hello_interval, args.admins.len()),
        (Duration::from_secs(5), 2)
    );
}

#[test]
fn help_names_the_exit_codes() {
    let help = read("--help").unwrap_err();
    assert!(!help.use_stderr());
    for code in ["0 ", "1 ", "64 ", "70 ", "130 "] {
        assert!(help.to_string().contains(&format!("\n  {code}")), "{help}");
    }
}
