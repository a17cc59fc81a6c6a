//! Messages sent as an account.

use super::{Room, path};
use crate::admin::body::Json;
use crate::admin::caller::Sender;
use crate::admin::desk::At;
use crate::admin::refusal::Refusal;
use crate::admin::types::{NewMessage, Problem, ProblemCode, Receiver, SentMessage};
use crate::proto::message::Conversation;
use actix_web::web;
use std::time::Duration;
use utoipa::OpenApi;

pub(super) const ROOM: Room = Room {
    mount: |config| {
        config.service(path("/api/v1/accounts/{account}/messages").route(web::post().to(send)));
    },
    describe: Described::openapi,
};

#[derive(OpenApi)]
#[openapi(paths(send))]
struct Described;

/// How long to wait for the service.
const PATIENCE: Duration = Duration::from_secs(30);

/// Sends a text as an account.
#[utoipa::path(post, path = "/api/v1/accounts/{account}/messages", tag = "accounts",
    params(("account" = String, Path, description = "Its name: the UserID, with `[[apps]]` behind the app and a slash (`%2F`).")),
    request_body = NewMessage,
    responses(
        (status = 200, body = SentMessage),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "The account is offline."),
        (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem),
        (status = 429, body = Problem),
        (status = 502, body = Problem, description = "The service refused it, or nobody knows whether it arrived."),
        (status = 503, body = Problem),
    ))]
async fn send(
    sender: Sender,
    desk: At,
    account: web::Path<String>,
    new: Json<NewMessage>,
) -> Result<web::Json<SentMessage>, Refusal> {
    desk.0.alive()?;
    sender.0.must_see(&account)?;
    let api = desk.0.controller.api(&account);
    let api = api.ok_or_else(|| Refusal::no_account(&account))?;
    if desk.0.controller.is_ready(&account) != Some(true) {
        // It would wait in the outbox, for longer than anybody waits for an answer.
        return Err(Refusal::new(
            ProblemCode::Conflict,
            format!("{account} is not online"),
            "wait until it is, or resume it",
        ));
    }
    let NewMessage { to, text, key } = new.0;
    if text.is_empty() {
        return Err(Refusal::invalid("the body is wrong at text: it is empty"));
    }
    let to = match to {
        Receiver::User(user) => Conversation::c2c(user),
        Receiver::Group(group) => Conversation::group(group),
    };
    let mut sending = api.send(to, text);
    if let Some(key) = key {
        sending = sending.key(key);
    }
    match tokio::time::timeout(PATIENCE, sending).await {
        Ok(sent) => {
            let sent = sent?;
            tracing::info!(account = %account, by = sender.0.name(), "sent a message");
            Ok(web::Json(SentMessage {
                at: sent.time,
                seq: sent.seq,
                key: sent.key,
            }))
        }
        Err(_) => Err(Refusal::new(
            ProblemCode::Service,
            "the service has not confirmed it within 30 s",
            "it stays in the outbox until it is; asked again with the same key, it is not sent a second time",
        )),
    }
}
