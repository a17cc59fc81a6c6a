//! Plain HTTP requests: the thread's client, and how failed requests are classified.

use super::dial::{Purpose, dialler};
use super::net::net;
use super::reason::reason_of;
use actix_http::error::ParseError;
use awc::error::{ConnectError, SendRequestError};
use std::cell::RefCell;
use std::time::Duration;

/// Connections per thread and host; further requests wait.
const CONNECTIONS: usize = 32;

/// The number of the configuration a client was made from, and the client.
type Made = RefCell<Option<(u64, awc::Client)>>;

thread_local! {
    static CLIENT: Made = const { RefCell::new(None) };
    static STRANGERS: Made = const { RefCell::new(None) };
}

/// This thread's client for plain HTTP requests, with the same certificates and proxies as the WebSockets. It
/// sets no deadline and follows no redirect.
pub(crate) fn http_client() -> awc::Client {
    CLIENT.with(|made| client(made, Purpose::Request))
}

/// The same client for addresses that a stranger named: it connects only to the public internet.
pub(crate) fn http_client_for_strangers() -> awc::Client {
    STRANGERS.with(|made| client(made, Purpose::Stranger))
}

fn client(made: &Made, purpose: Purpose) -> awc::Client {
    let net = net();
    let mut made = made.borrow_mut();
    if let Some((number, client)) = &*made
        && *number == net.number
    {
        return client.clone();
    }
    let connector = awc::Connector::new()
        .connector(dialler(net.clone(), purpose))
        .rustls_0_23(net.tls().clone())
        .limit(CONNECTIONS)
        .timeout(Duration::from_secs(60))
        .handshake_timeout(Duration::from_secs(60));
    let client = awc::Client::builder()
        .connector(connector)
        .disable_timeout()
        .disable_redirects()
        .finish();
    *made = Some((net.number, client.clone()));
    client
}

/// Whether no answer came because the connection was missing or broke, so that another try may help.
pub(crate) const fn is_lost(error: &SendRequestError) -> bool {
    matches!(
        error,
        SendRequestError::Connect(_)
            | SendRequestError::Send(_)
            // A connection that the other side resets fails in reading and not in writing.
            | SendRequestError::Response(ParseError::Io(_) | ParseError::Incomplete)
    )
}

/// Describes an error without the URL and header fields, because either may hold a secret.
pub(crate) fn without_url(error: &SendRequestError) -> String {
    match error {
        SendRequestError::Connect(ConnectError::Disconnected) => {
            "the connection was closed before an answer".to_owned()
        }
        SendRequestError::Connect(ConnectError::Io(error)) => {
            format!("no connection: {}", reason_of(error))
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
