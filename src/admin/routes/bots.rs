//! The bots of the program, and those of an account.

use super::{Room, path};
use crate::account::AccountName;
use crate::admin::body::Json;
use crate::admin::caller::{Caller, Operator, Reader};
use crate::admin::desk::{At, Desk};
use crate::admin::refusal::Refusal;
use crate::admin::types::{
    BotInDetail, BotList, BotOfFleet, BotSettingList, Bots, BotsOfAccount, Done, HandlersOf,
    MistakeOf, Problem, SettingChange,
};
use crate::app::{Adjustment, BotChange, BotChangeError};
use crate::bot::BotFigures;
use actix_web::web;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::Arc;
use utoipa::OpenApi;

pub(super) const ROOM: Room = Room {
    mount: |config| {
        config
            .service(path("/api/v1/bots").route(web::get().to(all)))
            .service(path("/api/v1/bots/{bot}").route(web::get().to(one)))
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
                    .route(web::get().to(settings))
                    .route(web::post().to(adjust))
                    .route(web::put().to(configure)),
            )
            .service(
                path("/api/v1/accounts/{account}/bots/{bot}/settings/check")
                    .route(web::post().to(try_out)),
            );
    },
    describe: Described::openapi,
};

#[derive(OpenApi)]
#[openapi(paths(
    all, one, list, set, enable, disable, configure, settings, adjust, try_out
))]
struct Described;

/// What is known of all bots, for somebody who sees some accounts or all.
struct Standing<'a> {
    reader: &'a Caller,
    running: Vec<(AccountName, Arc<[Arc<str>]>)>,
    figures: Figures,
}

impl<'a> Standing<'a> {
    fn new(reader: &'a Caller, desk: &Desk) -> Self {
        let mut running = desk.controller.bots();
        running.retain(|(account, _)| reader.sees(account));
        Self {
            reader,
            running,
            figures: desk.controller.bot_figures(),
        }
    }

    fn of(&self, bot: String) -> BotOfFleet {
        let runs = |bots: &[Arc<str>]| bots.iter().any(|name| **name == *bot);
        let accounts = self.running.iter().filter(|(_, bots)| runs(bots));
        // One that has not run yet has done nothing.
        let handlers = self.figures.get(&*bot);
        let handlers = handlers.map(|(of, waiting)| HandlersOf::new(&of.deeds(), *waiting));
        BotOfFleet {
            accounts: accounts.count(),
            handlers: self.reader.sees_all().then(|| handlers.unwrap_or_default()),
            bot,
        }
    }
}

type Figures = HashMap<&'static str, (Arc<BotFigures>, usize)>;

/// All bots of the program, how many accounts run each, and what its handlers have done.
#[utoipa::path(get, path = "/api/v1/bots", tag = "bots", responses(
    (status = 200, body = Bots),
    (status = 401, body = Problem), (status = 403, body = Problem),
))]
async fn all(reader: Reader, desk: At) -> web::Json<Bots> {
    let standing = Standing::new(&reader.0, &desk.0);
    let known = desk.0.controller.known_bots().into_iter();
    let bots = known.map(|bot| standing.of(bot));
    web::Json(Bots {
        bots: bots.collect(),
    })
}

/// A bot of the program, with the last mistakes of its handlers.
#[utoipa::path(get, path = "/api/v1/bots/{bot}", tag = "bots",
    params(("bot" = String, Path, description = "Its name.")),
    responses(
        (status = 200, body = BotInDetail),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    ))]
async fn one(
    reader: Reader,
    desk: At,
    bot: web::Path<String>,
) -> Result<web::Json<BotInDetail>, Refusal> {
    let known = desk.0.controller.known_bots();
    if !known.contains(&*bot) {
        return Err(BotChangeError::UnknownBot(bot.into_inner(), known.join(", ")).into());
    }
    let standing = Standing::new(&reader.0, &desk.0);
    let mistakes = standing.figures.get(&**bot).map(|(of, _)| of.mistakes());
    let mistakes = mistakes.unwrap_or_default().into_iter();
    let mistakes = mistakes.filter(|it| reader.0.sees(&it.account));
    let mistakes = mistakes.map(|it| MistakeOf {
        at: it.at,
        account: it.account,
        handler: it.handler.to_owned(),
        text: it.text,
    });
    Ok(web::Json(BotInDetail {
        mistakes: mistakes.collect(),
        bot: standing.of(bot.into_inner()),
    }))
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
    params(("account" = String, Path, description = "Its name: the UserID, with `[[apps]]` behind the app and a slash (`%2F`).")),
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
    params(("account" = String, Path, description = "Its name: the UserID, with `[[apps]]` behind the app and a slash (`%2F`).")),
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
        ("account" = String, Path, description = "Its name: the UserID, with `[[apps]]` behind the app and a slash (`%2F`)."),
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
        ("account" = String, Path, description = "Its name: the UserID, with `[[apps]]` behind the app and a slash (`%2F`)."),
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
        ("account" = String, Path, description = "Its name: the UserID, with `[[apps]]` behind the app and a slash (`%2F`)."),
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

/// The settings that a bot takes and has on an account. Values that may be secrets are not shown.
#[utoipa::path(get, path = "/api/v1/accounts/{account}/bots/{bot}/settings", tag = "bots",
    params(
        ("account" = String, Path, description = "Its name: the UserID, with `[[apps]]` behind the app and a slash (`%2F`)."),
        ("bot" = String, Path, description = "The name of the bot."),
    ),
    responses(
        (status = 200, body = BotSettingList),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "It does not run it."),
        (status = 422, body = Problem, description = "The bot cannot be made."),
    ))]
async fn settings(
    operator: Operator,
    desk: At,
    names: web::Path<(String, String)>,
) -> Result<web::Json<BotSettingList>, Refusal> {
    let (account, bot) = names.into_inner();
    operator.0.must_see(&account)?;
    let of = desk.0.controller.settings_of(&account, &bot).await?;
    Ok(web::Json(BotSettingList::new(&account, &bot, &of)))
}

async fn change_settings(
    operator: &Operator,
    desk: &Desk,
    (account, bot): (String, String),
    new: SettingChange,
    is_trial: bool,
) -> Result<web::Json<Done>, Refusal> {
    let set = toml::Table::try_from(new.set).map_err(|error| BotChangeError::NoTable {
        bot: bot.clone(),
        reason: error.to_string(),
    })?;
    let change = BotChange::Adjust(Adjustment {
        bot,
        set,
        unset: new.unset,
        is_trial,
    });
    operator.0.must_see(&account)?;
    desk.controller.change_bots(&account, change).await?;
    if !is_trial {
        tracing::info!(
            account,
            what = "configured",
            by = operator.0.name(),
            "bots changed"
        );
    }
    Ok(web::Json(Done::DONE))
}

/// Changes some settings of a bot on an account; the others stay. It stays online, and it is forgotten with the process.
#[utoipa::path(post, path = "/api/v1/accounts/{account}/bots/{bot}/settings", tag = "bots",
    params(
        ("account" = String, Path, description = "Its name: the UserID, with `[[apps]]` behind the app and a slash (`%2F`)."),
        ("bot" = String, Path, description = "The name of the bot."),
    ),
    request_body = SettingChange,
    responses(
        (status = 200, body = Done),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "It does not run it."),
        (status = 413, body = Problem), (status = 415, body = Problem),
        (status = 422, body = Problem, description = "The bot refuses them."), (status = 503, body = Problem),
    ))]
async fn adjust(
    operator: Operator,
    desk: At,
    names: web::Path<(String, String)>,
    new: Json<SettingChange>,
) -> Result<web::Json<Done>, Refusal> {
    change_settings(&operator, &desk.0, names.into_inner(), new.0, false).await
}

/// Looks whether a bot would take other settings, and changes nothing.
#[utoipa::path(post, path = "/api/v1/accounts/{account}/bots/{bot}/settings/check", tag = "bots",
    params(
        ("account" = String, Path, description = "Its name: the UserID, with `[[apps]]` behind the app and a slash (`%2F`)."),
        ("bot" = String, Path, description = "The name of the bot."),
    ),
    request_body = SettingChange,
    responses(
        (status = 200, body = Done),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "It does not run it."),
        (status = 413, body = Problem), (status = 415, body = Problem),
        (status = 422, body = Problem, description = "The bot refuses them."), (status = 503, body = Problem),
    ))]
async fn try_out(
    operator: Operator,
    desk: At,
    names: web::Path<(String, String)>,
    new: Json<SettingChange>,
) -> Result<web::Json<Done>, Refusal> {
    change_settings(&operator, &desk.0, names.into_inner(), new.0, true).await
}
