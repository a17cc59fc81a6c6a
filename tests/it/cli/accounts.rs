//! `botroupe accounts import`.

use super::*;
use botroupe::proto::id::{SdkAppId, UserId};
use botroupe::sandbox::{Sandbox, SandboxConfig};

#[test]
fn the_accounts_that_the_app_lacks_are_made_and_no_other_is_touched() {
    let mut server = SandboxConfig::new(SdkAppId::new(APP).unwrap(), KEY);
    server.auto_import = false;
    server.administrators = vec![UserId::parse("boss").unwrap()];
    let listen = ([127, 0, 0, 1], 0).into();
    let sandbox = Sandbox::spawn_thread(server, listen).unwrap();
    for at in 1..=150 {
        sandbox.import(&format!("a-{at}")).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "endpoint = \"{}\"\n[app]\nsdk_app_id = {APP}\nsecret_key = \"{KEY}\"\nadmin = \"boss\"\n\
         [[accounts]]\nuser_id = \"a-{{1..320}}\"\nbots = []\n",
        sandbox.url()
    );
    let path = config(&folder, &text);
    let run = |more: &[&str]| {
        let output = output(&[&["accounts", "import", &path], more].concat());
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (
            output.status.code(),
            text(output.stdout),
            text(output.stderr),
        )
    };
    let (code, out, err) = run(&["--dry-run"]);
    assert_eq!(code, Some(0), "{err}");
    assert!(
        out.starts_with("150 of 320 accounts are there\nto be made: a-151, "),
        "{out}"
    );
    assert!(out.ends_with("and 160 more\n"), "{out}");
    let (code, out, err) = run(&[]);
    assert_eq!(
        (code, &*out),
        (
            Some(0),
            "150 of 320 accounts are there\n170 accounts made\n"
        ),
        "{err}"
    );
    let (code, out, _) = run(&[]);
    assert_eq!((code, &*out), (Some(0), "320 of 320 accounts are there\n"));

    config(&folder, &text.replace(KEY, "another-key"));
    let (code, _, err) = run(&[]);
    assert_eq!(code, Some(1));
    assert!(err.contains("REST API refused"), "{err}");
    let path = config(&folder, &text.replace("admin = \"boss\"\n", ""));
    let wrong = output(&["accounts", "import", &path]);
    assert_eq!(wrong.status.code(), Some(64));
    assert!(
        String::from_utf8(wrong.stderr)
            .unwrap()
            .contains("set app.admin")
    );
    sandbox.shutdown();
}
