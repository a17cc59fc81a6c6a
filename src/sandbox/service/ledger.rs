//! Records of accepted messages, and who has read them.

use serde_json::{Value, value};

use crate::{
    proto::id::UserId,
    service::{c2c_message::stored::Draft, group::message::RecentSend},
    state::{LedgerEntry, State},
    table::ledger::{Place, Record, text_of},
};

impl State {
    /// Records a one-to-one message that is about to be stored. Returns the number of the record.
    pub(crate) fn record_c2c(&mut self, draft: &Draft, time: u64) -> Option<u64> {
        if !self.world.config.ledger || draft.online_only {
            return None;
        }
        self.record(Record {
            from: draft.from.clone(),
            place: Place::User(draft.to.clone(), self.world.next_message),
            seq: draft.seq,
            random: draft.random,
            time,
            text: text_of(&draft.body),
            repeats: 0,
        })
    }

    /// Records a group message from its request. Returns the number of the record.
    pub(crate) fn record_group(
        &mut self,
        id: &str,
        sent: &RecentSend,
        body: &Value,
    ) -> Option<u64> {
        if !self.world.config.ledger {
            return None;
        }
        let body = value::to_raw_value(body.get("MsgBody")?).ok()?;
        self.record(Record {
            from: sent.from.clone(),
            place: Place::Group(id.into()),
            seq: sent.seq,
            random: sent.random,
            time: sent.time,
            text: text_of(&body),
            repeats: 0,
        })
    }

    fn record(&mut self, record: Record) -> Option<u64> {
        let number = self.ledger.add(record);
        if number.is_none() {
            self.world.counters.unrecorded += 1;
        }
        number
    }

    /// The messages that the sandbox accepted, from this number on, `most` at most; none without
    /// `SandboxConfig::ledger`.
    pub fn ledger(&self, from: u64, most: usize) -> Vec<LedgerEntry> {
        let records = self.ledger.from(from).take(most);
        let entries = records.map(|(record, number)| {
            let (to, group, read_by) = match &record.place {
                Place::User(to, position) => {
                    let has_read = self.has_read(to, &record.from, *position);
                    (Some(to.clone()), None, usize::from(has_read))
                }
                Place::Group(id) => {
                    let readers = self.readers_of(id, &record.from, record.seq);
                    (None, Some(id.to_string()), readers)
                }
            };
            LedgerEntry {
                number,
                from: record.from.clone(),
                to,
                group,
                seq: record.seq,
                random: record.random,
                time: record.time,
                text: record.text.to_string(),
                repeats: record.repeats,
                read_by,
            }
        });
        entries.collect()
    }

    /// Returns true if `user` has reported the message of `peer` at this position as read.
    fn has_read(&self, user: &UserId, peer: &UserId, position: u64) -> bool {
        let account = self.world.accounts.get(user);
        let state = account.and_then(|account| account.peers.get(peer));
        state.is_some_and(|state| state.read_up_to >= position)
    }

    /// How many members but the sender have reported a message of a group as read.
    fn readers_of(&self, id: &str, from: &UserId, seq: u64) -> usize {
        let group = self.groups.all.get(id);
        let members = group.into_iter().flat_map(|group| &group.members);
        members
            .filter(|(user, member)| *user != from && member.read_seq >= seq)
            .count()
    }
}
