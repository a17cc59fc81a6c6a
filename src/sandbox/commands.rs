//! The registry of client commands and REST calls, with their handlers.
//!
//! A service registers each command here once, for the socket, for REST, or for both; command names
//! appear nowhere else. Over REST the app authenticates itself and may act for an account
//! ([`Speaker`]). Names have the socket form `service.command`; the REST path `service/command` has
//! the same name.

use std::{borrow::Cow, collections::hash_map::Entry};

use serde_json::{Value, json, value::RawValue};

use crate::{
    policy::Now,
    proto::code::Code,
    request::{IntoOutcome, Outcome, Request, Speaker},
    state::State,
    wire::Head,
    world::{ConnId, Hashed},
};

type Handler = Box<dyn Fn(&mut State, &Request<'_>) -> Outcome + Send + Sync>;
/// A handler that sends its own answer, at once or later.
pub(crate) type Linked = fn(&mut State, &Request<'_>, ConnId, &Head<'_>);
/// Like [`Linked`], for a command that needs no login.
pub(crate) type Open = fn(&mut State, Now, ConnId, &Head<'_>, &RawValue);

pub(crate) enum Run {
    Answer(Handler),
    Linked(Linked),
    Open(Open),
}

/// How a command reads its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Body {
    /// The body must be an object.
    Object,
    /// The body is an object; anything else counts as an empty object.
    Any,
    /// The handler parses the text.
    Text,
}

/// A command and its requirements.
pub(crate) struct Command {
    pub(crate) run: Run,
    body: Body,
    speaker: Speaker,
    /// The code if the caller's account does not exist; `None` if the account is not required.
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

    /// Marks a command that does not change anything a snapshot holds.
    pub(crate) const fn reads(&mut self) -> &mut Self {
        self.reads = true;
        self
    }

    /// Also executes the command for clients whose ticket or UserSig is refused.
    pub(crate) const fn without_login(&mut self) -> &mut Self {
        self.without_login = true;
        self
    }

    /// Marks a command that may change the members or roles of the named group.
    pub(crate) const fn membership(&mut self) -> &mut Self {
        self.membership = true;
        self
    }

    /// Treats a body that is not an object as an empty object.
    pub(crate) const fn any_body(&mut self) -> &mut Self {
        self.body = Body::Any;
        self
    }

    /// Lets the handler parse the body's text, because message elements are stored as written.
    pub(crate) const fn reads_text(&mut self) -> &mut Self {
        self.body = Body::Text;
        self
    }

    /// Refuses the command with this code if the caller's account does not exist.
    pub(crate) const fn for_accounts(&mut self, otherwise: Code) -> &mut Self {
        self.unknown_caller = Some(otherwise);
        self
    }

    /// In a REST call, the app acts for an account.
    pub(crate) const fn speaks_for(&mut self, speaker: Speaker) -> &mut Self {
        self.speaker = speaker;
        self
    }

    /// The account for which the app acts.
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

    /// The text of a parsed body; empty if the handler does not read it.
    pub(crate) fn text_of(&self, body: &Value) -> String {
        match self.body {
            Body::Text => body.to_string(),
            Body::Any | Body::Object => String::new(),
        }
    }

    /// The body for the handler; `unreadable` if the body must be an object and is not.
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

/// The service under which group commands are registered.
const GROUP: &str = "group_open_http_svc";
/// Services that serve the same commands. Only the lists of groups and applications differ.
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

/// The commands of one side (clients or REST), by name.
#[derive(Default)]
struct Table {
    commands: Hashed<Cow<'static, str>, Command>,
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
    /// Registers a client command.
    pub(crate) fn socket<A: IntoOutcome>(
        &mut self,
        name: &'static str,
        run: impl Fn(&mut State, &Request<'_>) -> A + Send + Sync + 'static,
    ) -> &mut Command {
        self.socket.add(name, handler(run))
    }

    /// Registers a client command whose handler sends its own answer.
    pub(crate) fn linked(&mut self, name: &'static str, run: Linked) -> &mut Command {
        let run = Run::Linked(run);
        self.socket.add(name, run)
    }

    /// Registers a client command that needs no login and whose handler sends its own answer.
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

    /// Registers a command for clients and for REST; `terms` sets its requirements for both.
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

    /// Registers a group command for clients and for REST, under every group service.
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

    /// Registers a group command for REST only.
    pub(crate) fn group_rest<A: IntoOutcome>(
        &mut self,
        command: &'static str,
        run: impl Fn(&mut State, &Request<'_>) -> A + Send + Sync + 'static,
    ) -> &mut Command {
        let name = format!("{GROUP}.{command}");
        self.rest.add(name, handler(run))
    }

    /// For each side, the number of commands and the names that were registered more than once.
    #[cfg(test)]
    pub(crate) fn sides(&self) -> [(usize, &[String]); 2] {
        [&self.socket, &self.rest].map(|side| (side.commands.len(), &*side.doubled))
    }

    /// The client command with this name.
    pub(crate) fn of_client(&self, servcmd: &str) -> Option<&Command> {
        self.socket.find(servcmd)
    }

    /// The names of all REST calls, in order.
    pub(crate) fn names_of_app(&self) -> impl Iterator<Item = &str> {
        let names = self.rest.commands.keys().map(|name| &**name);
        let mut names: Vec<&str> = names.collect();
        names.sort_unstable();
        names.into_iter()
    }

    /// The REST call with this name.
    pub(crate) fn of_app(&self, servcmd: &str) -> Option<&Command> {
        self.rest.find(servcmd)
    }
}

/// A group command, for clients and for REST.
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
