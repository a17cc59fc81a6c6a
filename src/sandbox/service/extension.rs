//! Extensions: keys and values that an app keeps with a message. They rest on "Reactions and extensions" of
//! docs/protocol.md.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    commands::{Command, Commands, Request},
    proto::{
        code::Code,
        op::extension::{
            ChangeExtensions, ChangedExtension, ChangedExtensions, Extension, ExtensionChange,
            Extensions as Answer, GetExtensions, MAX_CHANGED, MAX_EXTENSIONS,
        },
    },
    service::marks::Target,
    state::{State, snapshot::shape},
};

/// The longest key and value in bytes.
const MAX_KEY: usize = 100;
const MAX_VALUE: usize = 1024;
/// Extensions in one page.
const MAX_PAGE: usize = 100;

/// The extensions of one message.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Extensions {
    /// Values and the number of their last change. A deleted one stays, with an empty value, so that
    /// who comes back hears of it.
    extensions: BTreeMap<String, (String, u64)>,
    /// The number of the last change.
    #[serde(deserialize_with = "shape::counter")]
    changes: u64,
    /// The change that deleted all.
    cleared: u64,
}

impl Extensions {
    pub(crate) const NONE: Self = Self {
        extensions: BTreeMap::new(),
        changes: 0,
        cleared: 0,
    };

    fn clear(&mut self) {
        self.changes += 1;
        self.cleared = self.changes;
        self.extensions.clear();
    }

    /// Sets or deletes one, if `known` is the number of its last change.
    fn change(&mut self, key: &str, value: &str, known: u64) -> Code {
        let now = self.extensions.get(key).map_or(0, |(_, seq)| *seq);
        if key.is_empty() || key.len() > MAX_KEY || value.len() > MAX_VALUE {
            return Code::GROUP_PARAMETER;
        }
        if now != known {
            return Code::EXTENSION_CONFLICT;
        }
        if now == 0 && self.extensions.len() >= MAX_EXTENSIONS {
            // One that was deleted long ago makes room.
            let deleted = self.extensions.iter();
            let deleted = deleted.filter(|(_, (value, _))| value.is_empty());
            let oldest = deleted.min_by_key(|(_, (_, seq))| *seq);
            let Some(oldest) = oldest.map(|(key, _)| key.clone()) else {
                return Code::EXTENSIONS_FULL;
            };
            self.extensions.remove(&oldest);
        }
        self.changes += 1;
        let entry = (value.to_owned(), self.changes);
        self.extensions.insert(key.to_owned(), entry);
        Code::OK
    }

    fn extension(&self, key: &str) -> Extension {
        let (value, seq) = self.extensions.get(key).cloned().unwrap_or_default();
        Extension {
            key: key.to_owned(),
            value,
            seq,
            ..Extension::default()
        }
    }

    /// Those changed at or after a change, by the number of their last one.
    fn since(&self, from: u64) -> Vec<Extension> {
        let keys = self.extensions.keys();
        let mut list: Vec<Extension> = keys.map(|key| self.extension(key)).collect();
        list.retain(|extension| extension.seq >= from);
        list.sort_by_key(|extension| extension.seq);
        list
    }
}

/// `MsgExtensionNotify`: the extensions of a message have changed.
#[derive(Serialize)]
struct Changed {
    #[serde(rename = "Event")]
    event: u8,
    #[serde(rename = "MsgExtensionNotify")]
    change: ExtensionChange,
}

pub(crate) fn register(commands: &mut Commands) {
    // The names say of which kind the message is, and the body says it again.
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

    /// Each key has a code of its own; the answer as a whole is a success.
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
