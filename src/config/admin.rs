//! `[admin]`: where the fleet can be watched and ordered over HTTP, and who may do that.

use std::{
    collections::BTreeMap,
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use super::{
    error::Problem,
    place::Place,
    read::{Node, Section},
};

/// `admin.ready_share`: a fleet is ready when all of it is online.
const READY_SHARE: f64 = 1.0;
/// The most tokens: each request compares with all of them.
const MAX_TOKENS: usize = 100;

/// `[admin]`: the HTTP API beyond the control socket, and the console.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AdminConfig {
    /// Where to listen; `None` for the control socket only.
    pub listen: Option<SocketAddr>,
    /// The certificate; without one only this machine can be listened to.
    pub tls: Option<AdminTlsConfig>,
    /// Who may ask and order; at least one when `listen` is set.
    pub tokens: Vec<AdminToken>,
    /// Accepted names in the header `Host`, besides `localhost` and addresses.
    pub hosts: Vec<String>,
    /// Origins of web pages that may use the API besides the console, `https://host[:port]`.
    pub origins: Vec<String>,
    /// The share of the enabled accounts that has to be online for `/readyz`; 0 to 1.
    pub ready_share: f64,
}

impl Default for AdminConfig {
    fn default() -> Self {
        Self {
            listen: None,
            tls: None,
            tokens: Vec::new(),
            hosts: Vec::new(),
            origins: Vec::new(),
            ready_share: READY_SHARE,
        }
    }
}

/// The PEM files of the admin server. Relative paths start where the config file is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AdminTlsConfig {
    /// The certificate and its chain.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Somebody who may use the API: `[[admin.tokens]]`.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AdminToken {
    /// A name for logs.
    pub name: String,
    /// The SHA-256 of the token.
    pub hash: [u8; 32],
    /// What it allows.
    pub scopes: Vec<AdminScope>,
    /// The accounts it is for.
    pub accounts: Vec<AccountGlob>,
}

impl fmt::Debug for AdminToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminToken")
            .field("name", &self.name)
            .field("scopes", &self.scopes)
            .field("accounts", &self.accounts)
            .finish_non_exhaustive()
    }
}

/// What a token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum AdminScope {
    /// To see how the fleet stands.
    Read,
    /// To give orders to accounts, their bots and letters.
    Operate,
    /// To send messages as an account.
    Send,
    /// Everything, and what changes the process itself.
    Admin,
}

impl AdminScope {
    /// Every scope with its name, as it is written.
    pub const NAMES: [(&'static str, Self); 4] = [
        ("read", Self::Read),
        ("operate", Self::Operate),
        ("send", Self::Send),
        ("admin", Self::Admin),
    ];

    /// The name, as it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Operate => "operate",
            Self::Send => "send",
            Self::Admin => "admin",
        }
    }
}

/// A pattern of UserIDs: `*` stands for any text, everything else for itself.
///
/// ```
/// use botroupe::config::AccountGlob;
///
/// let glob = AccountGlob::new("support-*");
/// assert!(glob.matches("support-07"));
/// assert!(!glob.matches("sales-07"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountGlob(String);

impl AccountGlob {
    /// Any text is a pattern.
    #[must_use]
    pub fn new(pattern: &str) -> Self {
        Self(pattern.to_owned())
    }

    /// Whether it stands for every account.
    #[must_use]
    pub fn is_all(&self) -> bool {
        !self.0.is_empty() && self.0.bytes().all(|byte| byte == b'*')
    }

    /// Whether it stands for this UserID. Takes at most the product of both lengths.
    #[must_use]
    pub fn matches(&self, user: &str) -> bool {
        let mut parts = self.0.split('*');
        let Some(mut rest) = parts.next().and_then(|first| user.strip_prefix(first)) else {
            return false;
        };
        let Some(last) = parts.next_back() else {
            return rest.is_empty();
        };
        for part in parts {
            match rest.find(part) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
        rest.ends_with(last)
    }
}

/// Reads `[admin]`.
pub(super) fn read(
    mut section: Section<'_>,
    places: &mut BTreeMap<&'static str, Place>,
) -> AdminConfig {
    let listen = section.get("listen").and_then(|node| {
        let text = node.word()?;
        let address: Option<SocketAddr> = text.parse().ok();
        if address.is_none() {
            node.report(Problem::Address { text });
        }
        Some((node, address?))
    });
    let tls_node = section.get("tls");
    if let Some(node) = &tls_node {
        places.insert("admin.tls", node.place());
    }
    let tls = tls_node
        .as_ref()
        .and_then(Node::section)
        .and_then(|tls| read_tls(tls));
    let tokens_node = section.get("tokens");
    let tokens = tokens_node.as_ref().map(read_tokens).unwrap_or_default();
    if let Some((node, address)) = &listen {
        let is_here = address.ip().to_canonical().is_loopback();
        if !is_here && tls_node.is_none() {
            node.report(unusable(
                "other machines can reach this address, and tokens would cross the network in the clear; \
                 add tls = { cert = \"FILE\", key = \"FILE\" }, or listen at 127.0.0.1",
            ));
        }
        if tokens_node.is_none() {
            node.report(unusable(
                "nobody may use it without a token; make one with `botroupe token new NAME` and add the lines that it prints",
            ));
        }
    }
    let config = AdminConfig {
        listen: listen.map(|(_, address)| address),
        tls,
        tokens,
        hosts: texts(&mut section, "hosts"),
        origins: origins(&mut section),
        ready_share: section.number("ready_share", READY_SHARE, (0.0, 1.0)),
    };
    section.finish();
    config
}

/// Paths are meant from the folder of the config.
pub(super) fn locate(config: &mut AdminConfig, folder: &Path) {
    if let Some(tls) = &mut config.tls {
        tls.cert = folder.join(&tls.cert);
        tls.key = folder.join(&tls.key);
    }
}

fn unusable(reason: &str) -> Problem {
    Problem::Unusable {
        reason: reason.to_owned(),
    }
}

fn read_tls(mut section: Section<'_>) -> Option<AdminTlsConfig> {
    let mut file = |key: &'static str| match section.get(key) {
        Some(node) => node.filled_text("name a PEM file").map(PathBuf::from),
        None => {
            section.missing(key, "name a PEM file; cert and key go together");
            None
        }
    };
    let (cert, key) = (file("cert"), file("key"));
    section.finish();
    Some(AdminTlsConfig {
        cert: cert?,
        key: key?,
    })
}

fn texts(section: &mut Section<'_>, key: &'static str) -> Vec<String> {
    let texts = section.get(key).and_then(|node| node.texts());
    let texts = texts.unwrap_or_default().into_iter();
    texts.map(|(_, text)| text).collect()
}

fn origins(section: &mut Section<'_>) -> Vec<String> {
    let texts = section.get("origins").and_then(|node| node.texts());
    let mut origins = Vec::new();
    for (node, text) in texts.unwrap_or_default() {
        let url = url::Url::parse(&text).ok();
        let fits = |url: &url::Url| {
            matches!(url.scheme(), "http" | "https")
                && url.host_str().is_some()
                && matches!(url.path(), "" | "/")
                && url.query().is_none()
        };
        match url.filter(fits) {
            Some(url) => origins.push(url.origin().ascii_serialization()),
            None => node.report(unusable(
                "not the origin of a web page; write for example \"https://ops.example.com\"",
            )),
        }
    }
    origins
}

fn read_tokens(node: &Node<'_>) -> Vec<AdminToken> {
    let mut tokens: Vec<AdminToken> = Vec::new();
    let sections = node.sections();
    if sections.is_empty() && node.is_list() {
        node.report(Problem::Empty {
            remedy: "make a token with `botroupe token new NAME`",
        });
    }
    if sections.len() > MAX_TOKENS {
        node.report(unusable("more than 100 tokens; give several people one"));
        return tokens;
    }
    for section in sections {
        let Some(token) = read_token(section, &tokens) else {
            continue;
        };
        tokens.push(token);
    }
    tokens
}

fn read_token(mut section: Section<'_>, others: &[AdminToken]) -> Option<AdminToken> {
    let name = match section.get("name") {
        Some(node) => {
            let name = node.filled_text("give the token a name");
            let known = |name: &String| others.iter().any(|other| other.name == *name);
            if name.as_ref().is_some_and(known) {
                node.report(unusable(
                    "another token has this name; give it one of its own",
                ));
            }
            name
        }
        None => {
            section.missing("name", "give the token a name");
            None
        }
    };
    let hash = match section.get("hash") {
        Some(node) => {
            let hash = node.text().and_then(|text| parse_hash(&text));
            if hash.is_none() {
                node.report(unusable(
                    "not a hash; `botroupe token new NAME` prints one, \"sha256:\" and 64 digits",
                ));
            }
            hash
        }
        None => {
            section.missing("hash", "make a token with `botroupe token new NAME`");
            None
        }
    };
    let scopes = match section.get("scopes") {
        Some(node) => read_scopes(&node),
        None => vec![AdminScope::Read],
    };
    let accounts = section.get("accounts").and_then(|node| {
        let texts = node.texts()?;
        if texts.is_empty() {
            node.report(Problem::Empty {
                remedy: "name accounts, with * for any text, or leave the key out for all",
            });
        }
        Some(texts)
    });
    let accounts = accounts.map_or_else(
        || vec![AccountGlob::new("*")],
        |texts| {
            texts
                .iter()
                .map(|(_, text)| AccountGlob::new(text))
                .collect()
        },
    );
    section.finish();
    Some(AdminToken {
        name: name?,
        hash: hash?,
        scopes,
        accounts,
    })
}

fn read_scopes(node: &Node<'_>) -> Vec<AdminScope> {
    let mut scopes = Vec::new();
    let texts = node.texts().unwrap_or_default();
    if texts.is_empty() {
        node.report(Problem::Empty {
            remedy: "name read, operate, send or admin",
        });
    }
    for (node, text) in texts {
        match AdminScope::NAMES.iter().find(|(name, _)| *name == text) {
            Some((_, scope)) => scopes.push(*scope),
            None => {
                node.unknown_name(
                    "scope",
                    &text,
                    AdminScope::NAMES.iter().map(|(name, _)| *name),
                );
            }
        }
    }
    scopes
}

/// The hash in `sha256:` and 64 hexadecimal digits.
fn parse_hash(text: &str) -> Option<[u8; 32]> {
    let digits = text.strip_prefix("sha256:")?;
    if digits.len() != 64 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut hash = [0; 32];
    for (at, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Sources};

    fn parse(admin: &str) -> Result<AdminConfig, String> {
        let text = format!(
            "[app]\nsdk_app_id = 1\nsecret_key = \"k\"\n[[accounts]]\nuser_id = \"a\"\nbots = []\n{admin}"
        );
        let config = Config::parse(Sources::new("c/config.toml", &text, &BTreeMap::new()));
        config
            .map(|config| config.admin)
            .map_err(|errors| errors.to_string())
    }

    const HASH: &str = "sha256:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    fn token(more: &str) -> String {
        format!("[[admin.tokens]]\nname = \"ops\"\nhash = \"{HASH}\"\n{more}\n")
    }

    #[test]
    fn without_a_section_nothing_listens() {
        let config = parse("").unwrap();
        assert_eq!(config, AdminConfig::default());
        assert_eq!((config.listen, config.ready_share), (None, 1.0));
    }

    #[test]
    fn a_whole_section_is_read() {
        let more = "scopes = [\"read\", \"operate\"]\naccounts = [\"shop-*\"]";
        let text = format!(
            "[admin]\nlisten = \"0.0.0.0:7070\"\ntls = {{ cert = \"c.pem\", key = \"/k.pem\" }}\nhosts = [\"ops.example\"]\n\
             origins = [\"https://ops.example/\"]\nready_share = 0.5\n{}",
            token(more)
        );
        let config = parse(&text).unwrap();
        let tls = config.tls.unwrap();
        assert_eq!(
            (tls.cert.to_str(), tls.key.to_str()),
            (Some("c/c.pem"), Some("/k.pem"))
        );
        assert_eq!(config.origins, ["https://ops.example"]);
        let token = &config.tokens[0];
        assert_eq!((token.hash[0], token.hash[31]), (0, 31));
        assert_eq!(token.scopes, [AdminScope::Read, AdminScope::Operate]);
        assert!(token.accounts[0].matches("shop-1"));
        assert!(!format!("{token:?}").contains("31"), "{token:?}");
    }

    #[test]
    fn what_is_open_or_nobodys_is_refused_with_a_remedy() {
        let listen = |at: &str| format!("[admin]\nlisten = \"{at}\"\n");
        for (text, says) in [
            (listen("127.0.0.1:7070"), "botroupe token new NAME"),
            (listen("0.0.0.0:7070") + &token(""), "add tls = {"),
            (listen("[::]:7070") + &token(""), "add tls = {"),
            (listen("7070") + &token(""), "not an address and a port"),
            (
                listen("127.0.0.1:1") + "tokens = []\n",
                "botroupe token new NAME",
            ),
            (
                "[admin]\ntls = { cert = \"a\" }\n".to_owned(),
                "admin.tls.key: missing",
            ),
            (
                "[admin]\norigins = [\"ops\"]\n".to_owned(),
                "not the origin",
            ),
            ("[admin]\nready_share = 1.5\n".to_owned(), "out of range"),
            (token("scopes = [\"write\"]"), "unknown scope \"write\""),
            (token("scopes = []"), "name read, operate"),
            (token("") + &token(""), "another token has this name"),
            (
                "[[admin.tokens]]\nname = \"a\"\nhash = \"secret-marker\"\n".to_owned(),
                "not a hash",
            ),
        ] {
            let errors = parse(&text).unwrap_err();
            assert!(errors.contains(says), "{text}: {errors}");
            assert!(!errors.contains("secret-marker"), "{errors}");
        }
        assert!(parse(&(listen("127.0.0.1:7070") + &token(""))).is_ok());
        assert!(parse(&(listen("[::1]:7070") + &token(""))).is_ok());
    }

    #[test]
    fn patterns_match_as_they_read() {
        for (pattern, user, fits) in [
            ("*", "a", true),
            ("*", "", true),
            ("a", "a", true),
            ("a", "ab", false),
            ("", "a", false),
            ("a*", "a", true),
            ("a*", "ba", false),
            ("*a", "ba", true),
            ("*a", "ab", false),
            ("a*c", "abc", true),
            ("a*a", "a", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("**", "x", true),
            ("客*", "客服", true),
        ] {
            assert_eq!(
                AccountGlob::new(pattern).matches(user),
                fits,
                "{pattern} {user}"
            );
        }
        assert!(AccountGlob::new("*").is_all() && !AccountGlob::new("a*").is_all());
        assert!(!AccountGlob::new("").is_all());
    }
}
