//! The registry: every command of clients and every call of the REST API, with what carries it out.
//!
//! A service registers its commands here, once, for the socket, for REST or for both; nothing else knows the
//! name of a command. Over REST the app authenticates itself and may speak for an account ([`Speaker`]).
//! Names are those of the socket, `service.command`; the path `service/command` of a REST call is the same
//! name.

use std::{
    borrow::Cow,
    collections::{BTreeMap, btree_map::Entry},
    sync::LazyLock,
};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json, value::RawValue};

use crate::{
    policy::Now,
    proto::code::Code,
    state::State,
    wire::Head,
    world::{Caller, ConnId, ok_with},
};

/// A command that is being carried out.
pub(crate) struct Request<'a> {
    pub(crate) now: Now,
    pub(crate) caller: &'a Caller,
    /// The connection of a client; `None` for a REST call.
    pub(crate) conn: Option<ConnId>,
    /// The service it was sent to: the groups have four.
    pub(crate) service: &'a str,
    /// The body, an object; `Null` for a command that reads [`text`](Self::text).
    pub(crate) body: &'a Value,
    /// The body as it was sent.
    pub(crate) text: &'a str,
}

impl<'a> Request<'a> {
    /// The time, the caller and the body.
    pub(crate) const fn parts(&self) -> (Now, &'a Caller, &'a Value) {
        (self.now, self.caller, self.body)
    }

    /// The body as a request of `proto::op`; refused with this code if it is none.
    pub(crate) fn read<T: Deserialize<'a>>(&self, unreadable: Code) -> Result<T, Code> {
        T::deserialize(self.body).map_err(|_| unreadable)
    }

    /// True for a group command that was sent to the service of the communities.
    pub(crate) fn is_about_communities(&self) -> bool {
        self.service.starts_with("million_")
    }
}

/// Why a command is refused.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) code: Code,
    /// What REST answers say; the meaning of the code when there is nothing better.
    pub(crate) info: Option<String>,
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        Self { code, info: None }
    }
}

/// The fields of an answer, or the reason for a failure.
pub(crate) type Outcome = Result<Value, Refusal>;

/// What a handler may return.
pub(crate) trait IntoOutcome {
    fn into_outcome(self) -> Outcome;
}

impl IntoOutcome for Value {
    fn into_outcome(self) -> Outcome {
        Ok(self)
    }
}

impl<T: Serialize, E: Into<Refusal>> IntoOutcome for Result<T, E> {
    fn into_outcome(self) -> Outcome {
        let answer = self.map_err(Into::into)?;
        // Only a map whose keys are no text cannot be written, and no answer has one.
        Ok(serde_json::to_value(answer).unwrap_or_default())
    }
}

type Handler = Box<dyn Fn(&mut State, &Request<'_>) -> Outcome + Send + Sync>;
/// Answers by itself, at once or later.
pub(crate) type Linked = fn(&mut State, &Request<'_>, ConnId, &Head);
/// The same for a command that needs no login.
pub(crate) type Open = fn(&mut State, Now, ConnId, &Head, &RawValue);

pub(crate) enum Run {
    Answer(Handler),
    Linked(Linked),
    Open(Open),
}

/// What a command wants of its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Body {
    /// An object.
    Object,
    /// An object; anything else counts as an empty one.
    Any,
    /// It reads the text itself.
    Text,
}

/// For whom the app speaks in a REST call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Speaker {
    /// For itself.
    App,
    /// For the account in `From_Account`.
    Account {
        /// The code when there is none.
        missing: Code,
        /// With the rights of the app, not only those of the account.
        admin: bool,
    },
}

/// A command and its terms.
pub(crate) struct Command {
    pub(crate) run: Run,
    body: Body,
    speaker: Speaker,
    /// The code when the account of the caller does not exist; `None` if that does not matter.
    unknown_caller: Option<Code>,
    reads: bool,
    without_login: bool,
    membership: bool,
}

impl Command {
    fn new(run: Run) -> Self {
        Self {
            run,
            body: Body::Object,
            speaker: Speaker::App,
            unknown_caller: None,
            reads: false,
            without_login: false,
            membership: false,
        }
    }

    /// It changes nothing that a snapshot holds.
    pub(crate) const fn reads(&mut self) -> &mut Self {
        self.reads = true;
        self
    }

    /// It is carried out also for those whose ticket or UserSig is refused.
    pub(crate) const fn without_login(&mut self) -> &mut Self {
        self.without_login = true;
        self
    }

    /// It may change who is a member of the group it names, and in which role.
    pub(crate) const fn membership(&mut self) -> &mut Self {
        self.membership = true;
        self
    }

    /// A body that is no object counts as an empty one.
    pub(crate) const fn any_body(&mut self) -> &mut Self {
        self.body = Body::Any;
        self
    }

    /// It reads the text of its body itself, as elements of messages are kept as they were written.
    pub(crate) const fn reads_text(&mut self) -> &mut Self {
        self.body = Body::Text;
        self
    }

    /// It is refused with this code when the account of the caller does not exist.
    pub(crate) const fn for_accounts(&mut self, otherwise: Code) -> &mut Self {
        self.unknown_caller = Some(otherwise);
        self
    }

    /// In a REST call the app speaks for an account.
    pub(crate) const fn speaks_for(&mut self, speaker: Speaker) -> &mut Self {
        self.speaker = speaker;
        self
    }

    /// For whom the app speaks.
    pub(crate) const fn speaker(&self) -> Speaker {
        self.speaker
    }

    pub(crate) const fn needs_no_login(&self) -> bool {
        self.without_login
    }

    pub(crate) const fn changes_nothing(&self) -> bool {
        self.reads
    }

    pub(crate) const fn is_about_membership(&self) -> bool {
        self.membership
    }

    pub(crate) const fn unknown_caller(&self) -> Option<Code> {
        self.unknown_caller
    }

    /// The body for the handler; `unreadable` if it has to be an object and is none.
    pub(crate) fn read(&self, text: &str, unreadable: Code) -> Result<Value, Code> {
        if self.body == Body::Text {
            return Ok(Value::Null);
        }
        let body = serde_json::from_str::<Value>(text).ok();
        match body.filter(Value::is_object) {
            Some(body) => Ok(body),
            None if self.body == Body::Any => Ok(json!({})),
            None => Err(unreadable),
        }
    }
}

/// The services under which group commands exist, and the one that stands for them here. Which one is used
/// says nothing, except to the lists of groups and applications.
const GROUP: &str = "group_open_http_svc";
const GROUP_SERVICES: [&str; 3] = [
    "million_group_open_http_svc",
    "group_open_attr_http_svc",
    "group_open_avchatroom_http_svc",
];

/// All commands.
#[derive(Default)]
pub(crate) struct Commands {
    socket: Table,
    rest: Table,
}

static COMMANDS: LazyLock<Commands> = LazyLock::new(|| {
    let mut commands = Commands::default();
    crate::service::register(&mut commands);
    commands
});

/// The registry.
pub(crate) fn commands() -> &'static Commands {
    &COMMANDS
}

/// The commands of one side, by name.
#[derive(Default)]
struct Table {
    commands: BTreeMap<Cow<'static, str>, Command>,
    /// Names that were registered more than once.
    doubled: Vec<String>,
}

impl Table {
    fn add(&mut self, name: impl Into<Cow<'static, str>>, run: Run) -> &mut Command {
        match self.commands.entry(name.into()) {
            Entry::Vacant(entry) => entry.insert(Command::new(run)),
            Entry::Occupied(entry) => {
                self.doubled.push(entry.key().to_string());
                entry.into_mut()
            }
        }
    }

    fn find(&self, name: &str) -> Option<&Command> {
        match name.split_once('.') {
            Some((service, command)) if GROUP_SERVICES.contains(&service) => {
                self.commands.get(&*format!("{GROUP}.{command}"))
            }
            _ => self.commands.get(name),
        }
    }
}

fn handler<A: IntoOutcome>(
    handler: impl Fn(&mut State, &Request<'_>) -> A + Send + Sync + 'static,
) -> Run {
    Run::Answer(Box::new(move |state, request| {
        handler(state, request).into_outcome()
    }))
}

impl Commands {
    /// Registers a command of clients.
    pub(crate) fn socket<A: IntoOutcome>(
        &mut self,
        name: &'static str,
        run: impl Fn(&mut State, &Request<'_>) -> A + Send + Sync + 'static,
    ) -> &mut Command {
        self.socket.add(name, handler(run))
    }

    /// Registers a command of clients that answers by itself.
    pub(crate) fn linked(&mut self, name: &'static str, run: Linked) -> &mut Command {
        let run = Run::Linked(run);
        self.socket.add(name, run)
    }

    /// Registers a command of clients that answers by itself and needs no login.
    pub(crate) fn open(&mut self, name: &'static str, run: Open) -> &mut Command {
        let run = Run::Open(run);
        self.socket.add(name, run)
    }

    /// Registers a REST call.
    pub(crate) fn rest<A: IntoOutcome>(
        &mut self,
        name: &'static str,
        run: impl Fn(&mut State, &Request<'_>) -> A + Send + Sync + 'static,
    ) -> &mut Command {
        self.rest.add(name, handler(run))
    }

    /// Registers a command of clients that the app has as well; `terms` sets them for both.
    pub(crate) fn both<A: IntoOutcome>(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        terms: impl Fn(&mut Command) -> &mut Command,
        run: impl Fn(&mut State, &Request<'_>) -> A + Clone + Send + Sync + 'static,
    ) {
        let name = name.into();
        terms(self.socket.add(name.clone(), handler(run.clone())));
        terms(self.rest.add(name, handler(run)));
    }

    /// Registers a group command, for clients and for the app, under every service of the groups.
    pub(crate) fn group<A: IntoOutcome>(
        &mut self,
        command: &'static str,
        run: impl Fn(&mut State, &Request<'_>) -> A + Clone + Send + Sync + 'static,
    ) -> GroupCommand<'_> {
        let name = format!("{GROUP}.{command}");
        let socket = self.socket.add(name.clone(), handler(run.clone()));
        let rest = self.rest.add(name, handler(run));
        socket.any_body();
        GroupCommand { socket, rest }
    }

    /// Registers a group call that only the app has.
    pub(crate) fn group_rest<A: IntoOutcome>(
        &mut self,
        command: &'static str,
        run: impl Fn(&mut State, &Request<'_>) -> A + Send + Sync + 'static,
    ) -> &mut Command {
        let name = format!("{GROUP}.{command}");
        self.rest.add(name, handler(run))
    }

    /// The command of clients of this name.
    pub(crate) fn of_client(&self, servcmd: &str) -> Option<&Command> {
        self.socket.find(servcmd)
    }

    /// The names of all REST calls.
    pub(crate) fn names_of_app(&self) -> impl Iterator<Item = &str> {
        self.rest.commands.keys().map(|name| &**name)
    }

    /// The REST call of this name.
    pub(crate) fn of_app(&self, servcmd: &str) -> Option<&Command> {
        self.rest.find(servcmd)
    }
}

/// A group command, for both.
pub(crate) struct GroupCommand<'a> {
    socket: &'a mut Command,
    rest: &'a mut Command,
}

impl GroupCommand<'_> {
    /// See [`Command::reads`].
    pub(crate) const fn reads(self) -> Self {
        self.socket.reads();
        self.rest.reads();
        self
    }

    /// See [`Command::membership`].
    pub(crate) const fn membership(self) -> Self {
        self.socket.membership();
        self.rest.membership();
        self
    }
}

impl State {
    /// Runs a command on these terms.
    pub(crate) fn run(&mut self, command: &Command, request: &Request<'_>) -> Outcome {
        let Run::Answer(handler) = &command.run else {
            return Err(Code::BAD_REQUEST.into());
        };
        if let Some(code) = command.unknown_caller()
            && !self.has_account(&request.caller.user)
        {
            return Err(code.into());
        }
        let group = command.is_about_membership().then_some(request.body);
        let group = group.and_then(|body| body.get("GroupId")?.as_str());
        // A topic is nobody's to join or leave by itself, nor to end.
        if group.is_some_and(|id| self.is_topic(id)) {
            return Err(Code::GROUP_UNKNOWN.into());
        }
        let outcome = handler(self, request);
        // A member's request may be carried out in part; a stranger's that is refused changes nothing, and
        // must not have a large Community looked through.
        if let Some(id) = group
            && (outcome.is_ok() || self.is_in_group(id, request.caller))
        {
            self.align_topics(request.now, id);
        }
        outcome
    }

    /// Carries out a command as if a client of `caller` had sent it, without a login.
    pub(crate) fn call(
        &mut self,
        now: Now,
        caller: &Caller,
        servcmd: &str,
        body: &Value,
    ) -> Result<Value, Code> {
        let command = commands().of_client(servcmd).ok_or(Code::BAD_REQUEST)?;
        let text = match command.body {
            Body::Text => body.to_string(),
            Body::Any | Body::Object => String::new(),
        };
        let (service, _) = servcmd.split_once('.').unwrap_or_default();
        let request = Request {
            now,
            caller,
            conn: None,
            service,
            body,
            text: &text,
        };
        let outcome = self.run(command, &request);
        outcome.map(ok_with).map_err(|refusal| refusal.code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_command_is_registered_twice() {
        for table in [&commands().socket, &commands().rest] {
            assert_eq!(table.doubled, Vec::<String>::new());
            assert!(table.commands.len() > 80, "{}", table.commands.len());
        }
    }

    #[test]
    fn a_group_command_has_every_service_of_the_groups() {
        for service in ["group_open_http_svc", "million_group_open_http_svc"] {
            let name = format!("{service}.create_group");
            assert!(commands().of_client(&name).is_some() && commands().of_app(&name).is_some());
        }
        assert!(commands().of_client("recentcontact.create_group").is_none());
        assert!(commands().of_client("").is_none());
    }
}
