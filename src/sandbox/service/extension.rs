//! Extensions: keys and values that an app stores with a message.
//!
//! See "Reactions and extensions" in docs/src/protocol.md.

pub(crate) use crate::table::extension::{Changed, MAX_PAGE};
use crate::{
    commands::{Command, Commands},
    proto::{
        code::Code,
        op::extension::{
            ChangeExtensions, ChangedExtension, ChangedExtensions, ExtensionChange,
            Extensions as Answer, GetExtensions, MAX_CHANGED,
        },
    },
    request::Request,
    service::marks::Target,
    state::State,
};

pub(crate) fn register(commands: &mut Commands) {
    // Both the command name and the body state the kind of conversation.
    for kind in ["", "group_"] {
        let name = |command: &str| format!("openim_msg_ext_http_svc.{kind}{command}");
        commands.both(name("set_key_values"), |c| c, |s, r| s.change_extensions(r));
        commands.both(name("get_key_values"), Command::reads, |s, r| {
            s.extensions_of(r)
        });
    }
}

impl State {
    fn is_extensible(&self, target: &Target) -> bool {
        match target {
            Target::C2c(id) => {
                let message = self.messages.get(id);
                message.is_some_and(|message| message.draft.extension)
            }
            Target::Group(id, seq) => self.is_extensible_entry(id, *seq),
        }
    }

    /// Each key gets its own code; the answer as a whole succeeds.
    fn change_extensions(&mut self, request: &Request<'_>) -> Result<ChangedExtensions, Code> {
        let (now, caller) = (request.now, request.caller);
        let asked: ChangeExtensions = request.read(Code::GROUP_PARAMETER)?;
        let target = self.find_named(caller, &asked.message)?;
        if !self.is_extensible(&target) {
            return Err(Code::EXTENSION_UNSUPPORTED);
        }
        let (what, items) = (asked.what, asked.extensions);
        let fits = items.len() <= MAX_CHANGED && (what == 3 || !items.is_empty());
        if !matches!(what, 1..=3) || !fits {
            return Err(Code::GROUP_PARAMETER);
        }
        let marks = self.marks_mut(&target).ok_or(Code::C2C_UNKNOWN_MESSAGE)?;
        let kept = &mut marks.extensions;
        let (mut results, mut changed) = (Vec::new(), Vec::new());
        if what == 3 {
            kept.clear();
        }
        for item in items.iter().filter(|_| what != 3) {
            let value = if what == 1 { item.value.as_str() } else { "" };
            let code = kept.change(&item.key, value, item.seq);
            let extension = kept.extension(&item.key);
            if code.is_ok() {
                changed.push(extension.clone());
            }
            results.push(ChangedExtension {
                code: code.0,
                extension,
            });
        }
        let (seq, cleared) = (kept.changes, kept.cleared);
        if what == 3 || !changed.is_empty() {
            let name = self.name_of(&target);
            let mut change = ExtensionChange::default();
            change.tiny_id = name.tiny_id();
            change.seq = seq;
            (change.c2c, change.group) = (name.c2c, name.group);
            let change = match what {
                1 => change.of_set(changed),
                2 => change.of_deleted(changed),
                _ => change.of_cleared(cleared),
            };
            let event = Changed { event: 32, change };
            self.push_about(now, caller, &target, caller.instance, &event);
        }
        Ok(ChangedExtensions {
            seq,
            latest: seq,
            cleared,
            results,
        })
    }

    fn extensions_of(&self, request: &Request<'_>) -> Result<Answer, Code> {
        let asked: GetExtensions = request.read(Code::GROUP_PARAMETER)?;
        let target = self.find_named(request.caller, &asked.message)?;
        let marks = self.marks(&target).ok_or(Code::C2C_UNKNOWN_MESSAGE)?;
        let mut list = marks.extensions.since(asked.from.unwrap_or(0));
        let complete = list.len() <= MAX_PAGE;
        list.truncate(MAX_PAGE);
        Ok(Answer {
            list,
            complete,
            latest: marks.extensions.changes,
            cleared: marks.extensions.cleared,
        })
    }
}
