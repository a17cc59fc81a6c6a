//! The description of the API.

use super::{ALL, Room, path};
use crate::admin::caller::Known;
use crate::admin::types::Problem;
use actix_web::web;
use utoipa::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{self, Components, Info, Paths, SecurityRequirement};

pub(super) const ROOM: Room = Room {
    mount: |config| {
        config.service(path("/api/v1/openapi.json").route(web::get().to(description)));
    },
    describe: Described::openapi,
};

#[derive(OpenApi)]
#[openapi(paths(description))]
struct Described;

/// This description.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "session", responses(
    (status = 200, body = Object), (status = 401, body = Problem),
))]
async fn description(_: Known) -> web::Json<openapi::OpenApi> {
    web::Json(describe())
}

/// The description of every path, in OpenAPI 3.1.
#[must_use]
pub fn describe() -> openapi::OpenApi {
    let mut whole = openapi::OpenApi::new(Info::new("Botroupe", "v1"), Paths::new());
    for room in ALL {
        whole.merge((room.describe)());
    }
    let components = whole.components.get_or_insert_with(Components::new);
    let token = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    components.add_security_scheme("token", token);
    whole.security = Some(vec![SecurityRequirement::new("token", [""; 0])]);
    whole
}
