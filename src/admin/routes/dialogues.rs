//! Dialogues that wait for an answer.

use super::{Room, path};
use crate::admin::body::Query;
use crate::admin::caller::{Operator, Reader};
use crate::admin::desk::At;
use crate::admin::refusal::Refusal;
use crate::admin::types::{DialogueAt, DialoguePage, Done, Problem, ProblemCode, Receiver};
use crate::app::DialogueOf;
use crate::bot::DropDialogueError;
use actix_web::web;
use serde::Deserialize;
use utoipa::{IntoParams, OpenApi};

pub(super) const ROOM: Room = Room {
    mount: |config| {
        config
            .service(path("/api/v1/dialogues").route(web::get().to(list)))
            .service(path("/api/v1/dialogues/{dialogue}").route(web::delete().to(end)));
    },
    describe: Described::openapi,
};

#[derive(OpenApi)]
#[openapi(paths(list, end))]
struct Described;

/// The most dialogues in an answer: each is read from the store.
const MOST: usize = 500;
/// Dialogues in an answer when nothing is said.
const USUAL: usize = 100;

/// Which dialogues.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Of this account.
    account: Option<String>,
    /// Of this bot.
    bot: Option<String>,
    /// With this person.
    person: Option<String>,
    /// Leave out so many.
    from: Option<usize>,
    /// At most so many, up to 500; 100 if nothing is said.
    limit: Option<usize>,
}

impl Wanted {
    fn lets(&self, of: &DialogueOf) -> bool {
        let is =
            |wanted: &Option<String>, value: &str| wanted.as_ref().is_none_or(|it| it == value);
        is(&self.account, of.account())
            && is(&self.bot, of.dialogue().bot())
            && is(&self.person, of.dialogue().user())
    }
}

/// As it stands in paths: numbers of 64 bits are too large for some who read JSON.
fn id(of: &DialogueOf) -> String {
    format!("{:016x}", of.dialogue().id())
}

async fn told(of: &DialogueOf) -> Result<DialogueAt, Refusal> {
    let question = of.question().await?;
    let dialogue = of.dialogue();
    Ok(DialogueAt {
        id: id(of),
        account: of.account().to_owned(),
        bot: dialogue.bot().to_owned(),
        conversation: Receiver::from(dialogue.conversation()),
        person: dialogue.user().to_owned(),
        approver: dialogue.approver.as_ref().map(Receiver::from),
        since: question.as_ref().map(|question| question.since),
        question: question.map(|it| it.text).filter(|it| !it.is_empty()),
        deadline: dialogue.deadline,
    })
}

/// The dialogues that wait for an answer.
#[utoipa::path(get, path = "/api/v1/dialogues", tag = "bots", params(Wanted), responses(
    (status = 200, body = DialoguePage),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 422, body = Problem),
    (status = 503, body = Problem),
))]
async fn list(
    reader: Reader,
    desk: At,
    wanted: Query<Wanted>,
) -> Result<web::Json<DialoguePage>, Refusal> {
    let wanted = wanted.0;
    let from = wanted.from.unwrap_or(0);
    let limit = wanted.limit.unwrap_or(USUAL);
    if !(1..=MOST).contains(&limit) {
        return Err(Refusal::invalid(format!(
            "the query is wrong: limit is from 1 to {MOST}"
        )));
    }
    let mut all = desk.0.controller.dialogues();
    all.retain(|of| reader.0.sees(of.account()) && wanted.lets(of));
    let mut page = DialoguePage {
        dialogues: Vec::new(),
        total: all.len(),
        next: from.checked_add(limit).filter(|next| *next < all.len()),
    };
    for of in all.iter().skip(from).take(limit) {
        page.dialogues.push(told(of).await?);
    }
    Ok(web::Json(page))
}

/// Ends a dialogue. Nobody is told, and what its person says next is no answer.
#[utoipa::path(delete, path = "/api/v1/dialogues/{dialogue}", tag = "bots",
    params(("dialogue" = String, Path, description = "What it is known by.")),
    responses(
        (status = 200, body = Done),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "It is under way at this moment."), (status = 503, body = Problem),
    ))]
async fn end(
    operator: Operator,
    desk: At,
    dialogue: web::Path<String>,
) -> Result<web::Json<Done>, Refusal> {
    let all = desk.0.controller.dialogues();
    let found = all.iter().find(|of| id(of) == *dialogue);
    let found = found.filter(|of| operator.0.sees(of.account()));
    let of = found.ok_or(DropDialogueError::Unknown)?;
    of.end().await?;
    let (account, bot) = (of.account(), of.dialogue().bot());
    tracing::info!(
        account,
        bot,
        by = operator.0.name(),
        "a dialogue was dropped"
    );
    Ok(web::Json(Done::DONE))
}

impl From<DropDialogueError> for Refusal {
    fn from(error: DropDialogueError) -> Self {
        let text = error.to_string();
        match error {
            DropDialogueError::Unknown => Self::new(
                ProblemCode::NotFound,
                text,
                "GET /api/v1/dialogues lists those that there are",
            ),
            DropDialogueError::UnderWay => {
                Self::new(ProblemCode::Conflict, text, "try again in a moment")
            }
            DropDialogueError::Store(error) => error.into(),
        }
    }
}
