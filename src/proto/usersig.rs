//! UserSig: a signed credential with an expiry date that lets a UserID log in (TLSSigAPIv2).
//!
//! This module signs, parses and verifies; it does not decide when to renew. The format is text
//! lines signed with HMAC-SHA256, wrapped in JSON, zlib and a Base64 variant with three replaced
//! characters. See "UserSig" in `docs/src/protocol.md`.

use std::{fmt, io::Read};

use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::read::ZlibDecoder;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use thiserror::Error;

use super::{
    code::Code,
    id::{SdkAppId, UserId},
};

/// The maximum length of a UserSig that is parsed, in characters.
const MAX_TEXT: usize = 16 * 1024;
/// The maximum length of the JSON inside a UserSig, in bytes. A longer text counts as a
/// decompression bomb.
const MAX_JSON: u64 = 8 * 1024;

/// A UserSig in the encoding of the service. Its owner can log in, so `Debug` does not print it.
#[derive(Clone)]
pub struct UserSig(SecretString);

impl UserSig {
    /// Returns the text, for the head of a login request.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl From<String> for UserSig {
    fn from(text: String) -> Self {
        Self(SecretString::from(text))
    }
}

impl fmt::Debug for UserSig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserSig([redacted])")
    }
}

/// The claims inside a UserSig. They are only trustworthy after [`verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The UserID.
    pub user_id: String,
    /// The SDKAppID.
    pub sdk_app_id: u64,
    /// The time of issue, in Unix seconds.
    pub issued_at: u64,
    /// The validity in seconds, from [`issued_at`](Self::issued_at).
    pub lifetime: u64,
    /// The extra buffer of a PrivateMapKey, in the Base64 encoding of the UserSig.
    pub user_buf: Option<String>,
}

impl Claims {
    /// Returns the last Unix second in which the UserSig is valid.
    pub fn expires_at(&self) -> u64 {
        self.issued_at.saturating_add(self.lifetime)
    }
}

/// The reason why a UserSig is invalid. Each variant corresponds to a code of the service, see
/// [`UserSigError::code`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum UserSigError {
    /// The UserSig is empty.
    #[error("the UserSig is empty")]
    Empty,
    /// The text is truncated, in another Base64 variant, or not a UserSig.
    #[error("the UserSig cannot be read: {reason}")]
    Unreadable {
        /// The layer that could not be decoded.
        reason: &'static str,
    },
    /// Another SecretKey was used to sign, or the UserSig was changed after signing.
    #[error("the signature is invalid: it was made with another SecretKey")]
    Signature,
    /// The UserSig belongs to another account.
    #[error("the UserSig was made for the UserID {found:?}")]
    WrongUser {
        /// The UserID in the UserSig.
        found: String,
    },
    /// The UserSig belongs to another app.
    #[error("the UserSig was made for the SDKAppID {found}")]
    WrongApp {
        /// The SDKAppID in the UserSig.
        found: u64,
    },
    /// The UserSig has expired.
    #[error("the UserSig expired at {expired_at} (Unix seconds)")]
    Expired {
        /// The last Unix second in which the UserSig was valid.
        expired_at: u64,
    },
}

impl UserSigError {
    /// Returns the code with which the service rejects this UserSig.
    pub const fn code(&self) -> Code {
        match self {
            Self::Empty => Code::USERSIG_EMPTY,
            Self::Unreadable { .. } => Code::USERSIG_UNREADABLE,
            Self::Signature => Code::USERSIG_SIGNATURE,
            Self::WrongUser { .. } => Code::USERSIG_WRONG_USER,
            Self::WrongApp { .. } => Code::USERSIG_WRONG_APP,
            Self::Expired { .. } => Code::USERSIG_EXPIRED,
        }
    }
}

/// The JSON layer. Its keys have the order of the official signers.
#[derive(Serialize, Deserialize)]
struct Envelope {
    #[serde(rename = "TLS.ver")]
    version: String,
    #[serde(rename = "TLS.identifier")]
    user_id: String,
    #[serde(rename = "TLS.sdkappid")]
    sdk_app_id: u64,
    #[serde(rename = "TLS.time")]
    issued_at: u64,
    #[serde(rename = "TLS.expire")]
    lifetime: u64,
    #[serde(
        rename = "TLS.userbuf",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    user_buf: Option<String>,
    #[serde(rename = "TLS.sig")]
    signature: String,
}

impl Envelope {
    fn into_claims(self) -> Claims {
        Claims {
            user_id: self.user_id,
            sdk_app_id: self.sdk_app_id,
            issued_at: self.issued_at,
            lifetime: self.lifetime,
            user_buf: self.user_buf,
        }
    }

    /// Returns the MAC of the signed lines. It is not finalised, so that the caller can compare it
    /// in constant time.
    fn mac(&self, key: &SecretString) -> Hmac<Sha256> {
        let mut text = format!(
            "TLS.identifier:{}\nTLS.sdkappid:{}\nTLS.time:{}\nTLS.expire:{}\n",
            self.user_id, self.sdk_app_id, self.issued_at, self.lifetime
        );
        if let Some(buf) = &self.user_buf {
            text.push_str("TLS.userbuf:");
            text.push_str(buf);
            text.push('\n');
        }
        #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(key.expose_secret().as_bytes())
            .expect("HMAC takes keys of every length");
        mac.update(text.as_bytes());
        mac
    }
}

/// Creates a UserSig for `user` of `app`, valid from `issued_at` (Unix seconds) for `lifetime`
/// seconds. `key` is the SecretKey in the form that the console shows.
pub fn sign(
    app: SdkAppId,
    key: &SecretString,
    user: &UserId,
    issued_at: u64,
    lifetime: u64,
) -> UserSig {
    let mut envelope = Envelope {
        version: "2.0".to_owned(),
        user_id: user.as_str().to_owned(),
        sdk_app_id: u64::from(app.get()),
        issued_at,
        lifetime,
        user_buf: None,
        signature: String::new(),
    };
    envelope.signature = STANDARD.encode(envelope.mac(key).finalize().into_bytes());
    UserSig::from(pack(&envelope))
}

fn pack(envelope: &Envelope) -> String {
    #[expect(clippy::expect_used, reason = "strings and numbers cannot fail")]
    let json = serde_json::to_vec(envelope).expect("strings and numbers cannot fail");
    STANDARD
        .encode(zlib(&json))
        .chars()
        .map(|c| match c {
            '+' => '*',
            '/' => '-',
            '=' => '_',
            other => other,
        })
        .collect()
}

/// Wraps bytes in zlib (RFC 1950) without compressing them. Most of a UserSig is a signature and numbers, which
/// shrink by a few bytes, and a compressor zeroes 300 KB before it begins: several times the work of all the rest.
fn zlib(bytes: &[u8]) -> Vec<u8> {
    // The header that a compressor at its usual level writes.
    let mut out = vec![0x78, 0x9c];
    out.reserve(bytes.len() + 16);
    let mut rest = bytes;
    loop {
        let (block, behind) = rest.split_at(rest.len().min(usize::from(u16::MAX)));
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        // A stored block (RFC 1951, 3.2.4), the last one or not.
        out.push(u8::from(behind.is_empty()));
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&(!length).to_le_bytes());
        out.extend_from_slice(block);
        rest = behind;
        if rest.is_empty() {
            break;
        }
    }
    out.extend_from_slice(&adler32(bytes).to_be_bytes());
    out
}

fn adler32(bytes: &[u8]) -> u32 {
    let (mut a, mut b) = (1_u32, 0_u32);
    // After so many bytes the sums may not fit any more.
    for chunk in bytes.chunks(5552) {
        for byte in chunk {
            a += u32::from(*byte);
            b += a;
        }
        (a, b) = (a % 65_521, b % 65_521);
    }
    (b << 16) | a
}

/// Parses a UserSig without checking its signature.
///
/// # Errors
/// [`UserSigError::Empty`] or [`UserSigError::Unreadable`].
pub fn inspect(sig: &str) -> Result<Claims, UserSigError> {
    unpack(sig).map(Envelope::into_claims)
}

/// Parses a UserSig and verifies that it lets `user` log in to `app` at `now_unix` (Unix seconds).
///
/// # Errors
/// Returns a [`UserSigError`]. The checks run in this order: empty, unreadable, wrong user, wrong
/// app, signature, expired.
pub fn verify(
    sig: &str,
    app: SdkAppId,
    key: &SecretString,
    user: &UserId,
    now_unix: u64,
) -> Result<Claims, UserSigError> {
    let envelope = unpack(sig)?;
    if envelope.user_id != user.as_str() {
        return Err(UserSigError::WrongUser {
            found: envelope.user_id,
        });
    }
    if envelope.sdk_app_id != u64::from(app.get()) {
        return Err(UserSigError::WrongApp {
            found: envelope.sdk_app_id,
        });
    }
    let signature = STANDARD
        .decode(&envelope.signature)
        .map_err(|_| UserSigError::Unreadable {
            reason: "its signature is not Base64",
        })?;
    envelope
        .mac(key)
        .verify_slice(&signature)
        .map_err(|_| UserSigError::Signature)?;
    let claims = envelope.into_claims();
    if claims.expires_at() < now_unix {
        return Err(UserSigError::Expired {
            expired_at: claims.expires_at(),
        });
    }
    Ok(claims)
}

fn unpack(sig: &str) -> Result<Envelope, UserSigError> {
    let unreadable = |reason| UserSigError::Unreadable { reason };
    if sig.is_empty() {
        return Err(UserSigError::Empty);
    }
    if sig.len() > MAX_TEXT {
        return Err(unreadable("it is too long"));
    }
    let base64: String = sig
        .chars()
        .map(|c| match c {
            '*' => '+',
            '-' => '/',
            '_' => '=',
            // The plain characters belong to another Base64 variant; '\0' makes the decoder reject
            // them.
            '+' | '/' | '=' => '\0',
            other => other,
        })
        .collect();
    let packed = STANDARD
        .decode(base64)
        .map_err(|_| unreadable("it is cut off, or not in the Base64 variant of UserSigs"))?;
    let mut json = Vec::new();
    ZlibDecoder::new(packed.as_slice())
        .take(MAX_JSON + 1)
        .read_to_end(&mut json)
        .map_err(|_| unreadable("it cannot be decompressed; it may be cut off"))?;
    if json.len() as u64 > MAX_JSON {
        return Err(unreadable(
            "it decompresses to far more than a UserSig holds",
        ));
    }
    let envelope: Envelope = serde_json::from_slice(&json)
        .map_err(|_| unreadable("it does not contain a UserSig of version 2.0"))?;
    if envelope.version != "2.0" {
        return Err(unreadable("its version is not 2.0"));
    }
    Ok(envelope)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::ZlibEncoder};
    use serde_json::Value;

    use super::*;

    fn vectors() -> Vec<Value> {
        let text = include_str!("../../tests/fixtures/usersig_vectors.json");
        let file: Value = serde_json::from_str(text).unwrap();
        file["vectors"].as_array().unwrap().clone()
    }

    fn app(number: u32) -> SdkAppId {
        SdkAppId::new(number).unwrap()
    }

    fn alice() -> UserId {
        UserId::parse("alice").unwrap()
    }

    fn key() -> SecretString {
        SecretString::from("a1b2c3d4e5f60718293a4b5c6d7e8f90112233445566778899aabbccddeeff00")
    }

    fn pack_json(json: &[u8]) -> String {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(json).unwrap();
        STANDARD
            .encode(encoder.finish().unwrap())
            .replace('+', "*")
            .replace('/', "-")
            .replace('=', "_")
    }

    #[test]
    fn official_vectors_are_reproduced_and_accepted() {
        let mut checked = 0;
        for vector in vectors() {
            let Some(key) = vector["key"].as_str() else {
                continue;
            };
            let key = SecretString::from(key);
            let app = app(u32::try_from(vector["sdkappid"].as_u64().unwrap()).unwrap());
            let user = UserId::parse(vector["userID"].as_str().unwrap()).unwrap();
            let (time, expire) = (
                vector["time"].as_u64().unwrap(),
                vector["expire"].as_u64().unwrap(),
            );
            let ours = sign(app, &key, &user, time, expire);
            let envelope = unpack(ours.expose()).unwrap();
            assert_eq!(envelope.signature, vector["hmac_base64"].as_str().unwrap());
            assert_eq!(
                serde_json::to_string(&envelope).unwrap(),
                vector["json"].as_str().unwrap(),
                "same JSON, key by key"
            );
            let theirs = vector["userSig"].as_str().unwrap();
            let claims = verify(theirs, app, &key, &user, time).unwrap();
            assert_eq!(claims.expires_at(), time + expire);
            assert_eq!(
                verify(ours.expose(), app, &key, &user, time + expire),
                Ok(claims)
            );
            checked += 1;
        }
        assert_eq!(checked, 3);
    }

    #[test]
    fn what_is_wrapped_comes_out_of_every_inflater() {
        for length in [0, 1, 200, 5_552, 5_553, 65_535, 65_536, 200_000] {
            let bytes: Vec<u8> = (0..length).map(|at| (at * 7 % 251 + 4) as u8).collect();
            let mut back = Vec::new();
            let wrapped = zlib(&bytes);
            // Reads the checksum too.
            let mut decoder = ZlibDecoder::new(&wrapped[..]);
            decoder.read_to_end(&mut back).unwrap();
            assert_eq!(back, bytes, "{length}");
            let mut broken = zlib(&bytes);
            *broken.last_mut().unwrap() ^= 1;
            ZlibDecoder::new(&broken[..])
                .read_to_end(&mut Vec::new())
                .unwrap_err();
        }
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
        let ours = sign(app(1), &key(), &alice(), 1000, 60);
        assert!(
            ours.expose().starts_with("eJw"),
            "as those of other signers"
        );
    }

    #[test]
    fn the_user_buffer_is_part_of_what_is_signed() {
        let vector = vectors().pop().unwrap();
        let sig = vector["userSig"].as_str().unwrap();
        let claims = verify(sig, app(1_400_000_001), &key(), &alice(), 1_700_000_300).unwrap();
        assert_eq!(
            claims.user_buf.as_deref(),
            Some("AAAFYWxpY2VTck4BAAAE0mVT8iwAAAD/AAAAAA==")
        );
        let stripped = vector["json"].as_str().unwrap().replace(
            "\"TLS.userbuf\":\"AAAFYWxpY2VTck4BAAAE0mVT8iwAAAD/AAAAAA==\",",
            "",
        );
        assert_eq!(
            verify(
                &pack_json(stripped.as_bytes()),
                app(1_400_000_001),
                &key(),
                &alice(),
                1_700_000_000
            ),
            Err(UserSigError::Signature)
        );
    }

    #[test]
    fn each_refusal_has_its_code() {
        let (app1, key) = (app(1_400_000_001), key());
        let good = sign(app1, &key, &alice(), 1000, 60);
        let bob = UserId::parse("bob").unwrap();
        let other = SecretString::from("another key");
        let check = |sig: &str, app, key: &SecretString, user: &UserId, now| {
            verify(sig, app, key, user, now).map_err(|e| e.code().0)
        };
        assert_eq!(
            check(good.expose(), app1, &key, &alice(), 1060).map(|_| ()),
            Ok(())
        );
        assert_eq!(check(good.expose(), app1, &key, &alice(), 1061), Err(70001));
        assert_eq!(check("", app1, &key, &alice(), 1000), Err(70002));
        assert_eq!(check("not a sig", app1, &key, &alice(), 1000), Err(70003));
        assert_eq!(
            check(good.expose(), app1, &other, &alice(), 1000),
            Err(70009)
        );
        assert_eq!(check(good.expose(), app1, &key, &bob, 1000), Err(70013));
        assert_eq!(
            check(good.expose(), app(7), &key, &alice(), 1000),
            Err(70014)
        );
    }

    #[test]
    fn unreadable_ones_say_why() {
        let good = sign(app(1), &key(), &alice(), 1000, 60);
        let cut = &good.expose()[..good.expose().len() - 8];
        for (sig, part) in [
            (cut, "cut off"),
            (
                &good
                    .expose()
                    .replace('*', "+")
                    .replace('-', "/")
                    .replace('_', "="),
                "variant",
            ),
            (&pack_json(b"{}"), "not contain a UserSig"),
            (&pack_json(&[b' '; 1_000_000]), "far more"),
            (&"A".repeat(MAX_TEXT + 4), "too long"),
            (&"e".repeat(64), "decompress"),
        ] {
            let error = inspect(sig).unwrap_err();
            assert!(
                error.to_string().contains(part),
                "{error} should mention {part}"
            );
        }
    }

    #[test]
    fn nothing_secret_is_printed() {
        let sig = sign(app(1), &key(), &alice(), 1000, 60);
        assert_eq!(format!("{sig:?}"), "UserSig([redacted])");
    }

    #[test]
    fn the_far_end_of_time_does_not_overflow() {
        let sig = sign(app(1), &key(), &alice(), u64::MAX, u64::MAX);
        let claims = verify(sig.expose(), app(1), &key(), &alice(), u64::MAX).unwrap();
        assert_eq!(claims.expires_at(), u64::MAX);
    }
}
