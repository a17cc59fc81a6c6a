//! Writes down who orders what, before it is done.
//!
//! It stands before every path that changes something, so that a new path is written down without being told to. Settings
//! of bots may hold secrets: of them only the keys are kept.

use super::body::whole;
use super::caller::{Caller, Identity};
use super::desk::{Desk, desk_of};
use super::door::Door;
use crate::gateway::now;
use crate::store::Deed;
use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::web::Bytes;
use actix_web::{Error, HttpMessage};
use serde_json::{Value, json};

/// Paths that change nothing, and those whose bodies are secrets of the caller.
const UNNOTED: [&str; 2] = ["/api/v1/plan", "/api/v1/session"];

/// The end of paths that only look whether something could be done.
const TRIAL: &str = "/settings/check";

/// The longest body that is kept, in bytes; of a longer one its length is.
const KEPT: usize = 16 << 10;

/// See the module. Who may only read changes nothing, and must not fill the disk by trying.
pub(super) async fn noted<B: MessageBody>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let changes = !matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    let caller = changes.then(|| caller(&request)).flatten();
    let caller = caller.filter(Caller::may_change);
    let desk = desk_of(request.request());
    let (Some(caller), Ok(desk)) = (caller, desk) else {
        return next.call(request).await;
    };
    let is_trial = request.path().ends_with(TRIAL);
    if is_trial || UNNOTED.contains(&request.path()) {
        return next.call(request).await;
    }
    let body = whole(&mut request).await?;
    let (method, path) = (request.method().to_string(), request.path().to_owned());
    let what = json!({ "method": method, "path": path, "body": shown(&path, &body) });
    request.set_payload(Payload::from(body));
    let origin = origin(&request);
    note(&desk, &caller, &origin, what).await;
    let answer = next.call(request).await?;
    let status = answer.status();
    if !status.is_success() {
        let what = json!({ "refused": status.as_u16(), "method": method, "path": path });
        note(&desk, &caller, &origin, what).await;
    }
    Ok(answer)
}

fn caller(request: &ServiceRequest) -> Option<Caller> {
    match request.extensions().get::<Identity>() {
        Some(Identity(Ok(caller))) => Some(caller.clone()),
        _ => None,
    }
}

fn origin(request: &ServiceRequest) -> String {
    match request.conn_data::<Door>() {
        Some(Door::Tcp(peer) | Door::Tls(peer)) => peer.ip().to_string(),
        Some(Door::Socket) => "control socket".to_owned(),
        None => "unknown".to_owned(),
    }
}

/// A disk that cannot be written to must not keep an operator from acting: the log says so.
async fn note(desk: &Desk, caller: &Caller, origin: &str, what: Value) {
    let deed = Deed {
        at: now().unix_secs(),
        who: caller.name().to_owned(),
        origin: origin.to_owned(),
        what: what.to_string(),
    };
    if let Err(error) = desk.controller.audit(deed).await {
        tracing::error!(who = caller.name(), origin, %what, %error, "an order is not written down in the store");
    }
}

/// What is kept of a body.
fn shown(path: &str, body: &Bytes) -> Value {
    if body.len() > KEPT {
        return json!({ "bytes": body.len() });
    }
    let value = serde_json::from_slice(body).unwrap_or(Value::Null);
    if path.ends_with("/settings") {
        keys(value)
    } else {
        value
    }
}

fn keys(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let map = map.into_iter().map(|(key, value)| (key, keys(value)));
            Value::Object(map.collect())
        }
        _ => Value::from("…"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_kept_by_their_keys_and_everything_else_as_it_is() {
        let body = Bytes::from_static(br#"{"key":"geheim","more":{"list":["geheim"]},"n":1}"#);
        let kept = shown("/api/v1/accounts/a/bots/llm/settings", &body);
        assert_eq!(kept, json!({"key": "…", "more": {"list": "…"}, "n": "…"}));
        let order = Bytes::from_static(br#"{"order":"hold"}"#);
        assert_eq!(
            shown("/api/v1/accounts/a/orders", &order),
            json!({"order": "hold"})
        );
        assert_eq!(shown("/api/v1/reload", &Bytes::new()), Value::Null);
        let long = Bytes::from(format!("{{\"text\":\"{}\"}}", "x".repeat(KEPT)));
        let bytes = json!({ "bytes": long.len() });
        assert_eq!(shown("/api/v1/accounts/a/messages", &long), bytes);
    }
}
