//! `user_sig_file`, `user_sig_env`, `user_sig_command`, `user_sig_http`: where UserSigs come from.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{
    error::Problem,
    expand::is_variable_name,
    model::{USER_ID, UserSigSource},
    read::{Node, Section},
};

/// What a section says about where UserSigs are fetched from.
#[derive(Clone)]
pub(super) enum Source<'c> {
    /// Nothing.
    None,
    /// Something wrong, which is reported.
    Broken,
    /// This, written there.
    From(Node<'c>, Arc<UserSigSource>),
}

/// Reads the source of `section`; `user_sig` is the other way to say it, and excludes it.
pub(super) fn read<'c>(section: &mut Section<'c>, user_sig: Option<&Node<'c>>) -> Source<'c> {
    type Read = fn(&Node<'_>) -> Option<UserSigSource>;
    let readers: [(&'static str, Read); 4] = [
        ("user_sig_file", file),
        ("user_sig_env", variable),
        ("user_sig_command", command),
        ("user_sig_http", http),
    ];
    let mut first = user_sig.map(|_| "user_sig");
    let mut source = Source::None;
    for (key, read) in readers {
        let Some(node) = section.get(key) else {
            continue;
        };
        let read = read(&node);
        source = match (first, read) {
            (Some(first), _) => {
                node.report(Problem::SeveralSources { first, second: key });
                Source::Broken
            }
            (None, Some(read)) => Source::From(node, Arc::new(read)),
            (None, None) => Source::Broken,
        };
        first = first.or(Some(key));
    }
    source
}

fn file(node: &Node<'_>) -> Option<UserSigSource> {
    let path = node.filled_text("write the path of the file that holds the UserSig")?;
    Some(UserSigSource::File(path))
}

fn variable(node: &Node<'_>) -> Option<UserSigSource> {
    let name = node.filled_text("write the name of the variable, without a $")?;
    if !is_variable_name(&name.replace(USER_ID, "X")) {
        node.report(Problem::VariableName);
        return None;
    }
    Some(UserSigSource::Env(name))
}

fn command(node: &Node<'_>) -> Option<UserSigSource> {
    let mut words = node.texts()?.into_iter().map(|(_, text)| text);
    match words.next() {
        Some(program) if !program.is_empty() => Some(UserSigSource::Command {
            program,
            args: words.collect(),
        }),
        _ => {
            node.report(Problem::Empty {
                remedy: "write a program and its arguments, as in [\"sign\", \"{user_id}\"]",
            });
            None
        }
    }
}

fn http(node: &Node<'_>) -> Option<UserSigSource> {
    let mut section = node.section()?;
    let url = match section.get("url") {
        Some(node) => url(&node),
        None => {
            section.missing("url", "write where to fetch from, https://…");
            None
        }
    };
    let body_node = section.get("body");
    let body = body_node.as_ref().map(Node::text);
    let headers = section.get("headers").map_or(Some(Vec::new()), |node| {
        node.section()?;
        let read = node
            .entries()
            .into_iter()
            .map(|(name, node)| header(name, &node));
        // All of them first, so that every mistake is reported.
        read.collect::<Vec<_>>().into_iter().collect()
    });
    section.finish();
    let body = match body {
        Some(None) => return None,
        Some(Some(body)) => Some(SecretString::from(body)),
        None => None,
    };
    Some(UserSigSource::Http {
        url: url?,
        body,
        headers: headers?,
    })
}

/// Checks a URL; the text itself is never shown.
fn url(node: &Node<'_>) -> Option<String> {
    let text = node.text()?;
    let reason = match Url::parse(&text.replace(USER_ID, "x")) {
        Err(_) => "it cannot be read; write for example \"https://example.com/sig/{user_id}\"",
        Ok(url) if !matches!(url.scheme(), "http" | "https") => {
            "it must start with http:// or https://"
        }
        Ok(url) if url.host_str().is_none_or(str::is_empty) => "it names no host",
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            "it must not hold a user name or password; use headers = { Authorization = \"…\" }"
        }
        Ok(_) => return Some(text),
    };
    node.report(Problem::SourceUrl { reason });
    None
}

fn header(name: &str, node: &Node<'_>) -> Option<(String, SecretString)> {
    let value = node.secret()?;
    let is_token = !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b));
    let printable = |b: u8| b == b' ' || b.is_ascii_graphic();
    let part = match (is_token, value.expose_secret().bytes().all(printable)) {
        (false, _) => "name",
        (true, false) => "value",
        (true, true) => return Some((name.to_owned(), value)),
    };
    node.report(Problem::Header { part });
    None
}
