//! The end of this process in favour of another one.

use super::{Room, path};
use crate::admin::body::Json;
use crate::admin::caller::Administrator;
use crate::admin::desk::At;
use crate::admin::refusal::Refusal;
use crate::admin::types::{Done, NewHandover, Problem, ProblemCode};
use crate::config::Endpoint;
use actix_web::web;
use utoipa::OpenApi;

pub(super) const ROOM: Room = Room {
    mount: |config| {
        config.service(path("/api/v1/handover").route(web::post().to(hand_over)));
    },
    describe: Described::openapi,
};

#[derive(OpenApi)]
#[openapi(paths(hand_over))]
struct Described;

/// Has the process let go of its accounts and end, so that another one goes on with their logins. What that one needs is
/// written to the Unix socket that it names, when the store and the lock are free. Over the control socket only.
#[utoipa::path(post, path = "/api/v1/handover", tag = "config",
    request_body = NewHandover,
    responses(
        (status = 200, body = Done, description = "It begins."),
        (status = 401, body = Problem),
        (status = 403, body = Problem, description = "It did not come over the control socket."),
        (status = 409, body = Problem, description = "The logins end with this process."),
        (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem),
        (status = 429, body = Problem), (status = 503, body = Problem),
    ))]
async fn hand_over(
    administrator: Administrator,
    desk: At,
    new: Json<NewHandover>,
) -> Result<web::Json<Done>, Refusal> {
    desk.0.alive()?;
    if !administrator.0.is_owner() {
        return Err(Refusal::new(
            ProblemCode::Forbidden,
            "logins are handed over to the owner of the control socket only",
            "use `botroupe run --takeover` on the machine of the process",
        ));
    }
    let config = desk.0.controller.config();
    if config
        .apps
        .iter()
        .any(|app| app.endpoint == Endpoint::Sandbox)
    {
        return Err(Refusal::new(
            ProblemCode::Conflict,
            "the embedded server ends with this process, and every login with it",
            "stop the process and start it anew, or run `botroupe sandbox` as a process of its own",
        ));
    }
    let Some(begin) = &desk.0.handover else {
        return Err(Refusal::new(
            ProblemCode::Conflict,
            "this program cannot hand over",
            "start it with `botroupe run`",
        ));
    };
    match begin.try_send(new.0) {
        Ok(()) => Ok(web::Json(Done::DONE)),
        Err(_) => Err(Refusal::new(
            ProblemCode::Conflict,
            "the process is handing over or stopping already",
            "wait for it to end",
        )),
    }
}
