//! Conversations with accounts in the sandbox, as a test user.

use super::{Room, path};
use crate::account::AccountName;
use crate::admin::body::Json;
use crate::admin::caller::{Reader, Sender};
use crate::admin::desk::{At, Desk};
use crate::admin::refusal::Refusal;
use crate::admin::types::{Done, NewTalk, Problem, ProblemCode, Said, Talk};
use crate::proto::id::UserId;
use crate::proto::message::Element;
use actix_web::web;
use utoipa::OpenApi;

pub(super) const ROOM: Room = Room {
    mount: |config| {
        config.service(
            path("/api/v1/sandbox/conversations/{user}/{account}")
                .route(web::get().to(read))
                .route(web::post().to(say)),
        );
    },
    describe: Described::openapi,
};

#[derive(OpenApi)]
#[openapi(paths(read, say))]
struct Described;

/// Messages in an answer: the newest.
const SHOWN: usize = 200;

fn no_sandbox() -> Refusal {
    Refusal::new(
        ProblemCode::NotFound,
        "the fleet does not run against the sandbox",
        "set endpoint = \"sandbox\" in the config",
    )
}

/// The texts of a message; of other elements what they are.
fn words(body: &str) -> String {
    let elements: Vec<Element> = serde_json::from_str(body).unwrap_or_default();
    let words = elements.iter().map(|element| match element {
        Element::Text(text) => text.text.clone(),
        other => match serde_json::to_value(other) {
            Ok(value) => format!("[{}]", value["MsgType"].as_str().unwrap_or("?")),
            Err(_) => "[?]".to_owned(),
        },
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The test user, who is none of the fleet, so that nobody speaks in the name of an account.
fn party(desk: &Desk, user: &str, account: &str) -> Result<UserId, Refusal> {
    let known = desk.controller.account(account);
    let known = known.ok_or_else(|| Refusal::no_account(account))?;
    let user = UserId::parse(user).map_err(|error| Refusal::invalid(error.to_string()))?;
    let name = match known.app() {
        Some(app) => AccountName::of_app(app, user.clone()),
        None => user.clone().into(),
    };
    if desk.controller.account(&name).is_some() {
        return Err(Refusal::new(
            ProblemCode::Conflict,
            format!("{name} is an account of the fleet"),
            "talk as somebody else",
        ));
    }
    Ok(user)
}

/// What a test user and an account have said to each other, oldest first; the last 200 messages.
#[utoipa::path(get, path = "/api/v1/sandbox/conversations/{user}/{account}", tag = "sandbox",
    params(
        ("user" = String, Path, description = "The UserID of the test user."),
        ("account" = String, Path, description = "The name of the account."),
    ),
    responses(
        (status = 200, body = Talk),
        (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem, description = "There is no such account, or no sandbox."),
        (status = 409, body = Problem, description = "The user is an account of the fleet."),
        (status = 422, body = Problem),
    ))]
async fn read(
    reader: Reader,
    desk: At,
    names: web::Path<(String, String)>,
) -> Result<web::Json<Talk>, Refusal> {
    reader.0.must_see(&names.1)?;
    let user = party(&desk.0, &names.0, &names.1)?;
    let said = desk.0.controller.sandbox_history(&user, &names.1);
    let mut said = said.ok_or_else(no_sandbox)?;
    let last = said.split_off(said.len().saturating_sub(SHOWN)).into_iter();
    let messages = last.map(|(from, at, body)| Said {
        from: from.to_string(),
        text: words(&body),
        at,
    });
    let messages = messages.collect();
    Ok(web::Json(Talk { messages }))
}

/// Says something to an account as a test user.
#[utoipa::path(post, path = "/api/v1/sandbox/conversations/{user}/{account}", tag = "sandbox",
    params(
        ("user" = String, Path, description = "The UserID of the test user; it is made when it is not there."),
        ("account" = String, Path, description = "The name of the account."),
    ),
    request_body = NewTalk,
    responses(
        (status = 200, body = Done),
        (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem, description = "There is no such account, or no sandbox."),
        (status = 409, body = Problem, description = "The user is an account of the fleet."),
        (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem),
        (status = 502, body = Problem, description = "The sandbox refused it."),
    ))]
async fn say(
    sender: Sender,
    desk: At,
    names: web::Path<(String, String)>,
    new: Json<NewTalk>,
) -> Result<web::Json<Done>, Refusal> {
    sender.0.must_see(&names.1)?;
    let user = party(&desk.0, &names.0, &names.1)?;
    if new.0.text.is_empty() {
        return Err(Refusal::invalid("the body is wrong at text: it is empty"));
    }
    let said = desk.0.controller.sandbox_say(&user, &names.1, &new.0.text);
    match said.ok_or_else(no_sandbox)? {
        Ok(()) => Ok(web::Json(Done::DONE)),
        Err(code) => Err(Refusal::new(
            ProblemCode::Service,
            format!("the sandbox refused it: {code}: {}", code.meaning()),
            code.remedy(),
        )),
    }
}
