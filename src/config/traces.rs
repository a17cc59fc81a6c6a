//! `[traces]`: where traces of messages are sent.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::error::Problem;
use super::read::{Node, Section};
use super::secret_source;

/// One message in a hundred: enough to see where time goes, and little for the collector of a busy fleet.
const SAMPLE: f64 = 0.01;
/// What spans call the program.
const SERVICE: &str = "botroupe";
/// The path of traces behind the address of a collector.
const PATH: &str = "/v1/traces";

/// `[traces]`: where traces of messages are sent, over OTLP/HTTP. `Debug` shows no header field.
#[derive(Clone)]
#[non_exhaustive]
pub struct TracesConfig {
    /// The URL that takes traces, `/v1/traces` included.
    pub endpoint: String,
    /// The share of messages that is traced, 0 to 1.
    pub sample: f64,
    /// Header fields of each request.
    pub headers: Vec<(String, SecretString)>,
    /// Whether spans name the users, groups and conversations of messages.
    pub users: bool,
    /// The name of the service in the spans.
    pub service: String,
}

impl fmt::Debug for TracesConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TracesConfig")
            .field("endpoint", &self.endpoint)
            .field("sample", &self.sample)
            .field("users", &self.users)
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

impl PartialEq for TracesConfig {
    fn eq(&self, other: &Self) -> bool {
        let headers = |config: &Self| -> Vec<(String, String)> {
            let fields = config.headers.iter();
            let fields = fields.map(|(name, value)| (name.clone(), value.expose_secret().into()));
            fields.collect()
        };
        self.endpoint == other.endpoint
            && self.sample == other.sample
            && self.users == other.users
            && self.service == other.service
            && headers(self) == headers(other)
    }
}

/// Reads the section; `None` when there is none, or when it has a mistake, which is reported.
pub(super) fn read(mut section: Section<'_>) -> Option<TracesConfig> {
    let endpoint = section.get("endpoint");
    let sample = section.number("sample", SAMPLE, (0.0, 1.0));
    let headers = section.get("headers");
    let headers = headers.map_or(Some(Vec::new()), |node| secret_source::headers(&node));
    let users = section.boolean("users", false);
    let service = section.get("service").map_or(Some(SERVICE.into()), |node| {
        node.filled_text("name the service, or leave the key out")
    });
    let is_there = section.is_there();
    if is_there && endpoint.is_none() {
        section.missing(
            "endpoint",
            "write the address of a collector, for example \"http://127.0.0.1:4318\"",
        );
    }
    section.finish();
    Some(TracesConfig {
        endpoint: url(&endpoint?)?,
        sample,
        headers: headers?,
        users,
        service: service?,
    })
}

fn url(node: &Node<'_>) -> Option<String> {
    let text = node.text()?;
    let reason = match Url::parse(&text) {
        Err(_) => "it cannot be read; write for example \"http://127.0.0.1:4318\"",
        Ok(url) if !matches!(url.scheme(), "http" | "https") => {
            "it must start with http:// or https://"
        }
        Ok(url) if url.host_str().is_none_or(str::is_empty) => "it names no host",
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            "it must not hold a user name or password; use headers = { Authorization = \"…\" }"
        }
        Ok(url) if url.query().is_some() || url.fragment().is_some() => {
            "it must end with the host, a port or a path"
        }
        Ok(url) => {
            let url = url.as_str().trim_end_matches('/');
            return Some(match url.ends_with(PATH) {
                true => url.to_owned(),
                false => format!("{url}{PATH}"),
            });
        }
    };
    node.report(Problem::Unusable {
        reason: format!("this is no address of a collector: {reason}"),
    });
    None
}
