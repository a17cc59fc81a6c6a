//! The UserSig of an account: whether it still works, how long it lives, when it is renewed.

use super::credential::{Credential, CredentialError};
use super::effect::CoreConfig;
use crate::proto::usersig::{self, UserSig};
use std::time::Duration;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct UserSigs {
    /// Of the login under way or present: issued, ends (Unix seconds).
    life: Option<(u64, u64)>,
    /// The present login is renewed at this monotonic time.
    due: Option<Duration>,
    /// The server no longer takes the last one.
    is_void: bool,
    /// A new one was got for that reason, and no login with it has held yet.
    renewed: bool,
    /// Times in a row that the source gave none for a renewal.
    failures: u32,
}

impl UserSigs {
    /// When the present one ends, Unix seconds.
    pub(super) fn ends(&self) -> Option<u64> {
        self.life.map(|(_, ends)| ends)
    }

    pub(super) const fn is_void(&self) -> bool {
        self.is_void
    }

    pub(super) const fn is_renewed(&self) -> bool {
        self.renewed
    }

    /// The server no longer takes the last one.
    pub(super) const fn void(&mut self) {
        self.is_void = true;
    }

    /// A login with the last one succeeded.
    pub(super) const fn accepted(&mut self) {
        self.is_void = false;
    }

    /// A login held for long: the next void one is a new matter.
    pub(super) const fn held(&mut self) {
        self.renewed = false;
    }

    /// A login ended; if its UserSig was void, the next is a renewed one.
    pub(super) const fn ended(&mut self) {
        self.renewed |= self.is_void;
    }

    /// Forgets failures. A fixed UserSig is all there is: the server may judge it once more.
    pub(super) const fn forgive(&mut self, credential: &Credential) {
        self.renewed = false;
        self.failures = 0;
        self.is_void &= credential.is_renewable();
    }

    /// One that is made here at this time, Unix seconds; `None` when it has to be fetched.
    ///
    /// # Errors
    /// When there is none that could work.
    pub(super) fn mint(
        &self,
        config: &CoreConfig,
        time: u64,
    ) -> Result<Option<UserSig>, CredentialError> {
        config
            .credential
            .user_sig(config.app, config.name.user(), time, self.is_void)
    }

    /// Checks one that a source gave, at this time. A source that still gives what is over, or at a renewal
    /// what is in use, has no new one yet: logging in with the same again would renew nothing, and be due
    /// again at once.
    ///
    /// `is_sure` says that `time` is the server's: our own clock may be what is wrong, so the server is to
    /// judge once.
    ///
    /// # Errors
    /// When it is not worth a login.
    pub(super) fn check_fresh(
        &self,
        credential: &Credential,
        (time, is_sure): (u64, bool),
        renewing: bool,
        sig: UserSig,
    ) -> Result<UserSig, CredentialError> {
        let life = life_of(&sig);
        let over = life.is_some_and(|(_, ends)| ends <= time);
        let same = life.is_some() && life == self.life;
        let wants_new = self.is_void || renewing;
        let is_stale = (over && (is_sure || same)) || (same && wants_new);
        if !is_stale {
            return Ok(sig);
        }
        let from = match credential {
            Credential::External(source) => source.to_string(),
            _ => String::new(),
        };
        Err(CredentialError::Stale { from })
    }

    /// A login with this one sets out.
    pub(super) fn sets_out(&mut self, sig: &UserSig) {
        self.life = life_of(sig);
    }

    /// The source gave one.
    pub(super) const fn fetched(&mut self) {
        self.failures = 0;
    }

    /// The source gave none for a renewal. Returns how often in a row.
    pub(super) const fn not_fetched(&mut self) -> u32 {
        self.failures = self.failures.saturating_add(1);
        self.failures
    }

    // ── renewal ──────────────────────────────────────────────────────────────────────────────

    /// When the present login is renewed, as monotonic time.
    pub(super) const fn due(&self) -> Option<Duration> {
        self.due
    }

    /// It is renewed at this time.
    pub(super) const fn renew_at(&mut self, at: Duration) {
        self.due = Some(at);
    }

    /// It is not renewed: that is under way, or cannot be done.
    pub(super) const fn renew_never(&mut self) {
        self.due = None;
    }

    /// A login with a new UserSig succeeded at this time (Unix seconds): how long from now until it is
    /// renewed? `renew_at` is the part of its life after which it is; `chance` moves that up to a
    /// twentieth earlier, so that a fleet that logged in together does not renew together.
    pub(super) fn renew_after(
        &self,
        credential: &Credential,
        time: u64,
        renew_at: f64,
        chance: impl FnOnce() -> f64,
    ) -> Option<Duration> {
        // One that is over by all we know, and that the server took all the same, allows no plan.
        let (issued, ends) = self.life.filter(|(_, ends)| *ends > time)?;
        if !credential.is_renewable() {
            return None;
        }
        let life = ends.saturating_sub(issued) as f64;
        let part = renew_at - 0.05 * chance();
        let at = issued as f64 + life * part.clamp(0.05, 1.0);
        Some(Duration::from_secs_f64((at - time as f64).max(0.0)))
    }
}

/// When a UserSig was issued and when it ends, as it says itself.
fn life_of(sig: &UserSig) -> Option<(u64, u64)> {
    let claims = usersig::inspect(sig.expose()).ok()?;
    Some((claims.issued_at, claims.expires_at()))
}
