//! Reports to the server about what was read, and which of them are under way.

use super::outbox::Attempt;
use crate::ledger::{Boundary, pass};
use crate::policy::Now;
use crate::proto::address::GroupAddress;
use crate::proto::command;
use crate::proto::op::Call;
use crate::proto::op::group_message::ReadReport;
use crate::session::{Memory, ReadMark, RequestError};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Tokens from here on are of read reports; nobody else gives out so many.
const FIRST: u64 = 1 << 63;

/// See the module.
#[derive(Debug)]
pub(super) struct ReadReports {
    under_way: BTreeMap<u64, Vec<ReadMark>>,
    next: u64,
}

impl Default for ReadReports {
    fn default() -> Self {
        Self {
            under_way: BTreeMap::new(),
            next: FIRST,
        }
    }
}

impl ReadReports {
    /// Whether a token is of a read report.
    pub(super) const fn is_token(token: u64) -> bool {
        token >= FIRST
    }

    /// The requests that report everything read since the last report.
    pub(super) fn report(&mut self, now: Now, memory: &mut Memory) -> Vec<(u64, Attempt)> {
        pass(Boundary::Reporting);
        let (mut requests, mut items, mut users) = (Vec::new(), Vec::new(), Vec::new());
        for read in memory.reports(now) {
            let (name, mark) = (read.conversation.name(), read.mark);
            if read.conversation.is_group() {
                let report = ReadReport {
                    group: GroupAddress::new(name),
                    seq: u32::try_from(mark).unwrap_or(u32::MAX),
                };
                // It holds numbers and strings only, so it can be written.
                let body = serde_json::to_string(&report).unwrap_or_default();
                requests.push(self.request(report.servcmd(), body, vec![read]));
            } else {
                items.push(
                    serde_json::json!({"To_Account": name, "LastedMsgTime": mark, "Receipt": 1}),
                );
                users.push(read);
            }
        }
        if !items.is_empty() {
            let body =
                serde_json::json!({"C2CMsgReaded": {"Cookie": "", "C2CMsgReadedItem": items}});
            requests.push(self.request(command::READ_C2C.into(), body.to_string(), users));
        }
        requests
    }

    fn request(
        &mut self,
        servcmd: Cow<'static, str>,
        body: String,
        marks: Vec<ReadMark>,
    ) -> (u64, Attempt) {
        let token = self.next;
        self.next += 1;
        self.under_way.insert(token, marks);
        let body = body.into();
        (token, Attempt::Call { servcmd, body })
    }

    /// What became of a report. One that did not arrive is made again, or what is handled would come
    /// again at the next start. Returns whether everything that was finished is known as read now.
    pub(super) fn settled(
        &mut self,
        now: Now,
        memory: &mut Memory,
        token: u64,
        error: Option<&RequestError>,
    ) -> bool {
        let marks = self.under_way.remove(&token).unwrap_or_default();
        let is_lost =
            error.is_some_and(|error| error.is_retryable() || *error == RequestError::Lost);
        if is_lost {
            memory.report_again(now, &marks);
        }
        error.is_none() && self.under_way.is_empty() && memory.is_reported()
    }

    /// The connection died: no report under way will be settled.
    pub(super) fn lost(&mut self, now: Now, memory: &mut Memory) {
        for marks in std::mem::take(&mut self.under_way).into_values() {
            memory.report_again(now, &marks);
        }
    }
}
