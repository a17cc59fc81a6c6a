//! The log of the process: its last lines, a stream of them, and its levels.

use super::{Room, path};
use crate::admin::body::{Json, Query};
use crate::admin::caller::{Caller, Operator, Reader};
use crate::admin::desk::{At, Desk};
use crate::admin::logs::{LogPart, LogReader, Logs, Wanted};
use crate::admin::refusal::Refusal;
use crate::admin::sse::{self, BEAT, Pieces, STILL_HERE, to_json, write_event};
use crate::admin::types::{
    HelloLog, LevelName, LevelsOfLog, LogLine, LogPage, Missed, NewLevel, Problem, ProblemCode,
};
use crate::config::{AccountGlob, AdminScope, LogLevel, parse_duration};
use actix_web::web::{self, Bytes, BytesMut};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};
use utoipa::{IntoParams, OpenApi};

pub(super) const ROOM: Room = Room {
    mount: |config| {
        config
            .service(path("/api/v1/logs").route(web::get().to(last)))
            .service(path("/api/v1/logs/stream").route(web::get().to(stream)))
            .service(
                path("/api/v1/logs/levels")
                    .route(web::get().to(levels))
                    .route(web::put().to(set_level)),
            );
    },
    describe: Described::openapi,
};

#[derive(OpenApi)]
#[openapi(
    paths(last, stream, levels, set_level),
    components(schemas(HelloLog, LogLine, Missed))
)]
struct Described;

/// The most lines in an answer.
const MOST: usize = 1000;
/// Lines in an answer when nothing is said.
const USUAL: usize = 100;
/// How long a level stays when nothing is said.
const AN_HOUR: Duration = Duration::from_secs(3600);
/// The longest and the shortest time for a level.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
const SHORTEST: Duration = Duration::from_secs(1);

/// Which lines.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Lines {
    /// Of what concerns accounts with a UserID like this; `*` stands for any text.
    account: Option<String>,
    /// No less important than this. A level that is not logged is not there either.
    level: Option<LevelName>,
    /// At most so many of the last ones, up to 1000; 100 if nothing is said.
    last: Option<usize>,
}

impl Lines {
    /// What of it somebody may see: lines of their accounts, and those of no account if every account is theirs.
    fn wanted(&self, caller: &Caller) -> Wanted {
        let glob = self.account.as_deref().map(AccountGlob::new);
        let caller = caller.clone();
        Wanted {
            level: self.level.map_or(LogLevel::Trace, LogLevel::from),
            of: Box::new(move |account| match (account, &glob) {
                (None, glob) => glob.is_none() && caller.sees_all(),
                (Some(account), None) => caller.sees(account),
                (Some(account), Some(glob)) => glob.matches(account) && caller.sees(account),
            }),
        }
    }

    fn last(&self) -> Result<usize, Refusal> {
        match self.last.unwrap_or(USUAL) {
            last if last <= MOST => Ok(last),
            _ => Err(Refusal::invalid(format!(
                "the query is wrong: last is at most {MOST}"
            ))),
        }
    }
}

fn logs(desk: &Desk) -> Result<&Logs, Refusal> {
    desk.logs.as_ref().ok_or_else(|| {
        Refusal::new(
            ProblemCode::Conflict,
            "the log of this process is not in the hands of botroupe",
            "the program that runs the fleet sets up its own log: look there, or run the fleet with `botroupe run`",
        )
    })
}

/// The last lines of the log.
#[utoipa::path(get, path = "/api/v1/logs", tag = "logs", params(Lines), responses(
    (status = 200, body = LogPage),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 409, body = Problem, description = "The program has a log of its own."),
    (status = 422, body = Problem),
))]
async fn last(
    reader: Reader,
    desk: At,
    lines: Query<Lines>,
) -> Result<web::Json<LogPage>, Refusal> {
    let last = lines.0.last()?;
    let told = logs(&desk.0)?.tail.last(&lines.0.wanted(&reader.0), last);
    let lines = told.iter().map(|told| serde_json::from_slice(&told.json));
    Ok(web::Json(LogPage {
        lines: lines.filter_map(Result::ok).collect(),
    }))
}

/// Follows the log.
///
/// The first event is `hello` ([HelloLog](#/components/schemas/HelloLog)). Then there are the last lines, and the next as
/// they come, each a `line` ([LogLine](#/components/schemas/LogLine)). `missed` ([Missed](#/components/schemas/Missed))
/// says how many lines were lost because the reader was so slow: the log waits for nobody. With the header
/// `Last-Event-ID` a stream goes on where another one ended, as far as the last 2,000 lines reach back.
#[utoipa::path(get, path = "/api/v1/logs/stream", tag = "logs",
    params(Lines, ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was seen.")),
    responses(
        (status = 200, content_type = "text/event-stream", body = String),
        (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 409, body = Problem, description = "The program has a log of its own."),
        (status = 422, body = Problem),
        (status = 429, body = Problem, description = "Too many follow already."),
    ))]
async fn stream(
    reader: Reader,
    desk: At,
    lines: Query<Lines>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    let desk = desk.0;
    let tail = &logs(&desk)?.tail;
    let most = lines.0.last()?;
    let place = desk.log_places.clone().try_acquire_owned();
    let place = place.map_err(|_| {
        Refusal::new(
            ProblemCode::TooMany,
            "too many follow the log already",
            "close one of the streams",
        )
        .after(Duration::from_secs(5))
    })?;
    // Numbers begin anew with each process.
    let run = desk.started.as_millis();
    let seen = request.headers().get("Last-Event-ID");
    let seen = seen.and_then(|seen| seen.to_str().ok()?.strip_prefix(&format!("{run}-")));
    let seen = seen.and_then(|seen| seen.parse::<u64>().ok());
    let mut first = BytesMut::new();
    let seq = tail.newest();
    write_event(&mut first, "hello", None, &to_json(&HelloLog { seq }));
    Ok(sse::answer(Reading {
        reader: tail.follow(
            lines.0.wanted(&reader.0),
            seen.unwrap_or(0),
            if seen.is_some() { MOST } else { most },
        ),
        run,
        first: Some(first.freeze()),
        _place: place,
    }))
}

struct Reading {
    reader: LogReader,
    run: u128,
    first: Option<Bytes>,
    _place: OwnedSemaphorePermit,
}

impl Pieces for Reading {
    async fn next(&mut self) -> Bytes {
        if let Some(first) = self.first.take() {
            return first;
        }
        let Ok((missed, told)) = timeout_at(Instant::now() + BEAT, self.reader.next()).await else {
            return STILL_HERE;
        };
        let mut out = BytesMut::new();
        if missed > 0 {
            write_event(&mut out, "missed", None, &to_json(&Missed { missed }));
        }
        for told in &told {
            let id = format!("{}-{}", self.run, told.seq);
            write_event(&mut out, "line", Some(&id), &told.json);
        }
        out.freeze()
    }
}

/// What of the levels somebody may see.
fn shown(caller: &Caller, mut levels: LevelsOfLog) -> LevelsOfLog {
    levels.accounts.retain(|pattern, _| caller.sees(pattern));
    let is_shown = |account: &Option<String>| account.as_ref().is_none_or(|it| caller.sees(it));
    levels.temporary.retain(|level| is_shown(&level.account));
    levels
}

/// What is logged at present.
#[utoipa::path(get, path = "/api/v1/logs/levels", tag = "logs", responses(
    (status = 200, body = LevelsOfLog),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 409, body = Problem, description = "The program has a log of its own."),
))]
async fn levels(reader: Reader, desk: At) -> Result<web::Json<LevelsOfLog>, Refusal> {
    let levels = logs(&desk.0)?.levels.told();
    Ok(web::Json(shown(&reader.0, levels)))
}

/// Gives a part of the log a level for a while, or takes that back.
///
/// An account takes the scope `operate`; a module, or the whole, is for `admin`. A level that stays is written in the
/// section `[log]` of the config.
#[utoipa::path(put, path = "/api/v1/logs/levels", tag = "logs",
    request_body = NewLevel,
    responses(
        (status = 200, body = LevelsOfLog),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "The program has a log of its own."),
        (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem),
    ))]
async fn set_level(
    operator: Operator,
    desk: At,
    new: Json<NewLevel>,
) -> Result<web::Json<LevelsOfLog>, Refusal> {
    let NewLevel {
        module,
        account,
        level,
        long,
    } = new.0;
    let part = match (module, account) {
        (Some(_), Some(_)) => {
            return Err(Refusal::invalid(
                "the body is wrong: a level is for a module or an account",
            ));
        }
        (Some(module), None) => LogPart::Module(module),
        (None, Some(account)) => LogPart::Account(account),
        (None, None) => LogPart::Whole,
    };
    match &part {
        // A pattern that a pattern of theirs stands for stands for none but their accounts.
        LogPart::Account(account) => operator.0.must_see(account)?,
        LogPart::Whole | LogPart::Module(_) => operator.0.may(AdminScope::Admin)?,
    }
    let long = long.as_deref().map(parse_duration).transpose();
    let long = long.map_err(|error| Refusal::invalid(format!("the body is wrong at for: {error}")));
    let long = long?.unwrap_or(AN_HOUR);
    if !(SHORTEST..=LONGEST).contains(&long) {
        return Err(Refusal::invalid(
            "the body is wrong at for: it is from a second to a day; a level that stays belongs in [log]",
        ));
    }
    let logs = logs(&desk.0)?;
    let set = logs
        .levels
        .set(part.clone(), level.map(LogLevel::from), long);
    set.map_err(Refusal::invalid)?;
    tracing::info!(
        ?part,
        ?level,
        by = operator.0.name(),
        "a level of the log was changed"
    );
    Ok(web::Json(shown(&operator.0, logs.levels.told())))
}
