//! The accounts, a page at a time, and one with its flight recorder.

use super::{Room, path};
use crate::account::Status;
use crate::admin::body::Query;
use crate::admin::caller::Reader;
use crate::admin::desk::At;
use crate::admin::refusal::Refusal;
use crate::admin::types::{Account, AccountPage, Problem};
use crate::config::AccountGlob;
use actix_web::web;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::Arc;
use utoipa::{IntoParams, OpenApi};

pub(super) const ROOM: Room = Room {
    mount: |config| {
        config
            .service(path("/api/v1/accounts").route(web::get().to(list)))
            .service(path("/api/v1/accounts/{account}").route(web::get().to(one)));
    },
    describe: Described::openapi,
};

#[derive(OpenApi)]
#[openapi(paths(list, one))]
struct Described;

/// The most accounts in an answer.
const MOST: usize = 2000;
/// Accounts in an answer when nothing is said.
const USUAL: usize = 100;

/// Which accounts.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// In one of these states, with commas between them; `away` stands for all but `online` and `renewing`.
    state: Option<String>,
    /// With one of these causes, with commas; `login_refused` stands for `login_refused:70009` too.
    cause: Option<String>,
    /// Running this bot.
    bot: Option<String>,
    /// Of the app of this name or SDKAppID.
    app: Option<String>,
    /// With a name like this; `*` stands for any text.
    #[serde(rename = "match")]
    #[param(rename = "match")]
    like: Option<String>,
    /// Leave out so many.
    from: Option<usize>,
    /// At most so many, up to 2000; 100 if nothing is said.
    limit: Option<usize>,
    /// With their flight recorders.
    records: Option<bool>,
}

struct Filter<'a> {
    wanted: &'a Wanted,
    /// The name of the app; `Some(None)` for that of `[app]`.
    app: Option<Option<Arc<str>>>,
    like: Option<AccountGlob>,
}

impl Filter<'_> {
    fn lets(&self, status: &Status, bots: Option<&Arc<[Arc<str>]>>) -> bool {
        let state = self.wanted.state.as_deref().is_none_or(|states| {
            let is = |state: &str| match state.trim() {
                "away" => !status.phase.is_online(),
                state => state == status.phase.word(),
            };
            states.split(',').any(is)
        });
        let cause = self.wanted.cause.as_deref().is_none_or(|causes| {
            let word = status.cause.word();
            let is = |cause: &str| {
                let rest = word.strip_prefix(cause.trim());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
            };
            causes.split(',').any(is)
        });
        let bot = self
            .wanted
            .bot
            .as_deref()
            .is_none_or(|bot| bots.is_some_and(|bots| bots.iter().any(|name| **name == *bot)));
        let app = self.app.as_ref();
        let app = app.is_none_or(|app| status.account.app() == app.as_deref());
        let like = self.like.as_ref();
        app && state
            && cause
            && bot
            && like.is_none_or(|like| like.matches(status.account.as_str()))
    }
}

/// Some of the accounts.
#[utoipa::path(get, path = "/api/v1/accounts", tag = "accounts", params(Wanted), responses(
    (status = 200, body = AccountPage),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 422, body = Problem),
    (status = 503, body = Problem),
))]
async fn list(
    reader: Reader,
    desk: At,
    wanted: Query<Wanted>,
) -> Result<web::Json<AccountPage>, Refusal> {
    let (desk, wanted) = (desk.0, wanted.0);
    let from = wanted.from.unwrap_or(0);
    let limit = wanted.limit.unwrap_or(USUAL);
    if !(1..=MOST).contains(&limit) {
        return Err(Refusal::invalid(format!(
            "the query is wrong: limit is from 1 to {MOST}"
        )));
    }
    let all = match from {
        0 => desk.status().await?,
        _ => desk.recent_status().await?,
    };
    let config = desk.controller.config();
    let app = match wanted.app.as_deref() {
        Some(name) => match config.app(Some(name)) {
            Some(app) => Some(app.name.clone()),
            None => {
                return Err(Refusal::invalid(format!(
                    "the query is wrong: there is no app {name}"
                )));
            }
        },
        None => None,
    };
    let bots: HashMap<_, _> = desk.controller.bots().into_iter().collect();
    let filter = Filter {
        like: wanted.like.as_deref().map(AccountGlob::new),
        app,
        wanted: &wanted,
    };
    let mut page = AccountPage {
        accounts: Vec::new(),
        total: 0,
        next: None,
    };
    for status in all.iter() {
        let bots = bots.get(&status.account);
        if !reader.0.sees(status.account.as_str()) || !filter.lets(status, bots) {
            continue;
        }
        let number = page.total;
        page.total += 1;
        if number < from {
            continue;
        }
        if page.accounts.len() >= limit {
            page.next = Some(from + limit);
            continue;
        }
        let account = Account::new(status).with_bots(bots);
        page.accounts.push(if wanted.records == Some(true) {
            account.with_records(status)
        } else {
            account
        });
    }
    Ok(web::Json(page))
}

/// One account with its flight recorder.
#[utoipa::path(get, path = "/api/v1/accounts/{account}", tag = "accounts",
    params(("account" = String, Path, description = "Its name: the UserID, with `[[apps]]` behind the app and a slash (`%2F`).")),
    responses(
        (status = 200, body = Account),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 503, body = Problem),
    ))]
async fn one(
    reader: Reader,
    desk: At,
    account: web::Path<String>,
) -> Result<web::Json<Account>, Refusal> {
    reader.0.must_see(&account)?;
    let all = desk.0.status().await?;
    let status = all
        .iter()
        .find(|status| status.account.as_str() == *account);
    let status = status.ok_or_else(|| Refusal::no_account(&account))?;
    let bots = desk.0.controller.bots_of(&account);
    let told = Account::new(status).with_records(status);
    Ok(web::Json(told.with_bots(bots.as_ref())))
}
