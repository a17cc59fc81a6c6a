//! The fleet as a whole, and its store.

use super::{Room, path};
use crate::account::Status;
use crate::admin::caller::{Caller, Reader};
use crate::admin::desk::{At, Desk};
use crate::admin::refusal::Refusal;
use crate::admin::types::{AppOf, Fleet, History, Problem, StoreOf};
use crate::gateway::now;
use actix_web::web;
use std::collections::BTreeMap;
use utoipa::OpenApi;

pub(super) const ROOM: Room = Room {
    mount: |config| {
        config
            .service(path("/api/v1/status").route(web::get().to(fleet)))
            .service(path("/api/v1/history").route(web::get().to(history)))
            .service(path("/api/v1/store").route(web::get().to(store)));
    },
    describe: Described::openapi,
};

#[derive(OpenApi)]
#[openapi(paths(fleet, history, store))]
struct Described;

/// How the fleet stands.
#[utoipa::path(get, path = "/api/v1/status", tag = "fleet", responses(
    (status = 200, body = Fleet),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 503, body = Problem),
))]
async fn fleet(reader: Reader, desk: At) -> Result<web::Json<Fleet>, Refusal> {
    let all = desk.0.status().await?;
    Ok(web::Json(summary(&desk.0, &reader.0, &all)))
}

fn summary(desk: &Desk, caller: &Caller, all: &[Status]) -> Fleet {
    let mut fleet = Fleet {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started: desk.started.as_secs(),
        now: now().unix_secs(),
        accounts: 0,
        online: 0,
        degraded: 0,
        states: BTreeMap::new(),
        causes: BTreeMap::new(),
        next: None,
        blocked_threads: desk.controller.blocked_threads(),
        store: StoreOf::new(&desk.controller.store()),
        socket: desk.moved.clone(),
        apps: AppOf::all(&desk.controller.config()),
        sandbox: desk.sandbox.clone(),
    };
    let seen = all
        .iter()
        .filter(|status| caller.sees(status.account.as_str()));
    for status in seen {
        fleet.accounts += 1;
        let state = status.phase.word().to_owned();
        *fleet.states.entry(state).or_default() += 1;
        if status.phase.is_online() {
            fleet.online += 1;
            fleet.degraded += usize::from(!status.degraded.is_empty());
            continue;
        }
        let cause = status.cause.word().into_owned();
        *fleet.causes.entry(cause).or_default() += 1;
        let next = status.next.map(|at| at.as_secs());
        fleet.next = match (fleet.next, next) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
    fleet
}

/// How many accounts were in which state, every five seconds of the last hour. It is of the whole fleet: a token that is
/// for some accounts gets no samples.
#[utoipa::path(get, path = "/api/v1/history", tag = "fleet", responses(
    (status = 200, body = History),
    (status = 401, body = Problem), (status = 403, body = Problem),
))]
async fn history(reader: Reader, desk: At) -> web::Json<History> {
    let mut history = desk.0.history();
    if !reader.0.sees_all() {
        history.samples.clear();
    }
    web::Json(history)
}

/// How the store is doing.
#[utoipa::path(get, path = "/api/v1/store", tag = "store", responses(
    (status = 200, body = StoreOf),
    (status = 401, body = Problem), (status = 403, body = Problem),
))]
async fn store(_: Reader, desk: At) -> web::Json<StoreOf> {
    web::Json(StoreOf::new(&desk.0.controller.store()))
}
