//! Orders to accounts.

use super::{Room, path};
use crate::admin::body::Json;
use crate::admin::caller::{Operator, Reader};
use crate::admin::desk::At;
use crate::admin::refusal::Refusal;
use crate::admin::types::{Done, NewOrder, OrderKind, OrderOutlook, Problem};
use actix_web::web;
use utoipa::OpenApi;

pub(super) const ROOM: Room = Room {
    mount: |config| {
        config.service(path("/api/v1/accounts/{account}/orders").route(web::post().to(order)));
        config.service(
            path("/api/v1/accounts/{account}/orders/{order}").route(web::get().to(outlook)),
        );
    },
    describe: Described::openapi,
};

#[derive(OpenApi)]
#[openapi(paths(order, outlook))]
struct Described;

/// Gives an order to an account.
#[utoipa::path(post, path = "/api/v1/accounts/{account}/orders", tag = "accounts",
    params(("account" = String, Path, description = "Its name: the UserID, with `[[apps]]` behind the app and a slash (`%2F`).")),
    request_body = NewOrder,
    responses(
        (status = 200, body = Done),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "It cannot obey at present."),
        (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem),
        (status = 429, body = Problem), (status = 503, body = Problem),
    ))]
async fn order(
    operator: Operator,
    desk: At,
    account: web::Path<String>,
    new: Json<NewOrder>,
) -> Result<web::Json<Done>, Refusal> {
    desk.0.alive()?;
    operator.0.must_see(&account)?;
    let kind = new.0.order;
    desk.0.controller.order(&account, kind.command()).await?;
    tracing::info!(account = %account, order = ?kind, by = operator.0.name(), "ordered");
    Ok(web::Json(Done::DONE))
}

/// What an order would do to an account; nothing is done.
#[utoipa::path(get, path = "/api/v1/accounts/{account}/orders/{order}", tag = "accounts",
    params(
        ("account" = String, Path, description = "Its name: the UserID, with `[[apps]]` behind the app and a slash (`%2F`)."),
        ("order" = OrderKind, Path, description = "The order."),
    ),
    responses(
        (status = 200, body = OrderOutlook),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 503, body = Problem),
    ))]
async fn outlook(
    reader: Reader,
    desk: At,
    what: web::Path<(String, OrderKind)>,
) -> Result<web::Json<OrderOutlook>, Refusal> {
    let (account, order) = what.into_inner();
    reader.0.must_see(&account)?;
    let all = desk.0.status().await?;
    let status = all.iter().find(|status| status.account == *account);
    let status = status.ok_or_else(|| Refusal::no_account(&account))?;
    Ok(web::Json(order.outlook(status)))
}
