//! The bots of the program, and those of an account.

use super::{Room, path};
use crate::admin::body::Json;
use crate::admin::caller::{Operator, Reader};
use crate::admin::desk::{At, Desk};
use crate::admin::refusal::Refusal;
use crate::admin::types::{BotList, BotOfFleet, Bots, BotsOfAccount, Problem};
use crate::app::BotChange;
use actix_web::web;
use serde_json::{Map, Value};
use std::collections::HashMap;
use utoipa::OpenApi;

pub(super) const ROOM: Room = Room {
    mount: |config| {
        config
            .service(path("/api/v1/bots").route(web::get().to(all)))
            .service(
                path("/api/v1/accounts/{account}/bots")
                    .route(web::get().to(list))
                    .route(web::put().to(set)),
            )
            .service(
                path("/api/v1/accounts/{account}/bots/{bot}")
                    .route(web::put().to(enable))
                    .route(web::delete().to(disable)),
            )
            .service(
                path("/api/v1/accounts/{account}/bots/{bot}/settings")
                    .route(web::put().to(configure)),
            );
    },
    describe: Described::openapi,
};

#[derive(OpenApi)]
#[openapi(paths(all, list, set, enable, disable, configure))]
struct Described;

/// All bots of the program, and how many accounts run each.
#[utoipa::path(get, path = "/api/v1/bots", tag = "bots", responses(
    (status = 200, body = Bots),
    (status = 401, body = Problem), (status = 403, body = Problem),
))]
async fn all(reader: Reader, desk: At) -> web::Json<Bots> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for (user, bots) in desk.0.controller.bots() {
        if reader.0.sees(user.as_str()) {
            for bot in bots.iter() {
                *counts.entry(bot.to_string()).or_default() += 1;
            }
        }
    }
    let known = desk.0.controller.known_bots().into_iter();
    let bots = known.map(|bot| BotOfFleet {
        accounts: counts.get(&bot).copied().unwrap_or_default(),
        bot,
    });
    web::Json(Bots {
        bots: bots.collect(),
    })
}

fn of(desk: &Desk, account: &str) -> Result<web::Json<BotsOfAccount>, Refusal> {
    let bots = desk.controller.bots_of(account);
    let bots = bots.ok_or_else(|| Refusal::no_account(account))?;
    Ok(web::Json(BotsOfAccount {
        account: account.to_owned(),
        bots: bots.iter().map(ToString::to_string).collect(),
        known: desk.controller.known_bots(),
    }))
}

async fn change(
    operator: &Operator,
    desk: &Desk,
    account: &str,
    change: BotChange,
) -> Result<web::Json<BotsOfAccount>, Refusal> {
    operator.0.must_see(account)?;
    let what = change.word();
    desk.controller.change_bots(account, change).await?;
    tracing::info!(account, what, by = operator.0.name(), "bots changed");
    of(desk, account)
}

/// The bots that an account runs.
#[utoipa::path(get, path = "/api/v1/accounts/{account}/bots", tag = "bots",
    params(("account" = String, Path, description = "Its UserID.")),
    responses(
        (status = 200, body = BotsOfAccount),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    ))]
async fn list(
    reader: Reader,
    desk: At,
    account: web::Path<String>,
) -> Result<web::Json<BotsOfAccount>, Refusal> {
    reader.0.must_see(&account)?;
    of(&desk.0, &account)
}

/// Has an account run these bots, in this order; it stays online. It is forgotten with the process.
#[utoipa::path(put, path = "/api/v1/accounts/{account}/bots", tag = "bots",
    params(("account" = String, Path, description = "Its UserID.")),
    request_body = BotList,
    responses(
        (status = 200, body = BotsOfAccount),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem),
        (status = 422, body = Problem), (status = 503, body = Problem),
    ))]
async fn set(
    operator: Operator,
    desk: At,
    account: web::Path<String>,
    bots: Json<BotList>,
) -> Result<web::Json<BotsOfAccount>, Refusal> {
    change(&operator, &desk.0, &account, BotChange::All(bots.0.bots)).await
}

/// Has an account run one more bot.
#[utoipa::path(put, path = "/api/v1/accounts/{account}/bots/{bot}", tag = "bots",
    params(
        ("account" = String, Path, description = "Its UserID."),
        ("bot" = String, Path, description = "The name of the bot."),
    ),
    responses(
        (status = 200, body = BotsOfAccount),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem), (status = 503, body = Problem),
    ))]
async fn enable(
    operator: Operator,
    desk: At,
    names: web::Path<(String, String)>,
) -> Result<web::Json<BotsOfAccount>, Refusal> {
    let (account, bot) = names.into_inner();
    change(&operator, &desk.0, &account, BotChange::Enable(bot)).await
}

/// Has an account run a bot no more.
#[utoipa::path(delete, path = "/api/v1/accounts/{account}/bots/{bot}", tag = "bots",
    params(
        ("account" = String, Path, description = "Its UserID."),
        ("bot" = String, Path, description = "The name of the bot."),
    ),
    responses(
        (status = 200, body = BotsOfAccount),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "It does not run it."), (status = 503, body = Problem),
    ))]
async fn disable(
    operator: Operator,
    desk: At,
    names: web::Path<(String, String)>,
) -> Result<web::Json<BotsOfAccount>, Refusal> {
    let (account, bot) = names.into_inner();
    change(&operator, &desk.0, &account, BotChange::Disable(bot)).await
}

/// Gives a bot of an account these settings, over those of its section of the config.
#[utoipa::path(put, path = "/api/v1/accounts/{account}/bots/{bot}/settings", tag = "bots",
    params(
        ("account" = String, Path, description = "Its UserID."),
        ("bot" = String, Path, description = "The name of the bot."),
    ),
    request_body = Object,
    responses(
        (status = 200, body = BotsOfAccount),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "It does not run it."),
        (status = 413, body = Problem), (status = 415, body = Problem),
        (status = 422, body = Problem, description = "The bot refuses them."), (status = 503, body = Problem),
    ))]
async fn configure(
    operator: Operator,
    desk: At,
    names: web::Path<(String, String)>,
    settings: Json<Map<String, Value>>,
) -> Result<web::Json<BotsOfAccount>, Refusal> {
    let (account, bot) = names.into_inner();
    let settings = BotChange::configure(&bot, &settings.0)?;
    change(&operator, &desk.0, &account, settings).await
}
