//! The config of the process, read anew.

use super::{Room, path};
use crate::admin::caller::Administrator;
use crate::admin::desk::{At, Desk};
use crate::admin::refusal::Refusal;
use crate::admin::source::ConfigSource;
use crate::admin::types::{Problem, ProblemCode, ReloadPlan};
use crate::app::ReloadError;
use crate::config::Config;
use actix_web::web;
use utoipa::OpenApi;

pub(super) const ROOM: Room = Room {
    mount: |config| {
        config
            .service(path("/api/v1/plan").route(web::post().to(plan)))
            .service(path("/api/v1/reload").route(web::post().to(reload)));
    },
    describe: Described::openapi,
};

#[derive(OpenApi)]
#[openapi(paths(plan, reload))]
struct Described;

/// Reads the config anew, and says what putting it in the place of the running one would do.
#[utoipa::path(post, path = "/api/v1/plan", tag = "config", responses(
    (status = 200, body = ReloadPlan),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 409, body = Problem, description = "The process has no config file."),
    (status = 422, body = Problem, description = "The config is wrong; every mistake is named."),
    (status = 429, body = Problem), (status = 503, body = Problem),
))]
async fn plan(_: Administrator, desk: At) -> Result<web::Json<ReloadPlan>, Refusal> {
    let config = read(&desk.0).await?;
    let plan = desk.0.controller.plan(config).await?;
    Ok(web::Json(plan.into()))
}

/// Reads the config anew and puts it in the place of the running one: as a whole, or not at all. Answered when all that
/// leave have logged out, and all others have set out.
#[utoipa::path(post, path = "/api/v1/reload", tag = "config", responses(
    (status = 200, body = ReloadPlan),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 409, body = Problem, description = "Only a restart can change it, or there is no config file."),
    (status = 422, body = Problem, description = "The config is wrong; nothing has changed."),
    (status = 429, body = Problem), (status = 503, body = Problem),
))]
async fn reload(administrator: Administrator, desk: At) -> Result<web::Json<ReloadPlan>, Refusal> {
    let _under_way = desk.0.source.as_ref().map(ConfigSource::begin);
    let config = read(&desk.0).await?;
    let done = desk.0.controller.reload(config).await?;
    tracing::info!(by = administrator.0.name(), "reloaded the config");
    Ok(web::Json(done.into()))
}

async fn read(desk: &Desk) -> Result<Config, Refusal> {
    desk.alive()?;
    let Some(source) = desk.source.clone() else {
        return Err(Refusal::new(
            ProblemCode::Conflict,
            "the process has no config that it could read anew",
            "start it with `botroupe run`",
        ));
    };
    // The disk may be slow, and bots are made to check their settings.
    match tokio::task::spawn_blocking(move || source.read()).await {
        Ok(Ok(config)) => Ok(config),
        Ok(Err(mistakes)) => Err(Refusal::new(
            ProblemCode::Invalid,
            mistakes,
            "correct the config; nothing has changed",
        )),
        Err(error) => Err(Refusal::unavailable(error.to_string())),
    }
}

impl From<ReloadError> for Refusal {
    fn from(error: ReloadError) -> Self {
        let text = error.to_string();
        match error {
            ReloadError::NeedsRestart(_) => Self::new(
                ProblemCode::Conflict,
                text,
                "restart the process, or take these changes back",
            ),
            ReloadError::Start(_) | ReloadError::NotMade { .. } => Self::new(
                ProblemCode::Invalid,
                text,
                "correct the config; nothing has changed",
            ),
            ReloadError::Store(_) | ReloadError::StoreHangs | ReloadError::Ended => {
                Self::unavailable(text)
            }
        }
    }
}
