//! Conversations with accounts in the sandbox, as a test user, and what a server does to them that misbehaves.

use super::{Room, path};
use crate::account::AccountName;
use crate::admin::body::{Json, Query};
use crate::admin::caller::{Operator, Reader, Sender};
use crate::admin::desk::{At, Desk};
use crate::admin::refusal::Refusal;
use crate::admin::types::{
    Done, NewTalk, NewTrouble, Problem, ProblemCode, Said, Talk, TroubleKind,
};
use crate::app::{Refused, Spoken, TalkDesk, Trouble};
use crate::proto::id::{GroupId, UserId};
use crate::proto::message::Element;
use actix_web::http::header;
use actix_web::web::{self, Bytes};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;
use utoipa::{IntoParams, OpenApi};

pub(super) const ROOM: Room = Room {
    mount: |config| {
        config
            .service(
                path("/api/v1/sandbox/conversations/{user}/{account}")
                    .route(web::get().to(read))
                    .route(web::post().to(say)),
            )
            .service(
                path("/api/v1/sandbox/conversations/{user}/{account}/pictures")
                    .route(web::post().to(show)),
            )
            .service(
                path("/api/v1/sandbox/groups/{group}/{user}/{account}")
                    .route(web::get().to(read_group))
                    .route(web::post().to(say_to_group)),
            )
            .service(
                path("/api/v1/sandbox/groups/{group}/{user}/{account}/pictures")
                    .route(web::post().to(show_to_group)),
            )
            .service(
                path("/api/v1/sandbox/pictures/{account}/{token}/{name}")
                    .route(web::get().to(picture)),
            )
            .service(
                path("/api/v1/sandbox/accounts/{account}/faults").route(web::post().to(trouble)),
            );
    },
    describe: Described::openapi,
};

#[derive(OpenApi)]
#[openapi(paths(
    read,
    say,
    show,
    read_group,
    say_to_group,
    show_to_group,
    picture,
    trouble
))]
struct Described;

/// Messages in an answer: the newest.
const SHOWN: usize = 200;
/// The largest picture that is fetched from the sandbox.
const MOST: usize = 8 << 20;
/// How long the sandbox may take for a file.
const PATIENCE: Duration = Duration::from_secs(10);
/// Where the sandbox keeps files.
const FILES: &str = "/media/";
/// Kinds of pictures, and how names of their files end.
const PICTURES: [(&str, &str, u8); 4] = [
    ("image/jpeg", "jpg", 1),
    ("image/gif", "gif", 2),
    ("image/png", "png", 3),
    ("image/webp", "webp", 255),
];

fn no_sandbox() -> Refusal {
    Refusal::new(
        ProblemCode::NotFound,
        "the fleet does not run against the sandbox",
        "set endpoint = \"sandbox\" in the config",
    )
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        Self::new(
            ProblemCode::Service,
            refused.to_string(),
            "docs/src/sandbox.md says what it can do",
        )
    }
}

fn desk_of(desk: &Desk, account: &str) -> Result<TalkDesk, Refusal> {
    let known = desk.controller.account(account);
    known.ok_or_else(|| Refusal::no_account(account))?;
    desk.controller.talk(account).ok_or_else(no_sandbox)
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

/// A message as it is told. Of pictures the address is, of other elements that are no texts what they are.
fn said(spoken: &Spoken, origin: &str) -> Said {
    let elements: Vec<Element> = serde_json::from_str(&spoken.body).unwrap_or_default();
    let (mut words, mut pictures) = (Vec::new(), Vec::new());
    for element in &elements {
        if let Element::Text(text) = element {
            words.push(text.text.clone());
            continue;
        }
        let value = serde_json::to_value(element).unwrap_or_default();
        let url = value["MsgContent"]["ImageInfoArray"][0]["URL"].as_str();
        let file = url.and_then(|url| url.strip_prefix(origin)?.strip_prefix(FILES));
        match file {
            Some(file) => pictures.push(file.split('?').next().unwrap_or_default().to_owned()),
            None => words.push(format!("[{}]", value["MsgType"].as_str().unwrap_or("?"))),
        }
    }
    Said {
        from: spoken.from.clone(),
        text: words.join(" "),
        pictures,
        at: spoken.at,
    }
}

fn talk(mut spoken: Vec<Spoken>, desk: &TalkDesk) -> web::Json<Talk> {
    let origin = desk.origin();
    let last = spoken.split_off(spoken.len().saturating_sub(SHOWN));
    web::Json(Talk {
        messages: last.iter().map(|it| said(it, &origin)).collect(),
    })
}

fn text(new: &NewTalk) -> Result<Value, Refusal> {
    if new.text.is_empty() {
        return Err(Refusal::invalid("the body is wrong at text: it is empty"));
    }
    Ok(json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": new.text}}]))
}

fn group(name: &str) -> Result<&str, Refusal> {
    let checked = GroupId::from(name).check();
    checked.map_err(|error| Refusal::invalid(error.to_string()))?;
    Ok(name)
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
    let (user, account) = names.into_inner();
    reader.0.must_see(&account)?;
    let user = party(&desk.0, &user, &account)?;
    let talking = desk_of(&desk.0, &account)?;
    Ok(talk(talking.history(&user)?, &talking))
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
    let (user, account) = names.into_inner();
    sender.0.must_see(&account)?;
    let user = party(&desk.0, &user, &account)?;
    desk_of(&desk.0, &account)?.say(&user, None, &text(&new.0)?)?;
    Ok(web::Json(Done::DONE))
}

/// How large a picture is.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Measures {
    /// Its width, in pixels.
    width: u32,
    /// Its height, in pixels.
    height: u32,
}

/// Puts a picture where the sandbox keeps files, and returns the element that shows it.
async fn put(
    talking: &TalkDesk,
    user: &UserId,
    request: &HttpRequest,
    body: Result<Bytes, actix_web::Error>,
    measures: &Measures,
) -> Result<Value, Refusal> {
    let body = body.map_err(|_| {
        Refusal::new(
            ProblemCode::TooLarge,
            "the picture is too large",
            "send at most 256 KiB; the console makes pictures smaller",
        )
    })?;
    let kind = request.headers().get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let known = PICTURES.iter().find(|(known, ..)| *known == kind);
    let Some((kind, end, format)) = known.filter(|_| !body.is_empty()) else {
        return Err(Refusal::invalid(
            "the body is no picture: send a JPEG, PNG, GIF or WebP with its Content-Type",
        ));
    };
    let size = body.len();
    let url = talking.file_address(user, &format!("picture.{end}"))?;
    let put = awc::Client::builder().timeout(PATIENCE).finish().put(&url);
    let put = put.insert_header((header::CONTENT_TYPE, *kind));
    let answer = put.send_body(body).await;
    if !answer.is_ok_and(|answer| answer.status().is_success()) {
        return Err(Refused("it does not take the file".to_owned()).into());
    }
    let info = |kind: u8| {
        json!({
            "Type": kind, "Size": size, "Width": measures.width, "Height": measures.height, "URL": url,
        })
    };
    Ok(json!([{"MsgType": "TIMImageElem", "MsgContent": {
        "UUID": url, "ImageFormat": format, "ImageInfoArray": [info(1), info(2), info(3)],
    }}]))
}

/// Shows a picture to an account as a test user.
#[utoipa::path(post, path = "/api/v1/sandbox/conversations/{user}/{account}/pictures", tag = "sandbox",
    params(
        ("user" = String, Path, description = "The UserID of the test user; it is made when it is not there."),
        ("account" = String, Path, description = "The name of the account."),
        Measures,
    ),
    request_body(content = String, content_type = "image/*"),
    responses(
        (status = 200, body = Done),
        (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem, description = "There is no such account, or no sandbox."),
        (status = 409, body = Problem, description = "The user is an account of the fleet."),
        (status = 413, body = Problem), (status = 422, body = Problem),
        (status = 502, body = Problem, description = "The sandbox refused it."),
    ))]
async fn show(
    sender: Sender,
    desk: At,
    names: web::Path<(String, String)>,
    measures: Query<Measures>,
    request: HttpRequest,
    body: Result<Bytes, actix_web::Error>,
) -> Result<web::Json<Done>, Refusal> {
    let (user, account) = names.into_inner();
    sender.0.must_see(&account)?;
    let user = party(&desk.0, &user, &account)?;
    let talking = desk_of(&desk.0, &account)?;
    let picture = put(&talking, &user, &request, body, &measures.0).await?;
    talking.say(&user, None, &picture)?;
    Ok(web::Json(Done::DONE))
}

/// What was said in a group that an account is in, oldest first; the last 200 messages.
#[utoipa::path(get, path = "/api/v1/sandbox/groups/{group}/{user}/{account}", tag = "sandbox",
    params(
        ("group" = String, Path, description = "The GroupID."),
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
async fn read_group(
    reader: Reader,
    desk: At,
    names: web::Path<(String, String, String)>,
) -> Result<web::Json<Talk>, Refusal> {
    let (name, user, account) = names.into_inner();
    reader.0.must_see(&account)?;
    party(&desk.0, &user, &account)?;
    let talking = desk_of(&desk.0, &account)?;
    Ok(talk(talking.group_history(group(&name)?)?, &talking))
}

/// Says something in a group as a test user. The group is made when it is not there, and both get into it.
#[utoipa::path(post, path = "/api/v1/sandbox/groups/{group}/{user}/{account}", tag = "sandbox",
    params(
        ("group" = String, Path, description = "The GroupID."),
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
async fn say_to_group(
    sender: Sender,
    desk: At,
    names: web::Path<(String, String, String)>,
    new: Json<NewTalk>,
) -> Result<web::Json<Done>, Refusal> {
    let (name, user, account) = names.into_inner();
    sender.0.must_see(&account)?;
    let user = party(&desk.0, &user, &account)?;
    let talking = desk_of(&desk.0, &account)?;
    talking.say(&user, Some(group(&name)?), &text(&new.0)?)?;
    Ok(web::Json(Done::DONE))
}

/// Shows a picture in a group as a test user.
#[utoipa::path(post, path = "/api/v1/sandbox/groups/{group}/{user}/{account}/pictures", tag = "sandbox",
    params(
        ("group" = String, Path, description = "The GroupID."),
        ("user" = String, Path, description = "The UserID of the test user; it is made when it is not there."),
        ("account" = String, Path, description = "The name of the account."),
        Measures,
    ),
    request_body(content = String, content_type = "image/*"),
    responses(
        (status = 200, body = Done),
        (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem, description = "There is no such account, or no sandbox."),
        (status = 409, body = Problem, description = "The user is an account of the fleet."),
        (status = 413, body = Problem), (status = 422, body = Problem),
        (status = 502, body = Problem, description = "The sandbox refused it."),
    ))]
async fn show_to_group(
    sender: Sender,
    desk: At,
    names: web::Path<(String, String, String)>,
    measures: Query<Measures>,
    request: HttpRequest,
    body: Result<Bytes, actix_web::Error>,
) -> Result<web::Json<Done>, Refusal> {
    let (name, user, account) = names.into_inner();
    sender.0.must_see(&account)?;
    let user = party(&desk.0, &user, &account)?;
    let talking = desk_of(&desk.0, &account)?;
    let picture = put(&talking, &user, &request, body, &measures.0).await?;
    talking.say(&user, Some(group(&name)?), &picture)?;
    Ok(web::Json(Done::DONE))
}

/// A picture that was shown in the sandbox.
#[utoipa::path(get, path = "/api/v1/sandbox/pictures/{account}/{token}/{name}", tag = "sandbox",
    params(
        ("account" = String, Path, description = "The name of the account to or by which it was shown."),
        ("token" = String, Path, description = "The first part of its address."),
        ("name" = String, Path, description = "The second part."),
    ),
    responses(
        (status = 200, content_type = "image/*", body = String),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 502, body = Problem, description = "The sandbox has it no more."),
    ))]
async fn picture(
    reader: Reader,
    desk: At,
    names: web::Path<(String, String, String)>,
) -> Result<HttpResponse, Refusal> {
    let (account, token, name) = names.into_inner();
    reader.0.must_see(&account)?;
    let talking = desk_of(&desk.0, &account)?;
    let is_plain = |text: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        !text.starts_with('.') && text.bytes().all(plain)
    };
    let gone = || Refusal::from(Refused("it has no such picture".to_owned()));
    if !is_plain(&token) || !is_plain(&name) {
        return Err(gone());
    }
    let url = format!("{}{FILES}{token}/{name}", talking.origin());
    let client = awc::Client::builder().timeout(PATIENCE).finish();
    let mut answer = client.get(url).send().await.map_err(|_| gone())?;
    let kind = answer.headers().get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    // Anything else would be a page of this server to a browser.
    let known = PICTURES.iter().find(|(known, ..)| *known == kind);
    let known = known.filter(|_| answer.status().is_success());
    let (kind, ..) = known.ok_or_else(gone)?;
    let body = answer.body().limit(MOST).await.map_err(|_| gone())?;
    Ok(HttpResponse::Ok().content_type(*kind).body(body))
}

/// Does to an account in the sandbox what a service does on a bad day.
#[utoipa::path(post, path = "/api/v1/sandbox/accounts/{account}/faults", tag = "sandbox",
    params(("account" = String, Path, description = "The name of the account.")),
    request_body = NewTrouble,
    responses(
        (status = 200, body = Done),
        (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem, description = "There is no such account, or no sandbox."),
        (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem),
        (status = 502, body = Problem, description = "The sandbox refused it."),
    ))]
async fn trouble(
    operator: Operator,
    desk: At,
    account: web::Path<String>,
    new: Json<NewTrouble>,
) -> Result<web::Json<Done>, Refusal> {
    operator.0.must_see(&account)?;
    let kind = new.0.fault;
    desk_of(&desk.0, &account)?.trouble(match kind {
        TroubleKind::MultipleAccount => Trouble::MultipleAccount,
        TroubleKind::MultipleDevice => Trouble::MultipleDevice,
        TroubleKind::RestApiKick => Trouble::RestApiKick,
        TroubleKind::UserSigExpired => Trouble::UserSigExpired,
        TroubleKind::DropLink => Trouble::DropLink,
        TroubleKind::StopAnswering => Trouble::StopAnswering,
    })?;
    tracing::info!(account = %account, fault = ?kind, by = operator.0.name(), "a fault of the sandbox");
    Ok(web::Json(Done::DONE))
}
