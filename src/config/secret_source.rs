//! `user_sig_file`, `_env`, `_command`, `_http` and the same of `secret_key`: secrets that stand outside the config.

use std::{collections::HashMap, path::Path, sync::Arc};

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{
    error::Problem,
    expand::is_variable_name,
    model::{Config, SDK_APP_ID, SecretSource, USER_ID},
    read::{Node, Section},
};

/// What a section says about where a secret is fetched from.
#[derive(Clone)]
pub(super) enum Source<'c> {
    /// Nothing.
    None,
    /// Something wrong, which is reported.
    Broken,
    /// This, written there.
    From(Node<'c>, Arc<SecretSource>),
}

/// The keys of one secret: the one that holds it, and those that say where it is.
pub(super) struct Keys {
    plain: &'static str,
    file: &'static str,
    env: &'static str,
    command: &'static str,
    http: &'static str,
}

/// Those of an account's UserSig.
pub(super) const USER_SIG: Keys = Keys {
    plain: "user_sig",
    file: "user_sig_file",
    env: "user_sig_env",
    command: "user_sig_command",
    http: "user_sig_http",
};

/// Those of the app's SecretKey.
pub(super) const SECRET_KEY: Keys = Keys {
    plain: "secret_key",
    file: "secret_key_file",
    env: "secret_key_env",
    command: "secret_key_command",
    http: "secret_key_http",
};

/// Reads where the secret of `keys` comes from; `plain` is the other way to say it, and excludes it.
pub(super) fn read<'c>(
    section: &mut Section<'c>,
    keys: &Keys,
    plain: Option<&Node<'c>>,
) -> Source<'c> {
    type Read = fn(&Node<'_>) -> Option<SecretSource>;
    let readers: [(&'static str, Read); 4] = [
        (keys.file, file),
        (keys.env, variable),
        (keys.command, command),
        (keys.http, http),
    ];
    let mut first = plain.map(|_| keys.plain);
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

/// Has relative paths of files start in the folder of the config. Accounts that share a source go on sharing it.
pub(super) fn beside(folder: &Path, config: &mut Config) {
    let mut known: HashMap<usize, Arc<SecretSource>> = HashMap::new();
    let mut moved = |source: &mut Arc<SecretSource>| {
        if let SecretSource::File(path) = &**source {
            let path = folder.join(path).to_string_lossy().into_owned();
            let at = Arc::as_ptr(source).addr();
            let moved = known.entry(at);
            *source = moved
                .or_insert_with(|| Arc::new(SecretSource::File(path)))
                .clone();
        }
    };
    let accounts = config.accounts.iter_mut();
    for source in accounts.filter_map(|account| account.user_sig_source.as_mut()) {
        moved(source);
    }
    let apps = config.apps.iter_mut();
    let keys = apps.filter_map(|app| app.secret_key_source.as_mut());
    keys.for_each(moved);
}

fn file(node: &Node<'_>) -> Option<SecretSource> {
    let path = node.filled_text("write the path of the file that holds it")?;
    Some(SecretSource::File(path))
}

fn variable(node: &Node<'_>) -> Option<SecretSource> {
    let name = node.filled_text("write the name of the variable, without a $")?;
    if !is_variable_name(&name.replace(USER_ID, "X").replace(SDK_APP_ID, "1")) {
        node.report(Problem::VariableName);
        return None;
    }
    Some(SecretSource::Env(name))
}

pub(super) fn command(node: &Node<'_>) -> Option<SecretSource> {
    let mut words = node.texts()?.into_iter().map(|(_, text)| text);
    match words.next() {
        Some(program) if !program.is_empty() => Some(SecretSource::Command {
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

pub(super) fn http(node: &Node<'_>) -> Option<SecretSource> {
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
    let fields = section.get("headers");
    let headers = fields.map_or(Some(Vec::new()), |node| headers(&node));
    section.finish();
    let body = match body {
        Some(None) => return None,
        Some(Some(body)) => Some(SecretString::from(body)),
        None => None,
    };
    Some(SecretSource::Http {
        url: url?,
        body,
        headers: headers?,
    })
}

/// Checks a URL; the text itself is never shown.
fn url(node: &Node<'_>) -> Option<String> {
    let text = node.text()?;
    let reason = match Url::parse(&text.replace(USER_ID, "x").replace(SDK_APP_ID, "1")) {
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

/// The header fields of a request; `None` when one has a mistake.
pub(super) fn headers(node: &Node<'_>) -> Option<Vec<(String, SecretString)>> {
    node.section()?;
    let read = node
        .entries()
        .into_iter()
        .map(|(name, node)| header(name, &node));
    // All of them first, so that every mistake is reported.
    read.collect::<Vec<_>>().into_iter().collect()
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
