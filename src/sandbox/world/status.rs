//! What the sandbox counts and how it describes itself.

use serde::Serialize;

use super::World;
use crate::{policy::Now, proto::id::UserId};

/// Numbers since the start.
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
    /// Logins put out.
    pub kicks: u64,
    /// Messages accepted.
    pub messages: u64,
    /// Sends that repeated an earlier one and were not delivered again.
    pub repeated_sends: u64,
    /// Frames that were no requests.
    pub garbage: u64,
    /// Requests whose checksum did not fit.
    pub bad_checksums: u64,
    /// Requests with an unknown command.
    pub unknown_commands: u64,
    /// Requests answered 60018 because there were too many.
    pub throttled: u64,
    /// Frames taken in or meant for sending that were dropped by `stop_answering` or
    /// `ignore`.
    pub withheld: u64,
    /// Links cut by the sandbox for any reason.
    pub cut: u64,
    /// Links cut because nothing came.
    pub idle_cut: u64,
    /// Links cut because too much came.
    pub flood_cut: u64,
    /// Links cut because they did not read.
    pub slow_cut: u64,
    /// Group messages accepted.
    pub group_messages: u64,
    /// Group messages refused because the group had too many in this second.
    pub group_throttled: u64,
    /// Notices for absent accounts, items of live rooms, applications and other group records that
    /// were dropped because there were too many.
    pub group_dropped: u64,
    /// REST calls.
    pub rest_calls: u64,
    /// Lists of merged messages dropped because there were too many.
    pub dropped_merged: u64,
    /// Applications for friendship dropped because there were too many.
    pub dropped_applications: u64,
    /// Files uploaded.
    pub media_uploads: u64,
    /// Uploads that broke off or were stopped.
    pub media_aborted: u64,
    /// Uploads refused: unknown or used address, too late, too long.
    pub media_refused: u64,
    /// Uploads for which there was no room, by quota or on the disk.
    pub media_full: u64,
    /// Files and unused addresses dropped to make room, oldest first.
    pub media_evicted: u64,
    /// Snapshots written to the store.
    pub stored: u64,
    /// Snapshots that could not be written to the store.
    pub store_failed: u64,
}

/// A picture of the sandbox at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// How many accounts there are.
    pub accounts: usize,
    /// How many connections are open.
    pub links: usize,
    /// The accounts that are online, with the InstIds of their logins.
    pub online: Vec<OnlineAccount>,
    /// Commands that clients asked for and that are not known here, up to 256, by name.
    pub unknown_commands: Vec<String>,
    /// Numbers since the start.
    pub counters: Counters,
}

/// One account that is online.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OnlineAccount {
    /// The account.
    pub user: UserId,
    /// Its logins, oldest first.
    pub instances: Vec<u64>,
}

impl World {
    /// A picture of the sandbox at `now`.
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

    /// The owner of the sockets found that a connection does not read: cuts it.
    pub(crate) fn too_slow(&mut self, now: Now, conn: super::ConnId) {
        if self.links.contains_key(&conn) {
            self.counters.slow_cut += 1;
            self.cut(now, conn);
        }
    }

    /// Counts a snapshot that was written, or could not be.
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
