//! `botroupe usersig`: makes, reads and checks UserSigs without a server.

use std::io::{Read, Write};

use secrecy::{ExposeSecret, SecretString};

use super::{
    args::{KeyArgs, UsersigCommand, WhoArgs},
    env::SECRET_KEY,
    exit::Failure,
};
use crate::account::Clock;
use crate::{
    config::{Env, format_duration},
    proto::{
        endpoint::Site,
        id::SdkAppId,
        usersig::{self, Claims},
    },
};

/// The longest text read from standard input, in bytes; a UserSig has some hundred.
const MAX_INPUT: u64 = 64 * 1024;

/// Carries out `command`. `now_unix` is the wall clock in Unix seconds; `input` stands for standard input and
/// `out` for standard output.
///
/// # Errors
/// [`Failure::Usage`] without a key, [`Failure::Runtime`] for a UserSig that is refused.
pub(super) fn usersig(
    command: UsersigCommand,
    env: &dyn Env,
    now_unix: u64,
    input: &mut dyn Read,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    match command {
        UsersigCommand::Sign { who, expire, time } => {
            let key = secret_key(&who.key, env)?;
            let WhoArgs {
                sdk_app_id,
                user_id,
                ..
            } = who;
            let issued_at = time.unwrap_or(now_unix);
            let sig = usersig::sign(sdk_app_id, &key, &user_id, issued_at, expire.as_secs());
            writeln!(out, "{}", sig.expose()).map_err(Failure::Output)
        }
        UsersigCommand::Inspect { sig } => {
            let sig = sig_text(sig, input)?;
            let claims = usersig::inspect(sig.expose_secret()).map_err(refused)?;
            out.write_all(describe(&claims, now_unix).as_bytes())
                .map_err(Failure::Output)
        }
        UsersigCommand::Verify { who, time, sig } => {
            let key = secret_key(&who.key, env)?;
            let sig = sig_text(sig, input)?;
            let now = time.unwrap_or(now_unix);
            let claims =
                usersig::verify(sig.expose_secret(), who.sdk_app_id, &key, &who.user_id, now)
                    .map_err(refused)?;
            let end = when(claims.expires_at(), now);
            writeln!(out, "valid: lets {} in, {end}", who.user_id).map_err(Failure::Output)
        }
    }
}

/// The SecretKey from the command line, or else from the environment.
///
/// # Errors
/// [`Failure::Usage`] if it is in neither, or empty.
pub(super) fn secret_key(args: &KeyArgs, env: &dyn Env) -> Result<SecretString, Failure> {
    args.secret_key
        .clone()
        .or_else(|| env.get(SECRET_KEY).map(SecretString::from))
        .filter(|key| !key.expose_secret().is_empty())
        .ok_or_else(|| {
            Failure::Usage(format!(
                "the SecretKey is missing: set the environment variable {SECRET_KEY}, or give --secret-key"
            ))
        })
}

fn refused(error: usersig::UserSigError) -> Failure {
    Failure::Runtime(error.into())
}

/// The UserSig itself; `-` stands for standard input.
fn sig_text(sig: SecretString, input: &mut dyn Read) -> Result<SecretString, Failure> {
    if sig.expose_secret() != "-" {
        return Ok(sig);
    }
    let mut text = String::new();
    input
        .take(MAX_INPUT)
        .read_to_string(&mut text)
        .map_err(|error| Failure::Runtime(format!("standard input: {error}").into()))?;
    Ok(SecretString::from(text.trim()))
}

fn describe(claims: &Claims, now: u64) -> String {
    let app = u32::try_from(claims.sdk_app_id)
        .ok()
        .and_then(|number| SdkAppId::new(number).ok())
        .map_or_else(
            || format!("{} (not an SDKAppID)", claims.sdk_app_id),
            |app| format!("{} ({})", app.get(), Site::of(app).name()),
        );
    let lifetime = format_duration(std::time::Duration::from_secs(claims.lifetime));
    let mut lines = vec![
        format!("user_id     {:?}", claims.user_id),
        format!("sdk_app_id  {app}"),
        format!("issued      {}", date(claims.issued_at)),
        format!("lifetime    {lifetime}"),
        format!("expires     {}", date(claims.expires_at())),
        format!("state       {}", when(claims.expires_at(), now)),
    ];
    if claims.issued_at > now {
        lines.push("note        it was issued in the future; is a clock wrong?".to_owned());
    }
    if let Some(buf) = &claims.user_buf {
        lines.push(format!("userbuf     {} characters of Base64", buf.len()));
    }
    lines.push("signature   not checked; `botroupe usersig verify` does".to_owned());
    lines.join("\n") + "\n"
}

/// The remaining lifetime, seen from `now`.
fn when(expires_at: u64, now: u64) -> String {
    let rest = std::time::Duration::from_secs(expires_at.abs_diff(now));
    if expires_at < now {
        format!("expired {} ago", format_duration(rest))
    } else {
        format!("expires in {}", format_duration(rest))
    }
}

/// A Unix time for people, with the number behind it.
fn date(unix: u64) -> String {
    let clock = Clock(unix).to_string();
    format!("{} UTC ({unix})", clock.trim_end_matches('Z'))
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, ffi::OsString};

    use super::{
        super::args::{Args, Command},
        *,
    };

    const NOW: u64 = 1_700_000_000;

    fn run(line: &str, input: &str, env: &[(&str, &str)]) -> Result<String, Failure> {
        let words = std::iter::once("botroupe").chain(line.split_whitespace());
        let Command::Usersig(command) = Args::read(words.map(OsString::from))
            .unwrap()
            .into_command()
        else {
            panic!("not usersig: {line}");
        };
        let env: BTreeMap<String, String> = env
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let mut out = Vec::new();
        usersig(command, &env, NOW, &mut input.as_bytes(), &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    const WHO: &str = "--sdk-app-id 1400000001 --user-id alice";
    const KEY: &[(&str, &str)] = &[(SECRET_KEY, "s3cr3t")];

    #[test]
    fn what_is_signed_is_accepted_and_nothing_else() {
        let sig = run(&format!("usersig sign {WHO} --expire 1d"), "", KEY).unwrap();
        let verify = format!("usersig verify {WHO}");
        let said = run(&format!("{verify} {sig}"), "", KEY).unwrap();
        assert_eq!(said, "valid: lets alice in, expires in 1d\n");
        run(&format!("{verify} -"), &sig, KEY).unwrap();
        run(&format!("{verify} - --secret-key s3cr3t"), &sig, &[]).unwrap();
        for (line, env, expected) in [
            (
                format!("{verify} -"),
                &[(SECRET_KEY, "other")][..],
                "another SecretKey",
            ),
            (
                format!("{verify} - --secret-key x"),
                KEY,
                "another SecretKey",
            ),
            (format!("{verify} - --time 1700086401"), KEY, "expired"),
            (
                "usersig verify --sdk-app-id 1 --user-id alice -".to_owned(),
                KEY,
                "SDKAppID 1400000001",
            ),
            (
                "usersig verify --sdk-app-id 1400000001 --user-id bob -".to_owned(),
                KEY,
                "UserID \"alice\"",
            ),
        ] {
            let failure = run(&line, &sig, env).unwrap_err();
            assert_eq!(failure.code(), Some(1));
            assert!(failure.to_string().contains(expected), "{line}: {failure}");
        }
    }

    #[test]
    fn the_key_comes_from_the_environment_or_is_asked_for() {
        for env in [&[][..], &[(SECRET_KEY, "")]] {
            let failure = run(&format!("usersig sign {WHO}"), "", env).unwrap_err();
            assert_eq!(failure.code(), Some(64));
            assert!(
                failure.to_string().contains("BOTROUPE_SECRET_KEY"),
                "{failure}"
            );
        }
    }

    #[test]
    fn inspect_describes_a_recorded_one() {
        let sig = "eJw1yUELgjAYxvHv8p5DtpItBh3sYIHVpTCvY3uV17KGTguj7x44e27P7-*By*EcDdiCgmXEYDF9svjwVNLE*k4G59DZm3aOLCgeszAeiqcGQXE5KwuKb0ctglqL*E8dVaAgMeNIg9gWMhfFLk91VvnmJK-7rE*PLnHG2RWW9bN-mQ18f5FvMWM_";
        assert_eq!(
            run(&format!("usersig inspect {sig}"), "", &[]).unwrap(),
            "user_id     \"alice\"\n\
             sdk_app_id  1400000001 (china)\n\
             issued      2023-11-14 22:13:20 UTC (1700000000)\n\
             lifetime    1d\n\
             expires     2023-11-15 22:13:20 UTC (1700086400)\n\
             state       expires in 1d\n\
             signature   not checked; `botroupe usersig verify` does\n"
        );
        let failure = run("usersig inspect s3cr3t", "", &[]).unwrap_err();
        assert_eq!(failure.code(), Some(1));
        assert!(!failure.to_string().contains("s3cr3t"), "{failure}");
    }

    #[test]
    fn dates() {
        for (unix, expected) in [
            (0, "1970-01-01 00:00:00 UTC (0)"),
            (951_782_400, "2000-02-29 00:00:00 UTC (951782400)"),
            (4_107_542_399, "2100-02-28 23:59:59 UTC (4107542399)"),
            (1_735_689_599, "2024-12-31 23:59:59 UTC (1735689599)"),
        ] {
            assert_eq!(date(unix), expected);
        }
        assert!(date(u64::MAX).contains("18446744073709551615"));
        assert_eq!(when(u64::MAX, 0).split(' ').next(), Some("expires"));
    }
}
