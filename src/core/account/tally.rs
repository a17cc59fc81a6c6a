//! Counts what happens to an account, in little space: what has to wait for a login fits a small number.

use super::status::Counters;

/// See [`Counters`] for the fields.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) logins: u32,
    pub(super) resumes: u32,
    pub(super) lost_links: u32,
    pub(super) kicked_by_account: u32,
    pub(super) kicked_by_device: u32,
    pub(super) kicked_by_rest: u32,
    pub(super) expired: u32,
    pub(super) renewals: u32,
}

impl Tally {
    /// What was counted here; the rest is zero.
    pub(super) fn counters(&self) -> Counters {
        Counters {
            logins: self.logins.into(),
            resumes: self.resumes.into(),
            lost_links: self.lost_links.into(),
            kicked_by_account: self.kicked_by_account.into(),
            kicked_by_device: self.kicked_by_device.into(),
            kicked_by_rest: self.kicked_by_rest.into(),
            expired: self.expired.into(),
            renewals: self.renewals.into(),
            ..Counters::default()
        }
    }
}
