//! Whether the process is well, for probes, and its figures for Prometheus.

use super::{Room, path};
use crate::admin::caller::Reader;
use crate::admin::desk::At;
use crate::admin::metrics;
use crate::admin::refusal::Refusal;
use crate::admin::types::{Health, Problem, Readiness};
use actix_web::{HttpResponse, web};
use utoipa::OpenApi;

pub(super) const ROOM: Room = Room {
    mount: |config| {
        config
            .service(path("/healthz").route(web::get().to(healthz)))
            .service(path("/readyz").route(web::get().to(readyz)))
            .service(path("/metrics").route(web::get().to(figures)));
    },
    describe: Described::openapi,
};

#[derive(OpenApi)]
#[openapi(paths(healthz, readyz, figures))]
struct Described;

/// Whether the process and the supervisor of its accounts are alive. This needs no token.
#[utoipa::path(get, path = "/healthz", tag = "health", security(()), responses(
    (status = 200, body = Health), (status = 503, body = Health),
))]
async fn healthz(desk: At) -> HttpResponse {
    let alive = desk.0.controller.is_alive();
    answer(alive).json(Health { alive })
}

/// Whether as many accounts are online as `admin.ready_share` says. This needs no token.
#[utoipa::path(get, path = "/readyz", tag = "health", security(()), responses(
    (status = 200, body = Readiness), (status = 503, body = Readiness),
))]
async fn readyz(desk: At) -> HttpResponse {
    let controller = &desk.0.controller;
    let (online, accounts) = (controller.online().await, controller.accounts());
    #[expect(clippy::cast_precision_loss, reason = "a share is rounded anyway")]
    let wanted = accounts as f64 * desk.0.config().admin.ready_share;
    #[expect(clippy::cast_precision_loss, reason = "a share is rounded anyway")]
    let ready = controller.is_alive() && online as f64 >= wanted;
    answer(ready).json(Readiness {
        ready,
        online,
        accounts,
    })
}

fn answer(well: bool) -> actix_web::HttpResponseBuilder {
    if well {
        HttpResponse::Ok()
    } else {
        HttpResponse::ServiceUnavailable()
    }
}

/// Figures in the text format of Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "health", responses(
    (status = 200, content_type = "text/plain", body = String),
    (status = 401, body = Problem), (status = 403, body = Problem),
))]
async fn figures(_: Reader, desk: At) -> Result<HttpResponse, Refusal> {
    let text = metrics::write(metrics::gather(&desk.0).await);
    let text = text.map_err(|error| Refusal::unavailable(error.to_string()))?;
    Ok(HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(text))
}
