//! The addresses that files may be downloaded from.
//!
//! The sender of a message chooses the address of its file. If every address were allowed, strangers could
//! reach what only this machine can reach: its own services, its network, the metadata of a cloud.

use url::{Host, Url};

/// The domains on which the service keeps files.
const SERVICE: &[&str] = &[
    "myqcloud.com",
    "qcloud.com",
    "tencentcos.cn",
    "tencentcos.com",
];

/// The addresses that a bot may download from.
#[derive(Clone, Debug, Default)]
pub struct FileAccess {
    /// The server of the account, when it keeps files itself: a sandbox.
    own: Option<(String, u16)>,
    /// Further hosts, with their subdomains.
    hosts: Vec<String>,
    anywhere: bool,
}

/// How an address is resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Without a check.
    Open,
    /// To addresses of the public internet only; checked when the name is resolved.
    Public,
}

/// Why an address is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Forbidden {
    /// The part of the address that may be shown.
    pub(super) place: String,
    /// The method of `Bot` that would allow the address.
    pub(super) remedy: &'static str,
}

/// The remedy for names.
const NAME: &str = "; a bot may ask for it with `Bot::files_from`";
/// The remedy for IP addresses and names of this machine, for which `files_from` does not help.
const ADDRESS: &str = "; only a bot that asks for it with `Bot::files_from_anywhere` fetches from \
     addresses and from this machine: whoever writes to it decides from where";

impl FileAccess {
    /// The file hosts of the service, and the server at `origin` (`ws://host:port`) if it is no part of it.
    #[must_use]
    pub fn new(origin: Option<&str>) -> Self {
        let own = origin.and_then(|origin| {
            let url = Url::parse(origin).ok()?;
            let port = url.port_or_known_default()?;
            Some((url.host_str()?.to_owned(), port))
        });
        Self {
            own,
            ..Self::default()
        }
    }

    /// Adds the hosts that a bot asks for.
    #[must_use]
    pub(super) fn with(mut self, hosts: &[String], anywhere: bool) -> Self {
        self.hosts.extend_from_slice(hosts);
        self.anywhere |= anywhere;
        self
    }

    /// How the address `text` is resolved, or why it is refused.
    pub(super) fn way(&self, text: &str) -> Result<Way, Forbidden> {
        let Ok(url) = Url::parse(text) else {
            return Err(Forbidden {
                place: "an address that is none".to_owned(),
                remedy: "",
            });
        };
        let shown = format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default());
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Forbidden {
                place: shown,
                remedy: "",
            });
        }
        if self.anywhere || self.is_own(&url) {
            return Ok(Way::Open);
        }
        let is_allowed = match url.host() {
            Some(Host::Domain(name)) => {
                let hosts = self.hosts.iter().map(String::as_str);
                SERVICE
                    .iter()
                    .copied()
                    .chain(hosts)
                    .any(|host| is_below(name, host))
            }
            Some(Host::Ipv4(_) | Host::Ipv6(_)) | None => false,
        };
        if is_allowed {
            Ok(Way::Public)
        } else {
            let is_name = matches!(url.host(), Some(Host::Domain(name)) if !is_loopback(name));
            Err(Forbidden {
                place: shown,
                remedy: if is_name { NAME } else { ADDRESS },
            })
        }
    }

    fn is_own(&self, url: &Url) -> bool {
        let (Some((host, port)), Some(named)) = (&self.own, url.host_str()) else {
            return false;
        };
        let is_same = named == host || (is_loopback(named) && is_loopback(host));
        is_same && url.port_or_known_default() == Some(*port)
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host == "127.0.0.1" || host == "[::1]"
}

fn is_below(name: &str, host: &str) -> bool {
    let host = host.trim_start_matches('.').to_ascii_lowercase();
    name == host
        || name
            .strip_suffix(&host)
            .is_some_and(|rest| !host.is_empty() && rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e1_files_come_from_the_service_and_from_nowhere_else() {
        let access = FileAccess::new(None);
        for url in [
            "https://cos.ap-shanghai.myqcloud.com/x/y.png",
            "http://1400000001-cos.im.qcloud.com/file?sign=1",
        ] {
            assert_eq!(access.way(url), Ok(Way::Public), "{url}");
        }
        for url in [
            "http://127.0.0.1/latest/meta-data/iam",
            "http://169.254.169.254/latest/meta-data/",
            "http://[::1]/",
            "http://localhost:6379/",
            "http://example.com/a.png",
            "http://myqcloud.com.evil.example/",
            "http://evilmyqcloud.com/",
            "http://myqcloud.com@127.0.0.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "file:///etc/passwd",
            "gopher://myqcloud.com/",
            "",
        ] {
            assert!(access.way(url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_sandbox_gives_its_own_files_and_not_what_listens_beside_it() {
        let access = FileAccess::new(Some("ws://127.0.0.1:7080"));
        assert_eq!(access.way("http://127.0.0.1:7080/media/x"), Ok(Way::Open));
        assert_eq!(access.way("http://localhost:7080/media/x"), Ok(Way::Open));
        assert!(access.way("http://127.0.0.1:7081/").is_err());
        assert!(access.way("http://127.0.0.1/").is_err());
    }

    #[test]
    fn a_bot_may_ask_for_more() {
        let hosts = ["cdn.example".to_owned()];
        let access = FileAccess::new(None).with(&hosts, false);
        assert_eq!(access.way("https://a.cdn.example/x"), Ok(Way::Public));
        assert!(access.way("https://example/x").is_err());
        let access = FileAccess::new(None).with(&[], true);
        assert_eq!(access.way("http://10.0.0.1/x"), Ok(Way::Open));
        assert!(access.way("file:///x").is_err());
    }
}
