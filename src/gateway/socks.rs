//! A connection through a SOCKS 5 proxy (RFC 1928), with or without a password (RFC 1929).

use secrecy::{ExposeSecret, SecretString};
use std::io;
use std::net::SocketAddr;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

const VERSION: u8 = 5;
const NO_LOGIN: u8 = 0;
const PASSWORD: u8 = 2;
const NONE_OF_THEM: u8 = 0xff;
const CONNECT: u8 = 1;

/// Where the proxy is to connect to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target<'a> {
    /// An address.
    Address(SocketAddr),
    /// A name that the proxy resolves.
    Name(&'a str, u16),
}

/// Opens a way to `target` on a connection to the proxy, and reads nothing of what comes behind it. Errors tell
/// what the proxy did, not its address.
pub(super) async fn open_way<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    target: Target<'_>,
    login: Option<(&SecretString, &SecretString)>,
) -> io::Result<()> {
    negotiate(stream, login).await?;
    stream.write_all(&request(target)?).await.map_err(broken)?;
    let [version, answer, _, kind] = read(stream).await?;
    if version != VERSION {
        return Err(no_socks());
    }
    if answer != 0 {
        let reason = reason(answer);
        return Err(io::Error::other(format!(
            "refuses a way to {}: {reason}",
            shown(target)
        )));
    }
    // The address it connects from, which is of no use.
    let length = match kind {
        1 => 4,
        3 => usize::from(read::<1, _>(stream).await?[0]),
        4 => 16,
        _ => return Err(no_socks()),
    };
    let mut rest = [0; 255 + 2];
    let rest = &mut rest[..length + 2];
    stream.read_exact(rest).await.map(drop).map_err(broken)
}

async fn negotiate<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    login: Option<(&SecretString, &SecretString)>,
) -> io::Result<()> {
    let methods: &[u8] = match login {
        None => &[VERSION, 1, NO_LOGIN],
        Some(_) => &[VERSION, 2, NO_LOGIN, PASSWORD],
    };
    stream.write_all(methods).await.map_err(broken)?;
    let [version, method] = read(stream).await?;
    match (version, method, login) {
        (VERSION, NO_LOGIN, _) => Ok(()),
        (VERSION, PASSWORD, Some((user, password))) => {
            let mut words = vec![1];
            for word in [user, password] {
                let word = word.expose_secret().as_bytes();
                words.push(length(word)?);
                words.extend_from_slice(word);
            }
            stream.write_all(&words).await.map_err(broken)?;
            match read(stream).await? {
                [1, 0] => Ok(()),
                [1, _] => Err(io::Error::other(
                    "refuses the login; mend the user or the password in [proxy] url or in the account's proxy",
                )),
                _ => Err(no_socks()),
            }
        }
        (VERSION, NONE_OF_THEM, None) => Err(io::Error::other(
            "wants a user and a password, which belong into [proxy] url or into the account's proxy",
        )),
        (VERSION, NONE_OF_THEM, Some(_)) => Err(io::Error::other("takes no password")),
        _ => Err(no_socks()),
    }
}

fn request(target: Target<'_>) -> io::Result<Vec<u8>> {
    let mut request = vec![VERSION, CONNECT, 0];
    let port = match target {
        Target::Address(SocketAddr::V4(address)) => {
            request.push(1);
            request.extend_from_slice(&address.ip().octets());
            address.port()
        }
        Target::Address(SocketAddr::V6(address)) => {
            request.push(4);
            request.extend_from_slice(&address.ip().octets());
            address.port()
        }
        Target::Name(name, port) => {
            request.push(3);
            request.push(length(name.as_bytes())?);
            request.extend_from_slice(name.as_bytes());
            port
        }
    };
    request.extend_from_slice(&port.to_be_bytes());
    Ok(request)
}

fn length(word: &[u8]) -> io::Result<u8> {
    u8::try_from(word.len())
        .map_err(|_| io::Error::other("cannot be told a name of over 255 bytes"))
}

async fn read<const N: usize, S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).await.map_err(broken)?;
    Ok(bytes)
}

#[expect(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
fn broken(error: io::Error) -> io::Error {
    io::Error::other(format!("broke off: {error}"))
}

fn no_socks() -> io::Error {
    io::Error::other("does not answer in SOCKS 5")
}

fn shown(target: Target<'_>) -> String {
    match target {
        Target::Address(address) => address.to_string(),
        Target::Name(name, port) => format!("{name}:{port}"),
    }
}

/// What the proxy's word for a refusal means.
fn reason(answer: u8) -> String {
    let words = match answer {
        1 => "it failed",
        2 => "its rules do not allow it",
        3 => "the network cannot be reached",
        4 => "the host cannot be reached, or has no address",
        5 => "the connection was refused",
        6 => "it took too long",
        7 => "it cannot connect",
        8 => "it knows no addresses of this kind",
        other => return format!("code {other}"),
    };
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::duplex;

    /// Lets a proxy say these things, whatever it is told. Returns what it was told, too.
    async fn talk(
        answer: &[u8],
        target: Target<'_>,
        login: Option<(&str, &str)>,
    ) -> (Result<Vec<u8>, String>, Vec<u8>) {
        let (mut ours, mut theirs) = duplex(4096);
        theirs.write_all(answer).await.unwrap();
        theirs.shutdown().await.unwrap();
        let login =
            login.map(|(user, password)| (SecretString::from(user), SecretString::from(password)));
        let login = login.as_ref().map(|(user, password)| (user, password));
        let outcome = open_way(&mut ours, target, login).await;
        let outcome = match outcome {
            Ok(()) => {
                let mut behind = Vec::new();
                ours.read_to_end(&mut behind).await.unwrap();
                Ok(behind)
            }
            Err(error) => Err(error.to_string()),
        };
        drop(ours);
        let mut told = Vec::new();
        theirs.read_to_end(&mut told).await.unwrap();
        (outcome, told)
    }

    const NAME: Target<'_> = Target::Name("h.example", 443);
    const YES: &[u8] = &[5, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0];

    #[tokio::test]
    async fn a_way_is_opened_and_what_comes_behind_it_is_left() {
        let behind = [YES, b"words"].concat();
        let (outcome, told) = talk(&behind, NAME, None).await;
        assert_eq!(outcome.unwrap(), b"words");
        assert_eq!(told, b"\x05\x01\x00\x05\x01\x00\x03\x09h.example\x01\xbb");
        let (outcome, told) = talk(
            &[&[5, 2, 1, 0][..], &YES[2..]].concat(),
            Target::Address("[2001:db8::7]:80".parse().unwrap()),
            Some(("user", "secret")),
        )
        .await;
        outcome.unwrap();
        assert!(told.starts_with(
            b"\x05\x02\x00\x02\x01\x04user\x06secret\x05\x01\x00\x04\x20\x01\x0d\xb8"
        ));
        // Without need the password is not told.
        let address = Target::Address("192.0.2.1:80".parse().unwrap());
        let (outcome, told) = talk(YES, address, Some(("user", "secret"))).await;
        outcome.unwrap();
        assert_eq!(
            told,
            b"\x05\x02\x00\x02\x05\x01\x00\x01\xc0\x00\x02\x01\x00\x50"
        );
        // Whatever address it says it has.
        for (kind, length) in [(1, 4), (4, 16)] {
            let answer = [&[5, 0, 5, 0, 0, kind][..], &vec![7; length + 2], b"x"].concat();
            assert_eq!(talk(&answer, NAME, None).await.0.unwrap(), b"x");
        }
        let answer = [&[5, 0, 5, 0, 0, 3, 255][..], &[7; 257], b"x"].concat();
        assert_eq!(talk(&answer, NAME, None).await.0.unwrap(), b"x");
    }

    #[tokio::test]
    async fn what_is_no_way_is_refused() {
        let login = Some(("user", "geheim"));
        type Row<'a> = (&'a [u8], Option<(&'a str, &'a str)>, &'a str);
        let rows: [Row<'_>; 14] = [
            (b"", None, "broke off"),
            (b"HTTP/1.1 400 Bad Request", None, "SOCKS 5"),
            (&[4, 0], None, "SOCKS 5"),
            (&[5, 0xff], None, "wants a user and a password"),
            (&[5, 0xff], login, "takes no password"),
            // It chooses what was not offered.
            (&[5, 2], None, "SOCKS 5"),
            (&[5, 1], login, "SOCKS 5"),
            (&[5, 2, 1, 1], login, "mend the user or the password"),
            (&[5, 2, 5, 0], login, "SOCKS 5"),
            (
                &[5, 0, 5, 5, 0, 1, 0, 0, 0, 0, 0, 0],
                None,
                "h.example:443: the connection was refused",
            ),
            (&[5, 0, 5, 99, 0, 1], None, "code 99"),
            (&[5, 0, 4, 0, 0, 1], None, "SOCKS 5"),
            (&[5, 0, 5, 0, 0, 2, 0, 0], None, "SOCKS 5"),
            (&[5, 0, 5, 0, 0, 3, 200, 1, 2], None, "broke off"),
        ];
        for (answer, login, words) in rows {
            let said = talk(answer, NAME, login).await.0.unwrap_err();
            assert!(
                said.contains(words) && !said.contains("geheim"),
                "{said} for {answer:?}"
            );
        }
        for cut in 0..YES.len() {
            talk(&YES[..cut], NAME, None).await.0.unwrap_err();
        }
        let long = "x".repeat(256);
        talk(YES, Target::Name(&long, 1), None).await.0.unwrap_err();
    }

    proptest::proptest! {
        #[test]
        fn no_answer_is_too_odd(mut bytes: Vec<u8>, begins in 0..=YES.len(), has_login: bool) {
            bytes.splice(0..0, YES[..begins].iter().copied());
            let login = has_login.then_some(("user", "geheim"));
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            if let (Err(said), _) = runtime.block_on(talk(&bytes, NAME, login)) {
                assert!(!said.contains("geheim"), "{said}");
            }
        }
    }
}
