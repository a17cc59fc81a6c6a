//! The header fields of the answer to the upgrade: the server's time, and how long to stay away.

use actix_service::{Service, forward_ready};
use awc::error::SendRequestError;
use awc::http::StatusCode;
use awc::http::header::{DATE, HeaderMap, RETRY_AFTER};
use awc::middleware::Transform;
use awc::{ConnectRequest, ConnectResponse};
use futures_util::future::LocalBoxFuture;
use std::time::{Duration, UNIX_EPOCH};

/// Longest `Retry-After` that is honoured: after an hour a server is asked again.
const LONGEST: Duration = Duration::from_secs(3600);

/// The server has no room for us now (429, 503).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("status {status}")]
pub(super) struct Busy {
    pub(super) status: u16,
    pub(super) retry_after: Option<Duration>,
}

/// Keeps the header fields of a refused upgrade; awc itself hands on only the status.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeepBusy;

#[derive(Debug)]
pub(super) struct KeepBusyService<S> {
    inner: S,
}

impl<S> Transform<S, ConnectRequest> for KeepBusy
where
    S: Service<ConnectRequest, Response = ConnectResponse, Error = SendRequestError>,
    S::Future: 'static,
{
    type Transform = KeepBusyService<S>;

    fn new_transform(self, service: S) -> Self::Transform {
        KeepBusyService { inner: service }
    }
}

impl<S> Service<ConnectRequest> for KeepBusyService<S>
where
    S: Service<ConnectRequest, Response = ConnectResponse, Error = SendRequestError>,
    S::Future: 'static,
{
    type Response = ConnectResponse;
    type Error = SendRequestError;
    type Future = LocalBoxFuture<'static, Result<ConnectResponse, SendRequestError>>;

    forward_ready!(inner);

    fn call(&self, request: ConnectRequest) -> Self::Future {
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await?;
            if let ConnectResponse::Tunnel(head, _) = &answer
                && matches!(
                    head.status,
                    StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
                )
            {
                let busy = Busy {
                    status: head.status.as_u16(),
                    retry_after: retry_after(&head.headers),
                };
                return Err(SendRequestError::Custom(
                    Box::new(busy),
                    Box::new("upgrade"),
                ));
            }
            Ok(answer)
        })
    }
}

/// `Retry-After`, in seconds or as a date, which is measured against the server's own.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let at = httpdate::parse_http_date(text).ok()?;
            at.duration_since(UNIX_EPOCH)
                .ok()?
                .saturating_sub(date(headers)?)
        }
    };
    Some(wait.min(LONGEST))
}

/// The server's time, as it told it.
pub(super) fn date(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(DATE)?.to_str().ok()?;
    let at = httpdate::parse_http_date(text).ok()?;
    at.duration_since(UNIX_EPOCH).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use awc::http::header::HeaderValue;

    #[test]
    fn retry_after_is_read_in_both_forms_and_capped() {
        let now = "Sun, 06 Nov 1994 08:49:37 GMT";
        for (text, expected) in [
            ("120", Some(120)),
            (" 7 ", Some(7)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("999999999", Some(3600)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(3600)),
            ("-1", None),
            ("99999999999999999999999", None),
            ("soon", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(DATE, HeaderValue::from_static(now));
            headers.insert(RETRY_AFTER, HeaderValue::from_str(text).unwrap());
            let expected = expected.map(Duration::from_secs);
            assert_eq!(retry_after(&headers), expected, "{text}");
        }
    }
}
