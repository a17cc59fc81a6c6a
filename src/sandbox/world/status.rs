//! Counters and the status report of the sandbox.
//!
//! See "Sandbox choices" in docs/src/protocol.md.

use serde::Serialize;

use super::World;
use crate::{policy::Now, proto::id::UserId};

/// Counters since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Connections opened.
    pub connects: u64,
    /// Connections closed, by either side.
    pub disconnects: u64,
    /// Frames received.
    pub frames: u64,
    /// Requests answered.
    pub answers: u64,
    /// Frames pushed.
    pub pushes: u64,
    /// Pushes that clients acknowledged.
    pub acknowledged: u64,
    /// Logins and resumes that succeeded.
    pub logins: u64,
    /// Logins and resumes that were refused.
    pub refused_logins: u64,
    /// Logouts.
    pub logouts: u64,
    /// Logins kicked.
    pub kicks: u64,
    /// Messages accepted.
    pub messages: u64,
    /// Repeated sends, which were not delivered again.
    pub repeated_sends: u64,
    /// Sends of which a repeat is no longer recognised because there were too many within the window.
    pub forgotten_sends: u64,
    /// Messages that the ledger had no room for.
    pub unrecorded: u64,
    /// Invalid frames.
    pub garbage: u64,
    /// Requests with a wrong checksum.
    pub bad_checksums: u64,
    /// Requests with an unknown command.
    pub unknown_commands: u64,
    /// Requests answered with 60018 because the rate limit was exceeded.
    pub throttled: u64,
    /// Frames dropped in either direction by `stop_answering` or `ignore`.
    pub withheld: u64,
    /// Links cut by the sandbox for any reason.
    pub cut: u64,
    /// Links cut after the idle time-out.
    pub idle_cut: u64,
    /// Links cut because they sent too many requests.
    pub flood_cut: u64,
    /// Links cut because they did not read.
    pub slow_cut: u64,
    /// Group messages accepted.
    pub group_messages: u64,
    /// Group messages refused because the group exceeded its rate.
    pub group_throttled: u64,
    /// Notices for absent accounts, live-room items, applications and other group records dropped
    /// at their limits.
    pub group_dropped: u64,
    /// REST calls.
    pub rest_calls: u64,
    /// Lists of merged messages dropped at the limit.
    pub dropped_merged: u64,
    /// Friend applications dropped at the limit.
    pub dropped_applications: u64,
    /// Files uploaded.
    pub media_uploads: u64,
    /// Uploads that were aborted.
    pub media_aborted: u64,
    /// Uploads refused: the address is unknown, used or expired, or the file is too long.
    pub media_refused: u64,
    /// Uploads refused because the quota or the disk was full.
    pub media_full: u64,
    /// Files and unused addresses evicted to free space, oldest first.
    pub media_evicted: u64,
    /// Snapshots written to the store.
    pub stored: u64,
    /// Snapshots that could not be written to the store.
    pub store_failed: u64,
}

/// The status of the sandbox at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Number of accounts.
    pub accounts: usize,
    /// Number of open connections.
    pub links: usize,
    /// The accounts that are online, with the InstIds of their logins.
    pub online: Vec<OnlineAccount>,
    /// Names of unknown commands that clients sent, up to 256, sorted.
    pub unknown_commands: Vec<String>,
    /// Counters since the start.
    pub counters: Counters,
}

/// An account that is online.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OnlineAccount {
    /// The account.
    pub user: UserId,
    /// The InstIds of its logins, oldest first.
    pub instances: Vec<u64>,
}

impl World {
    /// The status of the sandbox at `now`.
    pub(crate) fn status(&self, now: Now) -> Status {
        let online = self
            .accounts
            .keys()
            .filter_map(|user| {
                let instances = self.instances(now, user);
                (!instances.is_empty()).then(|| OnlineAccount {
                    user: user.clone(),
                    instances,
                })
            })
            .collect();
        Status {
            accounts: self.accounts.len(),
            links: self.links.len(),
            online,
            unknown_commands: self.unknown_commands.iter().cloned().collect(),
            counters: self.counters.clone(),
        }
    }

    /// Cuts a connection that does not read, as found by the owner of the sockets.
    pub(crate) fn too_slow(&mut self, now: Now, conn: super::ConnId) {
        if self.links.contains_key(&conn) {
            self.counters.slow_cut += 1;
            self.cut(now, conn);
        }
    }

    /// Counts a snapshot that was written or could not be written.
    pub(crate) fn note_stored(&mut self, is_written: bool) {
        if is_written {
            self.counters.stored += 1;
        } else {
            self.counters.store_failed += 1;
        }
    }

    /// Counts a REST call.
    pub(crate) fn count_rest_call(&mut self) {
        self.counters.rest_calls += 1;
    }
}
