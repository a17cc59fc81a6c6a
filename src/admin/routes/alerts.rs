//! What fires, and keeping it quiet.

use super::{Room, path};
use crate::admin::alerts::{AlertBoard, Silencing};
use crate::admin::body::Json;
use crate::admin::caller::{Caller, Operator, Reader};
use crate::admin::desk::{At, Desk};
use crate::admin::refusal::Refusal;
use crate::admin::types::{AlertList, Done, NewSilence, Problem, ProblemCode, SilenceOf};
use crate::config::parse_duration;
use actix_web::web;
use botroupe_core::alerts::Rule;
use std::sync::Arc;
use std::time::Duration;
use utoipa::OpenApi;

pub(super) const ROOM: Room = Room {
    mount: |config| {
        config
            .service(path("/api/v1/alerts").route(web::get().to(list)))
            .service(path("/api/v1/alerts/silences").route(web::post().to(silence)))
            .service(path("/api/v1/alerts/silences/{silence}").route(web::delete().to(unsilence)));
    },
    describe: Described::openapi,
};

#[derive(OpenApi)]
#[openapi(paths(list, silence, unsilence))]
struct Described;

/// The shortest and the longest silence.
const SHORTEST: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(30 * 86_400);
/// The longest reason, in characters.
const REASON: usize = 500;

fn board(desk: &Desk) -> Result<&Arc<dyn AlertBoard>, Refusal> {
    desk.alerts.as_ref().ok_or_else(|| {
        Refusal::new(
            ProblemCode::Conflict,
            "nobody watches this fleet for alerts",
            "alerts belong to `botroupe run`; the program that runs this fleet sees its changes at /api/v1/events",
        )
    })
}

fn gone() -> Refusal {
    Refusal::unavailable("whoever watches the fleet for alerts has ended")
}

/// Whether an alert or a silence of this account is shown to somebody; those of the whole fleet are for those who see
/// it.
fn is_shown(caller: &Caller, account: Option<&str>) -> bool {
    account.map_or_else(|| caller.sees_all(), |account| caller.sees(account))
}

/// What fires, since when, and what of it is kept quiet.
///
/// Without a receiver in `[[alerts]]` it is what one would be told that leaves out nothing.
#[utoipa::path(get, path = "/api/v1/alerts", tag = "alerts", responses(
    (status = 200, body = AlertList),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 409, body = Problem, description = "Nobody watches this fleet."), (status = 503, body = Problem),
))]
async fn list(reader: Reader, desk: At) -> Result<web::Json<AlertList>, Refusal> {
    let mut told = board(&desk.0)?.told().await.ok_or_else(gone)?;
    told.alerts
        .retain(|alert| is_shown(&reader.0, alert.account.as_deref()));
    told.silences
        .retain(|silence| is_shown(&reader.0, silence.account.as_deref()));
    Ok(web::Json(told))
}

/// Keeps some alerts quiet for a while. What still fires after that is told then. It is forgotten with the process.
#[utoipa::path(post, path = "/api/v1/alerts/silences", tag = "alerts",
    request_body = NewSilence,
    responses(
        (status = 200, body = SilenceOf),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "Nobody watches this fleet."),
        (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem),
        (status = 429, body = Problem, description = "Too many silences last."),
        (status = 503, body = Problem),
    ))]
async fn silence(
    operator: Operator,
    desk: At,
    new: Json<NewSilence>,
) -> Result<web::Json<SilenceOf>, Refusal> {
    let NewSilence {
        rule,
        account,
        long,
        reason,
    } = new.0;
    let bad = |at: &str, why: String| Refusal::invalid(format!("the body is wrong at {at}: {why}"));
    let rule = rule.map(|name| {
        let known = || Rule::ALL.map(Rule::name).join(", ");
        Rule::from_name(&name)
            .ok_or_else(|| bad("rule", format!("no rule is called {name:?} ({})", known())))
    });
    let rule = rule.transpose()?;
    match &account {
        Some(account) if account.is_empty() => {
            return Err(bad("account", "it is empty".to_owned()));
        }
        Some(account) => operator.0.must_see(account)?,
        None if operator.0.sees_all() => {}
        None => {
            return Err(bad(
                "account",
                "the token is for some accounts only; name them".to_owned(),
            ));
        }
    }
    let long = parse_duration(&long).map_err(|error| bad("for", error.to_string()))?;
    if !(SHORTEST..=LONGEST).contains(&long) {
        return Err(bad("for", "it is from a minute to 30 days".to_owned()));
    }
    if reason.chars().count() > REASON {
        return Err(bad(
            "reason",
            format!("it is longer than {REASON} characters"),
        ));
    }
    let by = operator.0.name().to_owned();
    let made = board(&desk.0)?.silence(Silencing {
        rule,
        account,
        long,
        reason,
        by,
    });
    let made = made.await.ok_or_else(gone)?.ok_or_else(|| {
        Refusal::new(
            ProblemCode::TooMany,
            "there are too many silences",
            "end some, or silence more with one: a rule, or accounts with a *",
        )
    })?;
    tracing::info!(
        silence = made.number,
        rule = made.rule,
        account = made.account,
        by = made.by,
        "alerts are kept quiet"
    );
    Ok(web::Json(made))
}

/// Ends a silence.
#[utoipa::path(delete, path = "/api/v1/alerts/silences/{silence}", tag = "alerts",
    params(("silence" = u64, Path, description = "Its number.")),
    responses(
        (status = 200, body = Done),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "Nobody watches this fleet."), (status = 503, body = Problem),
    ))]
async fn unsilence(
    operator: Operator,
    desk: At,
    number: web::Path<u64>,
) -> Result<web::Json<Done>, Refusal> {
    let none = || {
        Refusal::new(
            ProblemCode::NotFound,
            format!("there is no silence {number}"),
            "GET /api/v1/alerts lists those that there are",
        )
    };
    let board = board(&desk.0)?;
    let told = board.told().await.ok_or_else(gone)?;
    let found = told.silences.iter().find(|it| it.number == *number);
    let is_own = found.is_some_and(|it| is_shown(&operator.0, it.account.as_deref()));
    if !is_own {
        return Err(none());
    }
    let ended = board.unsilence(*number).await.ok_or_else(gone)?;
    ended.ok_or_else(none)?;
    tracing::info!(
        silence = *number,
        by = operator.0.name(),
        "a silence was ended"
    );
    Ok(web::Json(Done::DONE))
}
