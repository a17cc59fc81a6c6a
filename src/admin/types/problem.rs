//! Why a request was refused.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// What is wrong, for people.
    pub error: String,
    /// What is wrong, for programs.
    pub code: ProblemCode,
    /// What to do about it.
    pub remedy: String,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ProblemCode {
    /// 401: no token, or one that nobody knows.
    Unauthorized,
    /// 403: the token does not allow this.
    Forbidden,
    /// 403: a page of another site asks, or the name of this server is not one of its own.
    ForeignSite,
    /// 404: there is no such account, bot, letter or path.
    NotFound,
    /// 405: the path knows other methods.
    MethodNotAllowed,
    /// 409: not in its present state.
    Conflict,
    /// 413: the body is too long, or takes too long.
    TooLarge,
    /// 415: the body has to be JSON.
    NotJson,
    /// 422: the body or the query is not what the description says.
    Invalid,
    /// 429: too many tries, or too many readers.
    TooMany,
    /// 502: the service refused it, or did not answer.
    Service,
    /// 503: the process is starting or ending, or the store cannot be read.
    Unavailable,
}
