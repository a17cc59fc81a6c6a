//! The conversations of an account, and what waits in them.

use super::{Room, path};
use crate::admin::caller::Reader;
use crate::admin::desk::{At, Desk};
use crate::admin::refusal::Refusal;
use crate::admin::types::{ConversationOf, Conversations, Problem, Receiver};
use crate::proto::message::Conversation;
use crate::proto::op::conversation::Listed;
use actix_web::web;
use botroupe_core::ledger::LetterState;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::time::Duration;
use utoipa::OpenApi;

pub(super) const ROOM: Room = Room {
    mount: |config| {
        let list = path("/api/v1/accounts/{account}/conversations");
        config.service(list.route(web::get().to(list_of)));
    },
    describe: Described::openapi,
};

#[derive(OpenApi)]
#[openapi(paths(list_of))]
struct Described;

/// How long to wait for the service.
const PATIENCE: Duration = Duration::from_secs(10);
/// Conversations in an answer.
const MOST: usize = 200;

impl ConversationOf {
    fn new(with: &Conversation) -> Self {
        Self {
            with: Receiver::from(with),
            unread: 0,
            waiting: 0,
            failed: 0,
            dialogues: 0,
            last: None,
        }
    }

    const fn is_waiting(&self) -> bool {
        self.unread > 0 || self.waiting + self.failed + self.dialogues > 0
    }
}

/// The conversations of an account, with what waits in them. The service is asked for that.
#[utoipa::path(get, path = "/api/v1/accounts/{account}/conversations", tag = "accounts",
    params(("account" = String, Path, description = "Its name: the UserID, with `[[apps]]` behind the app and a slash (`%2F`).")),
    responses(
        (status = 200, body = Conversations),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 503, body = Problem),
    ))]
async fn list_of(
    reader: Reader,
    desk: At,
    account: web::Path<String>,
) -> Result<web::Json<Conversations>, Refusal> {
    reader.0.must_see(&account)?;
    let desk = desk.0;
    let (listed, unknown) = match listed(&desk, &account).await? {
        Ok(listed) => (listed, None),
        Err(why) => (Vec::new(), Some(why)),
    };
    let mut all: HashMap<Conversation, ConversationOf> = HashMap::new();
    for listed in listed {
        let with = listed.conversation();
        let of = all
            .entry(with.clone())
            .or_insert_with(|| ConversationOf::new(&with));
        of.unread = listed.unread;
        of.last = Some(listed.time).filter(|time| *time > 0);
    }
    let mut of = |with: &Conversation, count: fn(&mut ConversationOf)| {
        count(
            all.entry(with.clone())
                .or_insert_with(|| ConversationOf::new(with)),
        );
    };
    for (letter, from) in desk.controller.letters().await? {
        if from == *account {
            of(
                &letter.to,
                match letter.state {
                    LetterState::Queued => |of| of.waiting += 1,
                    LetterState::Ended(_) => |of| of.failed += 1,
                },
            );
        }
    }
    for dialogue in desk.controller.dialogues() {
        if dialogue.account() == *account {
            of(dialogue.dialogue().conversation(), |of| of.dialogues += 1);
        }
    }
    let mut conversations: Vec<ConversationOf> = all.into_values().collect();
    conversations.sort_by_key(|of| {
        (
            !of.is_waiting(),
            Reverse(of.last),
            of.with.name().to_owned(),
        )
    });
    let total = conversations.len();
    conversations.truncate(MOST);
    Ok(web::Json(Conversations {
        conversations,
        total,
        unknown,
    }))
}

/// What the service lists, or why it does not.
async fn listed(desk: &Desk, account: &str) -> Result<Result<Vec<Listed>, String>, Refusal> {
    let api = desk.controller.api(account);
    let api = api.ok_or_else(|| Refusal::no_account(account))?;
    if desk.controller.is_ready(account) != Some(true) {
        return Ok(Err(format!("{account} is not online")));
    }
    let asked = tokio::time::timeout(PATIENCE, api.conversations());
    Ok(match asked.await {
        Ok(listed) => listed.map_err(|error| error.to_string()),
        Err(_) => Err("the service has not answered within 10 s".to_owned()),
    })
}
