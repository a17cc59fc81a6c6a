//! Messages that are to be sent or were not sent.

use super::{Room, path};
use crate::admin::body::Query;
use crate::admin::caller::{Operator, Reader};
use crate::admin::desk::{At, Desk};
use crate::admin::refusal::Refusal;
use crate::admin::types::{Done, Letter, LetterPage, Problem};
use crate::app::{OutboxOrder, OutboxOrderError};
use actix_web::web;
use serde::Deserialize;
use utoipa::{IntoParams, OpenApi};

pub(super) const ROOM: Room = Room {
    mount: |config| {
        config
            .service(path("/api/v1/outbox").route(web::get().to(list)))
            .service(path("/api/v1/outbox/{letter}").route(web::delete().to(drop_letter)))
            .service(path("/api/v1/outbox/{letter}/retry").route(web::post().to(retry)));
    },
    describe: Described::openapi,
};

#[derive(OpenApi)]
#[openapi(paths(list, retry, drop_letter))]
struct Described;

/// The most letters in an answer.
const MOST: usize = 1000;
/// Letters in an answer when nothing is said.
const USUAL: usize = 100;

/// Which letters.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Of this account.
    account: Option<String>,
    /// `queued`, `failed` or `unknown`.
    state: Option<String>,
    /// Behind the letter of this number.
    after: Option<u64>,
    /// At most so many, up to 1000; 100 if nothing is said.
    limit: Option<usize>,
}

/// What is to be sent, and what was not sent.
#[utoipa::path(get, path = "/api/v1/outbox", tag = "outbox", params(Wanted), responses(
    (status = 200, body = LetterPage),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 422, body = Problem),
    (status = 503, body = Problem),
))]
async fn list(
    reader: Reader,
    desk: At,
    wanted: Query<Wanted>,
) -> Result<web::Json<LetterPage>, Refusal> {
    let wanted = wanted.0;
    let limit = wanted.limit.unwrap_or(USUAL);
    if !(1..=MOST).contains(&limit) {
        return Err(Refusal::invalid(format!(
            "the query is wrong: limit is from 1 to {MOST}"
        )));
    }
    let mut page = LetterPage {
        letters: Vec::new(),
        total: 0,
        next: None,
    };
    for (letter, account) in desk.0.controller.letters().await? {
        if !reader.0.sees(&account) || wanted.account.as_ref().is_some_and(|it| *it != account) {
            continue;
        }
        let letter = Letter::new(&letter, account);
        if wanted.state.as_ref().is_some_and(|it| *it != letter.state) {
            continue;
        }
        page.total += 1;
        if wanted.after.is_some_and(|after| letter.number <= after) {
            continue;
        }
        if page.letters.len() < limit {
            page.letters.push(letter);
        } else if page.next.is_none() {
            page.next = page.letters.last().map(|last| last.number);
        }
    }
    Ok(web::Json(page))
}

async fn obey(
    operator: &Operator,
    desk: &Desk,
    number: u64,
    order: OutboxOrder,
) -> Result<web::Json<Done>, Refusal> {
    if !operator.0.sees_all() {
        // Of letters of other accounts nothing is told.
        let letters = desk.controller.letters().await?;
        let found = letters.iter().find(|(letter, _)| letter.number == number);
        if !found.is_some_and(|(_, account)| operator.0.sees(account)) {
            return Err(OutboxOrderError::Unknown(number).into());
        }
    }
    desk.controller.outbox(number, order).await?;
    tracing::info!(letter = number, ?order, by = operator.0.name(), "ordered");
    Ok(web::Json(Done::DONE))
}

/// Sends a letter that failed, or of which it is unknown whether it arrived.
#[utoipa::path(post, path = "/api/v1/outbox/{letter}/retry", tag = "outbox",
    params(("letter" = u64, Path, description = "Its number.")),
    responses(
        (status = 200, body = Done),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "It is on its way, or was sent."), (status = 503, body = Problem),
    ))]
async fn retry(
    operator: Operator,
    desk: At,
    letter: web::Path<u64>,
) -> Result<web::Json<Done>, Refusal> {
    desk.0.alive()?;
    obey(&operator, &desk.0, *letter, OutboxOrder::Retry).await
}

/// Forgets a letter that failed, or of which it is unknown whether it arrived.
#[utoipa::path(delete, path = "/api/v1/outbox/{letter}", tag = "outbox",
    params(("letter" = u64, Path, description = "Its number.")),
    responses(
        (status = 200, body = Done),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "It is on its way, or was sent."), (status = 503, body = Problem),
    ))]
async fn drop_letter(
    operator: Operator,
    desk: At,
    letter: web::Path<u64>,
) -> Result<web::Json<Done>, Refusal> {
    obey(&operator, &desk.0, *letter, OutboxOrder::Drop).await
}
