//! Refused requests: what is wrong, with a status code and a remedy.

use super::types::{Problem, ProblemCode};
use crate::app::{BotChangeError, OrderError, OutboxOrderError};
use crate::bot::{ApiError, Kind};
use crate::config::AdminScope;
use crate::store::StoreError;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use std::fmt;
use std::time::Duration;

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    problem: Problem,
    /// When to try again.
    retry_after: Option<Duration>,
}

impl Refusal {
    pub(super) fn new(
        code: ProblemCode,
        error: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            problem: Problem {
                error: error.into(),
                code,
                remedy: remedy.into(),
            },
            retry_after: None,
        }
    }

    /// With the time after which to try again.
    pub(super) const fn after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    pub(super) fn unauthorized(error: &str) -> Self {
        Self::new(
            ProblemCode::Unauthorized,
            error,
            "send a token as `Authorization: Bearer TOKEN`; `botroupe token new NAME` makes one",
        )
    }

    /// The token lacks a scope.
    pub(super) fn lacks(scope: AdminScope) -> Self {
        let scope = scope.name();
        Self::new(
            ProblemCode::Forbidden,
            format!("the token has not the scope {scope:?}"),
            format!(
                "add {scope:?} to the scopes of the token in [[admin.tokens]], or use another token"
            ),
        )
    }

    /// Also for accounts that the token is not for: it learns nothing of them.
    pub(super) fn no_account(account: &str) -> Self {
        Self::new(
            ProblemCode::NotFound,
            format!("there is no account {account}"),
            "GET /api/v1/accounts lists those that there are",
        )
    }

    pub(super) fn invalid(error: impl Into<String>) -> Self {
        Self::new(
            ProblemCode::Invalid,
            error,
            "/api/v1/openapi.json describes what is expected",
        )
    }

    pub(super) fn unavailable(error: impl Into<String>) -> Self {
        Self::new(ProblemCode::Unavailable, error, "try again in a moment")
    }

    /// The supervisor of the accounts died.
    pub(super) fn no_supervisor() -> Self {
        Self::new(
            ProblemCode::Unavailable,
            "the supervisor of its accounts died; restart it",
            "restart the process",
        )
    }

    /// What is refused, for counting.
    pub(super) const fn code(&self) -> ProblemCode {
        self.problem.code
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem.error)
    }
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        match self.problem.code {
            ProblemCode::Unauthorized => StatusCode::UNAUTHORIZED,
            ProblemCode::Forbidden | ProblemCode::ForeignSite => StatusCode::FORBIDDEN,
            ProblemCode::NotFound => StatusCode::NOT_FOUND,
            ProblemCode::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            ProblemCode::Conflict => StatusCode::CONFLICT,
            ProblemCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            ProblemCode::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ProblemCode::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            ProblemCode::TooMany => StatusCode::TOO_MANY_REQUESTS,
            ProblemCode::Service => StatusCode::BAD_GATEWAY,
            ProblemCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        if let Some(wait) = self.retry_after {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            response.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        if self.problem.code == ProblemCode::Unauthorized {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        response.json(&self.problem)
    }
}

impl From<OrderError> for Refusal {
    fn from(error: OrderError) -> Self {
        let text = error.to_string();
        match error {
            OrderError::Unknown(account) => Self::no_account(&account),
            OrderError::StaysAway { .. } | OrderError::NotRunning(_) => {
                Self::new(ProblemCode::Conflict, text, "order it to resume first")
            }
            OrderError::Busy(_) => Self::new(ProblemCode::TooMany, text, "try again in a moment"),
            OrderError::NoSupervisor => Self::no_supervisor(),
        }
    }
}

impl From<OutboxOrderError> for Refusal {
    fn from(error: OutboxOrderError) -> Self {
        let text = error.to_string();
        match error {
            OutboxOrderError::Unknown(_) => Self::new(
                ProblemCode::NotFound,
                text,
                "GET /api/v1/outbox lists those that there are",
            ),
            OutboxOrderError::UnderWay(_) | OutboxOrderError::Sent(_) => Self::new(
                ProblemCode::Conflict,
                text,
                "only letters that failed, or are unknown, can be retried or dropped",
            ),
            OutboxOrderError::NoAccount(_) => Self::new(
                ProblemCode::Conflict,
                text,
                "add the account to the config, or drop the letter",
            ),
            OutboxOrderError::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::unavailable(error.to_string())
    }
}

impl From<BotChangeError> for Refusal {
    fn from(error: BotChangeError) -> Self {
        let text = error.to_string();
        match error {
            BotChangeError::NoAccount(account) => Self::no_account(&account),
            BotChangeError::UnknownBot(..) => Self::new(
                ProblemCode::NotFound,
                text,
                "GET /api/v1/bots lists those that there are",
            ),
            BotChangeError::NotRunning { .. } => {
                Self::new(ProblemCode::Conflict, text, "enable it first")
            }
            BotChangeError::Repeated(_) => Self::invalid(text),
            BotChangeError::NoTable { .. } | BotChangeError::NotMade { .. } => Self::new(
                ProblemCode::Invalid,
                text,
                "correct the settings; nothing was changed",
            ),
            BotChangeError::Ended => Self::unavailable(text),
        }
    }
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        let text = error.to_string();
        match error.kind() {
            Kind::BadInput => Self::invalid(text),
            Kind::Offline => Self::new(
                ProblemCode::Conflict,
                text,
                "resume the account, or wait until it is online",
            ),
            Kind::Busy => Self::new(ProblemCode::TooMany, text, "try again in a moment"),
            Kind::NotSent => Self::unavailable(text),
            Kind::Refused(_) | Kind::Unknown => Self::new(
                ProblemCode::Service,
                text,
                "look at the history of the conversation before you send it again",
            ),
        }
    }
}
