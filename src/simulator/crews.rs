//! The groups of the simulated world, and what is said in them.

use super::ledger::Place;
use super::world::World;
use crate::proto::code::Code;
use crate::proto::id::UserId;
use crate::sandbox::state::Actor;
use serde_json::{Value, json};

/// Who is in a group.
#[derive(Debug)]
pub(super) struct Crew {
    pub(super) id: String,
    /// Who speaks in it.
    speaker: UserId,
    /// Accounts by number.
    members: Vec<usize>,
}

impl World {
    /// Makes the groups, each with accounts that are drawn for it.
    pub(super) fn make_groups(&mut self) {
        let names = self.options.accounts;
        for number in 0..self.options.groups {
            let id = format!("group-{number}");
            let Ok(speaker) = UserId::parse(&format!("speaker-{number}")) else {
                continue;
            };
            self.server.import(&speaker);
            let mut all: Vec<usize> = (0..names).collect();
            self.rng.shuffle(&mut all);
            all.truncate(self.options.group_size);
            all.sort_unstable();
            for name in &all {
                let user = self.users[*name].clone();
                self.server.import(&user);
            }
            let members: Vec<Value> = all
                .iter()
                .map(|name| json!({"Member_Account": self.users[*name]}))
                .collect();
            let body = json!({
                "Type": "Public", "Name": id, "GroupId": id, "Owner_Account": speaker,
                "MemberList": members,
            });
            let actor = Actor {
                user: speaker.clone(),
                instance: 0,
                admin: true,
            };
            let now = self.clock();
            let made =
                self.server
                    .group_command(now, &actor, "group_open_http_svc.create_group", &body);
            if matches!(made, Some(Ok(_))) {
                self.crews.push(Crew {
                    id,
                    speaker,
                    members: all,
                });
            }
        }
        self.serve();
    }

    /// A group that an account is in.
    pub(super) fn group_of(&self, account: usize) -> Option<usize> {
        let name = account % self.options.accounts;
        let mut crews = self.crews.iter();
        crews.position(|crew| crew.members.contains(&name))
    }

    /// Somebody says something in a group.
    pub(super) fn say_in(&mut self, group: usize) -> Result<(), Code> {
        let Some(crew) = self.crews.get(group) else {
            return Ok(());
        };
        let (id, members) = (crew.id.clone(), crew.members.clone());
        let speaker = crew.speaker.clone();
        let number = self.ledger.next();
        let text = format!("{id}#{number}");
        let now = self.clock();
        let seq = self.server.say_to_group(now, &speaker, &id, &text)?;
        for name in members {
            self.owe(name, number, Place::Group(id.as_str().into(), seq));
        }
        self.serve();
        Ok(())
    }
}
