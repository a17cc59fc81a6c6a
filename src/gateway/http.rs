//! Plain HTTP requests: this thread's client, and what became of a request that failed.

use super::connector::tls_config;
use actix_http::error::ParseError;
use awc::error::{ConnectError, SendRequestError};
use std::cell::OnceCell;
use std::time::Duration;

/// Connections per thread and host; what is asked meanwhile waits its turn.
const CONNECTIONS: usize = 32;

thread_local! {
    static CLIENT: OnceCell<awc::Client> = const { OnceCell::new() };
}

/// This thread's client for plain HTTP requests, with the same trust as the WebSockets have. It sets
/// no deadline and follows no redirect.
pub(crate) fn http_client() -> awc::Client {
    CLIENT.with(|client| {
        let client = client.get_or_init(|| {
            let connector = awc::Connector::new()
                .rustls_0_23(tls_config())
                .limit(CONNECTIONS)
                .timeout(Duration::from_secs(60))
                .handshake_timeout(Duration::from_secs(60));
            awc::Client::builder()
                .connector(connector)
                .disable_timeout()
                .disable_redirects()
                .finish()
        });
        client.clone()
    })
}

/// Whether no answer came because the connection was not there or broke; another try may find a
/// better one.
pub(crate) const fn is_lost(error: &SendRequestError) -> bool {
    matches!(
        error,
        SendRequestError::Connect(_)
            | SendRequestError::Send(_)
            // A connection that the other side resets fails in reading and not in writing.
            | SendRequestError::Response(ParseError::Io(_) | ParseError::Incomplete)
    )
}

/// In words that hold neither the URL nor a header field: either may be a secret.
pub(crate) fn without_url(error: &SendRequestError) -> String {
    match error {
        SendRequestError::Connect(ConnectError::Disconnected) => {
            "the connection was closed before an answer".to_owned()
        }
        SendRequestError::Connect(error) => format!("no connection: {error}"),
        SendRequestError::Send(error) | SendRequestError::Response(ParseError::Io(error)) => {
            format!("the connection broke: {error}")
        }
        SendRequestError::Response(ParseError::Incomplete) => "the answer broke off".to_owned(),
        SendRequestError::Response(_) => "the answer is not HTTP".to_owned(),
        SendRequestError::Url(_) => "the URL cannot be used".to_owned(),
        SendRequestError::Http(_) => "a header field cannot be used".to_owned(),
        _ => "the request failed".to_owned(),
    }
}
