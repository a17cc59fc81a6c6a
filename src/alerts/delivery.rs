//! One try to bring a notice to its receiver.

use super::form::{Verdict, plain, request, verdict};
use crate::account::SendError;
use crate::bot::{Api, ApiError};
use crate::config::AlertTarget;
use crate::gateway::{http_client, is_lost, now, without_url};
use awc::http::header;
use botroupe_core::alerts::{Delivery, Notice};
use secrecy::ExposeSecret;
use std::time::Duration;
use tokio::time::timeout;

/// How long a receiver may take to answer.
const LIMIT: Duration = Duration::from_secs(10);
/// The most bytes of an answer.
const MAX_ANSWER: usize = 64 * 1024;

/// Why a notice was not delivered. It shows neither URLs nor secrets.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeliveryError {
    /// It may be taken later.
    #[error("{0}; it is tried again")]
    Later(String),
    /// It will not be taken.
    #[error("{0}; look at url and secret of this receiver, and run `botroupe alerts test`")]
    Refused(String),
    /// The account that should write is not there.
    #[error("the account that should write does not run here")]
    NoAccount,
}

impl DeliveryError {
    /// What it means for the notice.
    #[must_use]
    pub const fn delivery(&self) -> Delivery {
        match self {
            Self::Later(_) => Delivery::Later,
            Self::Refused(_) | Self::NoAccount => Delivery::Never,
        }
    }
}

/// Tells a notice of `fleet` to a receiver, with an ID that stays the same through every try. `api` is the way of the
/// account that writes, where one does. It takes ten seconds at most.
///
/// # Errors
/// [`DeliveryError`].
pub async fn deliver(
    to: &AlertTarget,
    api: Option<&Api>,
    notice: &Notice,
    (fleet, id): (&str, &str),
) -> Result<(), DeliveryError> {
    let told = async {
        match to {
            AlertTarget::Account { user, .. } => {
                let api = api.ok_or(DeliveryError::NoAccount)?;
                let text = plain(notice, fleet);
                let sent = api.user(user.as_str()).send_now(text).key(id).await;
                sent.map(drop).map_err(|error| of_account(&error))
            }
            _ => post(to, notice, (fleet, id)).await,
        }
    };
    match timeout(LIMIT, told).await {
        Ok(told) => told,
        Err(_) => Err(DeliveryError::Later("no answer within 10 s".to_owned())),
    }
}

fn of_account(error: &ApiError) -> DeliveryError {
    match error {
        ApiError::Send(SendError::NotReady) => {
            DeliveryError::Later("the account that writes is offline".to_owned())
        }
        ApiError::Id(_) => DeliveryError::Refused(error.to_string()),
        _ => DeliveryError::Later(error.to_string()),
    }
}

async fn post(to: &AlertTarget, notice: &Notice, names: (&str, &str)) -> Result<(), DeliveryError> {
    let Some(request) = request(to, notice, names, now().unix) else {
        return Err(DeliveryError::NoAccount);
    };
    let mut post = http_client()
        .post(request.url.expose_secret())
        .insert_header((header::CONTENT_TYPE, "application/json; charset=utf-8"))
        .insert_header((
            header::USER_AGENT,
            concat!("botroupe/", env!("CARGO_PKG_VERSION")),
        ));
    for header in request.headers {
        post = post.insert_header(header);
    }
    let sent = post.send_body(request.body).await;
    let mut answer = sent.map_err(|error| {
        let reason = without_url(&error);
        match is_lost(&error) {
            true => DeliveryError::Later(reason),
            false => DeliveryError::Refused(reason),
        }
    })?;
    let status = answer.status().as_u16();
    let body = answer.body().limit(MAX_ANSWER).await.unwrap_or_default();
    match verdict(to, status, &body) {
        Verdict::Taken => Ok(()),
        Verdict::Later(reason) => Err(DeliveryError::Later(reason)),
        Verdict::Refused(reason) => Err(DeliveryError::Refused(reason)),
    }
}
