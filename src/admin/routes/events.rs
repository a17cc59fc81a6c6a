//! Every change of every account, as server-sent events.

use super::{Room, path};
use crate::admin::body::Query;
use crate::admin::caller::{Caller, Reader};
use crate::admin::desk::At;
use crate::admin::feed::{Follower, Told};
use crate::admin::refusal::Refusal;
use crate::admin::sse::{self, BEAT, Pieces, STILL_HERE, to_json, write_event};
use crate::admin::types::{Change, Hello, Missed, Problem, ProblemCode};
use crate::config::AccountGlob;
use crate::gateway::now;
use actix_web::web::{self, Bytes, BytesMut};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};
use utoipa::{IntoParams, OpenApi};

pub(super) const ROOM: Room = Room {
    mount: |config| {
        config.service(path("/api/v1/events").route(web::get().to(events)));
    },
    describe: Described::openapi,
};

#[derive(OpenApi)]
#[openapi(paths(events), components(schemas(Hello, Change, Missed)))]
struct Described;

/// Which changes.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Of accounts with a UserID like this; `*` stands for any text.
    #[serde(rename = "match")]
    #[param(rename = "match")]
    like: Option<String>,
}

/// Follows the changes of all accounts.
///
/// The first event is `hello` ([Hello](#/components/schemas/Hello)). Then there is a `change`
/// ([Change](#/components/schemas/Change)) for every change, and `missed` ([Missed](#/components/schemas/Missed)) when
/// the reader was so slow that changes were dropped: nobody waits for a reader. With the header `Last-Event-ID` a stream
/// goes on where another one ended, as far as the last 8,192 changes reach back.
#[utoipa::path(get, path = "/api/v1/events", tag = "fleet",
    params(Wanted, ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was seen.")),
    responses(
        (status = 200, content_type = "text/event-stream", body = String),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 422, body = Problem),
        (status = 429, body = Problem, description = "Too many follow already."),
    ))]
async fn events(
    reader: Reader,
    desk: At,
    wanted: Query<Wanted>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    let desk = desk.0;
    let place = desk.places.clone().try_acquire_owned();
    let place = place.map_err(|_| {
        Refusal::new(
            ProblemCode::TooMany,
            "too many follow the changes already",
            "close one of the streams",
        )
        .after(Duration::from_secs(5))
    })?;
    // Numbers begin anew with each process.
    let run = desk.started.as_millis();
    let last = request.headers().get("Last-Event-ID");
    let last = last.and_then(|last| last.to_str().ok()?.strip_prefix(&format!("{run}-")));
    let last = last.and_then(|last| last.parse().ok());
    let newest = desk.feed.newest();
    let seq = last.map_or(newest, |last: u64| last.min(newest));
    let hello = Hello {
        seq,
        now: now().unix_secs(),
    };
    let mut first = BytesMut::new();
    write_event(&mut first, "hello", None, &to_json(&hello));
    let reading = Reading {
        follower: desk.feed.follow(seq),
        caller: reader.0,
        like: wanted.0.like.as_deref().map(AccountGlob::new),
        run,
        first: Some(first.freeze()),
        _place: place,
    };
    Ok(sse::answer(reading))
}

struct Reading {
    follower: Follower,
    caller: Caller,
    like: Option<AccountGlob>,
    run: u128,
    first: Option<Bytes>,
    _place: OwnedSemaphorePermit,
}

impl Pieces for Reading {
    async fn next(&mut self) -> Bytes {
        if let Some(first) = self.first.take() {
            return first;
        }
        let beat = Instant::now() + BEAT;
        loop {
            let Ok((missed, told)) = timeout_at(beat, self.follower.next()).await else {
                return STILL_HERE;
            };
            let mut out = BytesMut::new();
            if missed > 0 {
                write_event(&mut out, "missed", None, &to_json(&Missed { missed }));
            }
            for told in told.iter().filter(|told| self.wants(told)) {
                let id = format!("{}-{}", self.run, told.seq);
                write_event(&mut out, "change", Some(&id), &told.json);
            }
            if !out.is_empty() {
                return out.freeze();
            }
        }
    }
}

impl Reading {
    fn wants(&self, told: &Told) -> bool {
        let like = self.like.as_ref();
        self.caller.sees(&told.user) && like.is_none_or(|like| like.matches(&told.user))
    }
}
