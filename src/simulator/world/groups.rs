//! The members and messages of groups.

use super::World;
use crate::groups::SimGroup;
use crate::ledger::Place;
use botroupe_proto::code::Code;
use botroupe_proto::id::UserId;

impl World {
    /// Creates the groups with random accounts as members.
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
            let members: Vec<UserId> = all.iter().map(|name| self.users[*name].clone()).collect();
            let now = self.clock();
            if self.server.make_group(now, &id, &speaker, &members) {
                self.crews.push(SimGroup {
                    id,
                    speaker,
                    members: all,
                });
            }
        }
        self.serve();
    }

    /// Returns a group of an account.
    pub(super) fn group_of(&self, account: usize) -> Option<usize> {
        let name = account % self.options.accounts;
        let mut crews = self.crews.iter();
        crews.position(|crew| crew.members.contains(&name))
    }

    /// Sends a message to a group.
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
