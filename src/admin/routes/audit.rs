//! What people have ordered.

use super::{Room, path};
use crate::admin::body::Query;
use crate::admin::caller::Administrator;
use crate::admin::desk::At;
use crate::admin::refusal::Refusal;
use crate::admin::types::{AuditOf, AuditPage, AuditVerified, Problem};
use actix_web::web;
use serde::Deserialize;
use utoipa::{IntoParams, OpenApi};

pub(super) const ROOM: Room = Room {
    mount: |config| {
        config
            .service(path("/api/v1/audit").route(web::get().to(list)))
            .service(path("/api/v1/audit/verify").route(web::get().to(verify)));
    },
    describe: Described::openapi,
};

#[derive(OpenApi)]
#[openapi(paths(list, verify))]
struct Described;

/// The most entries in an answer.
const MOST: usize = 1000;
/// Entries in an answer when nothing is said.
const USUAL: usize = 100;

/// Which entries.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Of somebody whose name or address has this in it.
    who: Option<String>,
    /// With this in the method, path or body.
    what: Option<String>,
    /// Older than the entry of this number.
    before: Option<u64>,
    /// At most so many, up to 1000; 100 if nothing is said.
    limit: Option<usize>,
}

/// What was ordered, the newest first.
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit", params(Wanted), responses(
    (status = 200, body = AuditPage),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 422, body = Problem),
    (status = 503, body = Problem),
))]
async fn list(
    _: Administrator,
    desk: At,
    wanted: Query<Wanted>,
) -> Result<web::Json<AuditPage>, Refusal> {
    let wanted = wanted.0;
    let limit = wanted.limit.unwrap_or(USUAL);
    if !(1..=MOST).contains(&limit) {
        return Err(Refusal::invalid(format!(
            "the query is wrong: limit is from 1 to {MOST}"
        )));
    }
    let before = wanted.before.unwrap_or(u64::MAX);
    let (who, what) = (wanted.who.map(lower), wanted.what.map(lower));
    let has = |text: &str, wanted: &Option<String>| {
        let wanted = wanted.as_deref();
        wanted.is_none_or(|wanted| text.to_lowercase().contains(wanted))
    };
    let found = desk.0.controller.audited(before, limit, move |entry| {
        let deed = &entry.deed;
        (has(&deed.who, &who) || has(&deed.origin, &who)) && has(&deed.what, &what)
    });
    let (entries, next) = found.await?;
    Ok(web::Json(AuditPage {
        entries: entries.into_iter().map(AuditOf::from).collect(),
        next,
    }))
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is given to `Option::map`"
)]
fn lower(text: String) -> String {
    text.to_lowercase()
}

/// Whether every entry is as it was written, as `botroupe audit verify` says.
#[utoipa::path(get, path = "/api/v1/audit/verify", tag = "audit", responses(
    (status = 200, body = AuditVerified),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 503, body = Problem),
))]
async fn verify(_: Administrator, desk: At) -> Result<web::Json<AuditVerified>, Refusal> {
    let (check, broken) = desk.0.controller.verify_audit().await?;
    let (entries, head) = check.head();
    let pruned = check.finish().ok().flatten();
    Ok(web::Json(AuditVerified {
        entries,
        head: head.to_string(),
        pruned: pruned.map_or(0, |anchor| anchor.number),
        broken: broken.map(|broken| broken.to_string()),
    }))
}
