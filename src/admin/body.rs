//! Bodies and queries of requests, with limits on length and time, and an error that names the place.

use super::refusal::Refusal;
use super::types::ProblemCode;
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::http::header;
use actix_web::web::{self, Bytes};
use actix_web::{FromRequest, HttpRequest};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use std::future::{Ready, ready};
use std::time::Duration;

/// The longest body, in bytes.
pub(super) const MAX_BODY: usize = 256 << 10;
/// How long a body may take: a slow sender would hold a connection.
const BODY_TIME: Duration = Duration::from_secs(10);

/// A body in JSON.
#[derive(Debug)]
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned + 'static> FromRequest for Json<T> {
    type Error = Refusal;
    type Future = LocalBoxFuture<'static, Result<Self, Refusal>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let kind = request.headers().get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        let is_json = kind.eq_ignore_ascii_case("application/json");
        let whole = Bytes::from_request(request, payload);
        async move {
            if !is_json {
                return Err(Refusal::new(
                    ProblemCode::NotJson,
                    "the body has to be JSON",
                    "send it with the header Content-Type: application/json",
                ));
            }
            match tokio::time::timeout(BODY_TIME, whole).await {
                Ok(Ok(body)) => parse(&body).map(Self),
                _ => Err(too_large()),
            }
        }
        .boxed_local()
    }
}

/// The whole body of a request.
///
/// # Errors
/// 413 when it is too long, or takes too long.
pub(super) async fn whole(request: &mut ServiceRequest) -> Result<Bytes, Refusal> {
    match tokio::time::timeout(BODY_TIME, request.extract::<Bytes>()).await {
        Ok(Ok(body)) => Ok(body),
        _ => Err(too_large()),
    }
}

fn too_large() -> Refusal {
    Refusal::new(
        ProblemCode::TooLarge,
        "the body is too long, or takes too long",
        format!(
            "send at most {MAX_BODY} bytes, within {} s",
            BODY_TIME.as_secs()
        ),
    )
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let error = error.into_inner();
        Refusal::invalid(match path.as_str() {
            "" | "." => format!("the body is wrong: {error}"),
            path => format!("the body is wrong at {path}: {error}"),
        })
    })?;
    reader
        .end()
        .map_err(|_| Refusal::invalid("the body goes on after its end"))?;
    Ok(value)
}

/// The query behind a path.
#[derive(Debug)]
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = Refusal;
    type Future = Ready<Result<Self, Refusal>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let query = web::Query::<T>::from_query(request.query_string());
        let query = query.map(|query| Self(query.into_inner()));
        ready(query.map_err(|error| Refusal::invalid(format!("the query is wrong: {error}"))))
    }
}
