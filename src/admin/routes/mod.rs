//! The paths of the API.
//!
//! A new path is a file here: handlers with their `#[utoipa::path]`, a `mount` and a `describe`, and its line in [`ALL`].

#![allow(
    unused_qualifications,
    reason = "the descriptions that macros make name everything in full"
)]

mod accounts;
mod alerts;
mod audit;
mod bots;
mod console;
mod conversations;
mod dialogues;
mod events;
mod handover;
mod health;
mod logs;
mod messages;
mod openapi;
mod orders;
mod outbox;
mod reload;
mod session;
mod status;
mod talk;

pub use openapi::describe;

use super::refusal::Refusal;
use super::types::ProblemCode;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, Resource};
use utoipa::openapi::OpenApi;

/// A file of paths.
struct Room {
    /// Adds its paths to the server.
    mount: fn(&mut ServiceConfig),
    /// Describes them.
    describe: fn() -> OpenApi,
}

/// Every file of paths.
const ALL: &[Room] = &[
    status::ROOM,
    accounts::ROOM,
    orders::ROOM,
    conversations::ROOM,
    bots::ROOM,
    dialogues::ROOM,
    messages::ROOM,
    outbox::ROOM,
    reload::ROOM,
    handover::ROOM,
    events::ROOM,
    logs::ROOM,
    alerts::ROOM,
    audit::ROOM,
    session::ROOM,
    talk::ROOM,
    console::ROOM,
    health::ROOM,
    openapi::ROOM,
];

/// Adds every path to a server.
pub(super) fn mount(config: &mut ServiceConfig) {
    for room in ALL {
        (room.mount)(config);
    }
}

/// A path, whose other methods are refused with words.
fn path(path: &str) -> Resource {
    web::resource(path).default_service(web::to(not_this_method))
}

async fn not_this_method() -> Result<HttpResponse, Refusal> {
    Err(Refusal::new(
        ProblemCode::MethodNotAllowed,
        "the path does not know this method",
        "/api/v1/openapi.json lists the methods of each path",
    ))
}

/// The answer to every other path.
pub(super) async fn no_such_path() -> Result<HttpResponse, Refusal> {
    Err(unknown_part())
}

/// A path, or a part of one, that is none of those there are.
pub(super) fn unknown_part() -> Refusal {
    Refusal::new(
        ProblemCode::NotFound,
        "there is no such path",
        "/api/v1/openapi.json lists those that there are",
    )
}

/// Whether it is asked by probes, which have no token and know the server by any name.
pub(super) fn is_probe(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz")
}
