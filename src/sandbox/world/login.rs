//! Logins: tickets, instances and their limit, resume, kicks, expiry, logout.
//!
//! A login is identified by its ticket (a2) and its InstId. A login outlives its link; the server
//! accepts its ticket on any link.
//!
//! See "Login", "Kicks", "Expiry" and "Renewal" in docs/src/protocol.md; the order of checks is in
//! section "Sandbox choices".

use std::time::Duration;

use serde_json::{Value, json};

use super::{Caller, ConnId, World};
use crate::{
    answer::{failure, ok_with},
    policy::Now,
    proto::{
        code::Code,
        id::UserId,
        usersig::{self, UserSigError},
    },
    wire::Head,
};

/// Who kicked a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KickType {
    /// Another web login of the account (1).
    Account,
    /// A login on another terminal (2).
    Device,
    /// The REST API (3). Also voids every UserSig issued so far.
    Rest,
}

impl KickType {
    /// The number on the wire.
    pub const fn number(self) -> u8 {
        match self {
            Self::Account => 1,
            Self::Device => 2,
            Self::Rest => 3,
        }
    }

    /// The kick type with this number.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Account),
            2 => Some(Self::Device),
            3 => Some(Self::Rest),
            _ => None,
        }
    }
}

/// One login.
#[derive(Debug)]
pub(crate) struct Login {
    pub(crate) user: UserId,
    pub(crate) instance: u64,
    platform: u64,
    /// The last Unix second of the login's UserSig.
    expires_at: u64,
    pub(crate) link: Option<ConnId>,
    pub(crate) lost_at: Option<Duration>,
    standing: Standing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Valid,
    Kicked(KickType),
    Expired,
    LoggedOut,
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    code: Code,
    kick: Option<KickType>,
}

impl From<Code> for Refused {
    fn from(code: Code) -> Self {
        Self { code, kick: None }
    }
}

/// Valid logins per account, over all platforms.
const LIVE_LIMIT: usize = 64;
/// Past logins remembered per account.
const PAST_LIMIT: usize = 16;
/// Feature bits of the purchased package: all features are on.
pub(crate) const PURCHASE_BITS: &str =
    "1111111111111111111111111111111111111111111111111111111111111111";

impl Login {
    fn is_web(&self) -> bool {
        !matches!(self.platform, 2 | 3 | 4 | 13)
    }

    /// Returns true if the login is valid and has not expired at `now`.
    fn is_valid(&self, now: Now) -> bool {
        self.standing == Standing::Valid && self.expires_at >= now.unix_secs()
    }

    /// Returns true if the login is valid and is linked, or lost its link less than `link_timeout`
    /// ago.
    fn is_online(&self, now: Now, link_timeout: Duration) -> bool {
        let linked = self.link.is_some()
            || self
                .lost_at
                .is_some_and(|at| now.mono.saturating_sub(at) < link_timeout);
        linked && self.is_valid(now)
    }
}

impl World {
    /// Identifies the sender of a request by ticket or by UserSig.
    pub(crate) fn authenticate(&mut self, now: Now, head: &Head<'_>) -> Result<Caller, Refused> {
        let Some(a2) = head.a2.as_deref().filter(|a2| !a2.is_empty()) else {
            let user = UserId::parse(&head.identifier).map_err(|_| Code::USERSIG_WRONG_USER)?;
            self.check_usersig(now, &user, &head.usersig)?;
            return Ok(Caller::of(user));
        };
        let login = self.logins.get(a2).ok_or(Code::USERSIG_EXPIRED)?;
        match login.standing {
            Standing::Valid if login.expires_at >= now.unix_secs() => Ok(Caller {
                user: login.user.clone(),
                instance: login.instance,
                admin: false,
            }),
            Standing::Kicked(kick) => Err(Refused {
                code: Code::KICKED,
                kick: Some(kick),
            }),
            Standing::Valid | Standing::Expired | Standing::LoggedOut => {
                Err(Code::USERSIG_EXPIRED.into())
            }
        }
    }

    /// Checks a UserSig of `user` and returns the Unix second in which it expires. With
    /// `auto_import`, creates the account.
    fn check_usersig(&mut self, now: Now, user: &UserId, sig: &str) -> Result<u64, Code> {
        let config = &self.config;
        let claims = usersig::verify(sig, config.app, &config.key, user, now.unix_secs())
            .map_err(|error: UserSigError| error.code())?;
        if !self.known_or_created(user) {
            return Err(Code::ACCOUNT_UNKNOWN);
        }
        let account = self.accounts.get(user).ok_or(Code::ACCOUNT_UNKNOWN)?;
        if account
            .void_until
            .is_some_and(|until| claims.issued_at <= until)
        {
            return Err(Code::USERSIG_INVALIDATED);
        }
        if claims.issued_at < account.expired_before {
            return Err(Code::USERSIG_EXPIRED);
        }
        Ok(claims.expires_at())
    }

    /// Checks the UserSig of an administrator, for the REST API.
    pub(crate) fn check_administrator(
        &mut self,
        now: Now,
        identifier: &str,
        sig: &str,
    ) -> Result<UserId, Code> {
        let user = UserId::parse(identifier).map_err(|_| Code::REST_BAD_SIG)?;
        if !self.config.administrators.contains(&user) {
            return Err(Code::REST_NOT_ADMIN);
        }
        self.check_usersig(now, &user, sig)?;
        Ok(user)
    }

    /// Refuses a request. Only answers about the login itself mention a kick: the official SDK
    /// reports a kick for every answer that names one, and has a dozen requests open after a login.
    pub(crate) fn refuse(&mut self, now: Now, conn: ConnId, head: &Head<'_>, refused: Refused) {
        let mut body = failure(refused.code);
        let is_about_login = matches!(
            &*head.servcmd,
            "im_open_status.wslogin" | "im_open_status.wshello"
        );
        if let (Some(kick), Value::Object(body)) = (refused.kick, &mut body)
            && is_about_login
        {
            body.insert("KickType".to_owned(), kick.number().into());
        }
        self.answer(now, conn, head, body);
    }

    /// Handles a first login or a resume. Returns the account that is now logged in.
    pub(crate) fn log_in(&mut self, now: Now, conn: ConnId, head: &Head<'_>) -> Option<UserId> {
        let outcome = match head.a2.as_deref().filter(|a2| !a2.is_empty()) {
            Some(a2) => self.resume(now, conn, head, a2).map(|()| a2.to_owned()),
            None => self.first_login(now, conn, head),
        };
        match outcome {
            Ok(a2) => {
                self.counters.logins += 1;
                let answer = self.login_answer(now, &a2);
                self.answer(now, conn, head, answer);
                self.logins.get(&a2).map(|login| login.user.clone())
            }
            Err(refused) => {
                self.counters.refused_logins += 1;
                self.refuse(now, conn, head, refused);
                None
            }
        }
    }

    fn login_answer(&self, now: Now, a2: &str) -> Value {
        let (instance, tiny_id) = self.logins.get(a2).map_or((0, 0), |login| {
            (
                login.instance,
                self.accounts
                    .get(&login.user)
                    .map_or(0, |account| account.tiny_id),
            )
        });
        ok_with(json!({
            "A2Key": a2,
            "TinyId": tiny_id.to_string(),
            "InstId": instance,
            "HelloInterval": self.config.hello_interval.as_secs().max(1),
            "TimeStamp": now.unix_secs(),
            "CustomStatus": "",
            "PurchaseBits": PURCHASE_BITS,
            "RichMsgAuthKey": "",
        }))
    }

    fn first_login(&mut self, now: Now, conn: ConnId, head: &Head<'_>) -> Result<String, Refused> {
        let user = UserId::parse(&head.identifier).map_err(|_| Code::ACCOUNT_PARAMETER)?;
        if let Some(code) = self.refusal(&user) {
            return Err(code.into());
        }
        let expires_at = self.check_usersig(now, &user, &head.usersig)?;
        self.sweep(now, &user);
        self.leave_link(now, conn, Some(&user));
        let a2 = self.numbers.ticket();
        let instance = self.next_instance;
        self.next_instance += 1;
        self.logins.insert(
            a2.clone(),
            Login {
                user: user.clone(),
                instance,
                platform: head.platform,
                expires_at,
                link: Some(conn),
                lost_at: None,
                standing: Standing::Valid,
            },
        );
        if let Some(account) = self.accounts.get_mut(&user) {
            account.live.push(a2.clone());
        }
        if let Some(link) = self.links.get_mut(&conn) {
            link.user = Some(user.clone());
            link.login = Some(a2.clone());
        }
        self.enforce_limit(now, &user, instance);
        Ok(a2)
    }

    fn resume(&mut self, now: Now, conn: ConnId, head: &Head<'_>, a2: &str) -> Result<(), Refused> {
        let caller = self.authenticate(now, head)?;
        if let Some(code) = self.refusal(&caller.user) {
            return Err(code.into());
        }
        let current = self.links.get(&conn).and_then(|link| link.login.clone());
        if current.as_deref() != Some(a2) {
            self.leave_link(now, conn, None);
        }
        let Some(login) = self.logins.get_mut(a2) else {
            return Err(Code::USERSIG_EXPIRED.into());
        };
        let before = login.link.replace(conn);
        login.lost_at = None;
        if let Some(before) = before.filter(|before| *before != conn)
            && let Some(link) = self.links.get_mut(&before)
        {
            link.login = None;
        }
        if let Some(link) = self.links.get_mut(&conn) {
            link.user = Some(caller.user);
            link.login = Some(a2.to_owned());
        }
        Ok(())
    }

    /// Detaches from `conn` the login that receives its pushes there. If it belongs to `newcomer`,
    /// the login ends.
    fn leave_link(&mut self, now: Now, conn: ConnId, newcomer: Option<&UserId>) {
        let Some(a2) = self.links.get_mut(&conn).and_then(|link| link.login.take()) else {
            return;
        };
        let Some(login) = self.logins.get_mut(&a2) else {
            return;
        };
        login.link = None;
        login.lost_at = Some(now.mono);
        if Some(&login.user) == newcomer {
            self.end_login(&a2, Standing::LoggedOut);
        }
    }

    /// Ends expired logins, and the oldest logins beyond the limit per account.
    fn sweep(&mut self, now: Now, user: &UserId) {
        let Some(account) = self.accounts.get(user) else {
            return;
        };
        let surplus = account.live.len().saturating_sub(LIVE_LIMIT);
        let over: Vec<String> = account
            .live
            .iter()
            .enumerate()
            .filter(|(at, a2)| {
                *at < surplus
                    || self
                        .logins
                        .get(*a2)
                        .is_none_or(|login| !login.is_valid(now))
            })
            .map(|(_, a2)| a2.clone())
            .collect();
        for a2 in over {
            self.end_login(&a2, Standing::Expired);
        }
    }

    /// Kicks the oldest web logins while there are more than allowed.
    fn enforce_limit(&mut self, now: Now, user: &UserId, newcomer: u64) {
        let limit = self.config.max_web_instances.max(1);
        loop {
            let Some(account) = self.accounts.get(user) else {
                return;
            };
            let web: Vec<&String> = account
                .live
                .iter()
                .filter(|a2| {
                    self.logins
                        .get(*a2)
                        .is_some_and(|l| l.is_web() && l.is_valid(now))
                })
                .collect();
            if web.len() <= limit {
                return;
            }
            // Logins that lost their link more than `link_timeout` ago are kicked before those that
            // are online.
            let timeout = self.config.link_timeout;
            let lapsed = web.iter().find(|a2| {
                self.logins
                    .get(**a2)
                    .is_some_and(|login| !login.is_online(now, timeout))
            });
            let Some(victim) = lapsed.or(web.first()).map(|a2| (*a2).clone()) else {
                return;
            };
            self.kick_login(now, &victim, KickType::Account, newcomer);
        }
    }

    /// Kicks one login: pushes the kick if the login has a link, and refuses its ticket from now
    /// on. The link stays open, because the client still logs out on it.
    fn kick_login(&mut self, now: Now, a2: &str, kind: KickType, newcomer: u64) {
        self.counters.kicks += 1;
        let gone = self.logins.get(a2);
        if let Some((conn, instance)) = gone.and_then(|login| Some((login.link?, login.instance))) {
            // One generation of the official SDK ignores a kick that does not name its own login.
            let notify = json!({"NoticeSeq": 0, "KickoutMsgNotify": {
                "KickType": kind.number(), "Instid": instance,
                "NewInstInfo": {"Platform": "Web", "InstId": newcomer},
            }});
            let body = json!({"EventArray": [{"Event": 10, "C2cNotifyMsgArray": [notify]}]});
            self.push(now, conn, "im_open_status.stat_forceoffline", &body);
        }
        self.end_login(a2, Standing::Kicked(kind));
    }

    /// Moves a login from the valid logins to the past ones.
    fn end_login(&mut self, a2: &str, standing: Standing) {
        let Some(login) = self.logins.get_mut(a2) else {
            return;
        };
        login.standing = standing;
        login.lost_at = None;
        if let Some(link) = login.link.take().and_then(|conn| self.links.get_mut(&conn)) {
            link.login = None;
        }
        let Some(account) = self.accounts.get_mut(&login.user) else {
            return;
        };
        let before = account.live.len();
        account.live.retain(|live| live != a2);
        if account.live.len() < before {
            account.past.push_back(a2.to_owned());
        }
        if account.past.len() > PAST_LIMIT
            && let Some(oldest) = account.past.pop_front()
        {
            self.logins.remove(&oldest);
        }
    }

    /// Kicks every login of an account. [`KickType::Rest`] also voids its UserSigs.
    pub(crate) fn kick_all(&mut self, now: Now, user: &UserId, kind: KickType) {
        let Some(account) = self.accounts.get_mut(user) else {
            return;
        };
        if kind == KickType::Rest {
            account.void_until = Some(now.unix_secs());
        }
        for a2 in account.live.clone() {
            self.kick_login(now, &a2, kind, 0);
        }
    }

    /// Ends an account's logins as if their UserSig had expired.
    pub(crate) fn expire_logins(&mut self, now: Now, user: &UserId) {
        let Some(account) = self.accounts.get_mut(user) else {
            return;
        };
        account.expired_before = now.unix_secs();
        for a2 in account.live.clone() {
            self.end_login(&a2, Standing::Expired);
        }
    }

    /// Forgets every ticket, as a server does that lost its memory.
    pub(crate) fn forget_logins(&mut self) {
        self.logins.clear();
        for account in self.accounts.values_mut() {
            account.live.clear();
            account.past.clear();
        }
        for link in self.links.values_mut() {
            link.login = None;
        }
    }

    /// Ends the login whose ticket the head names. Returns its account, if the login existed.
    pub(crate) fn log_out(&mut self, head: &Head<'_>) -> Option<UserId> {
        let a2 = head.a2.as_deref()?;
        let login = self.logins.get(a2)?;
        if login.standing != Standing::Valid {
            return None;
        }
        let user = login.user.clone();
        self.counters.logouts += 1;
        self.end_login(a2, Standing::LoggedOut);
        Some(user)
    }

    /// The links on which `user` is logged in.
    pub(crate) fn online_links(&self, user: &UserId) -> Vec<ConnId> {
        // `push_links` checks expiry, because it knows the time.
        self.live_logins(user)
            .filter_map(|login| login.link)
            .collect()
    }

    /// The links that receive pushes for `user`, without the login `except`.
    pub(crate) fn push_links(&self, now: Now, user: &UserId, except: u64) -> Vec<ConnId> {
        self.live_logins(user)
            .filter(|login| login.instance != except && login.is_valid(now))
            .filter_map(|login| login.link)
            .collect()
    }

    /// Returns true if a login other than `except` has to be told about a change.
    pub(crate) fn has_other_login(&self, now: Now, user: &UserId, except: u64) -> bool {
        self.live_logins(user)
            .any(|login| login.instance != except && login.is_valid(now))
    }

    fn live_logins<'a>(&'a self, user: &UserId) -> impl Iterator<Item = &'a Login> + use<'a> {
        let live = self
            .accounts
            .get(user)
            .map(|account| account.live.as_slice());
        live.unwrap_or_default()
            .iter()
            .filter_map(|a2| self.logins.get(a2))
    }

    /// Returns true if the account has a login that is linked or lost its link less than
    /// `link_timeout` ago.
    pub(crate) fn is_online(&self, now: Now, user: &UserId) -> bool {
        !self.instances(now, user).is_empty()
    }

    /// The InstIds under which an account is online, oldest first.
    pub(crate) fn instances(&self, now: Now, user: &UserId) -> Vec<u64> {
        let timeout = self.config.link_timeout;
        self.live_logins(user)
            .filter(|login| login.is_online(now, timeout))
            .map(|login| login.instance)
            .collect()
    }

    /// The platform numbers under which an account is online.
    pub(crate) fn platforms(&self, now: Now, user: &UserId) -> Vec<u64> {
        let timeout = self.config.link_timeout;
        self.live_logins(user)
            .filter(|login| login.is_online(now, timeout))
            .map(|login| login.platform)
            .collect()
    }
}
