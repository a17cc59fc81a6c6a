//! Logins: tickets, instances and their limit, resuming, kicks, expiry, logout.
//!
//! A login is named by its ticket (a2) and its InstId. It outlives the link it was made on, and
//! requests are served by ticket on whatever link they come.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    Caller, ConnId, World,
    outgoing::{failure, ok_with},
};
use crate::{
    policy::Now,
    proto::{
        code::Code,
        id::UserId,
        usersig::{self, UserSigError},
    },
    wire::Head,
};

/// Who put a login out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KickType {
    /// Another web login of the account (1).
    Account,
    /// A login on another terminal (2).
    Device,
    /// The REST API (3). Also makes void every UserSig issued until then.
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

    /// The kick type of this number, if it is one.
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
    /// The last Unix second of the UserSig it was made with.
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

/// Valid logins per account, of all platforms together.
const LIVE_LIMIT: usize = 64;
/// Past logins remembered per account.
const PAST_LIMIT: usize = 16;
/// Commercial features, all switched on.
pub(crate) const PURCHASE_BITS: &str =
    "1111111111111111111111111111111111111111111111111111111111111111";

impl Login {
    fn is_web(&self) -> bool {
        !matches!(self.platform, 2 | 3 | 4 | 13)
    }

    /// Valid and not expired at `now`.
    fn is_valid(&self, now: Now) -> bool {
        self.standing == Standing::Valid && self.expires_at >= now.unix_secs()
    }

    /// Valid, and has a link or lost it only just.
    fn is_online(&self, now: Now, link_timeout: Duration) -> bool {
        let linked = self.link.is_some()
            || self
                .lost_at
                .is_some_and(|at| now.mono.saturating_sub(at) < link_timeout);
        linked && self.is_valid(now)
    }
}

impl World {
    /// Finds out who sent a request, by its ticket or by its UserSig.
    pub(crate) fn authenticate(&mut self, now: Now, head: &Head) -> Result<Caller, Refused> {
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

    /// Checks a UserSig of `user` and gives the Unix second in which it ends. The account comes
    /// into being if it may.
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

    /// Says no. Only the answers that are about the login itself tell of a kick: the official SDK
    /// reports a kick for each one it is told of, and has a dozen requests open after a login.
    pub(crate) fn refuse(&mut self, now: Now, conn: ConnId, head: &Head, refused: Refused) {
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

    /// First login or resume. Gives the account that is logged in now.
    pub(crate) fn log_in(&mut self, now: Now, conn: ConnId, head: &Head) -> Option<UserId> {
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

    fn first_login(&mut self, now: Now, conn: ConnId, head: &Head) -> Result<String, Refused> {
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

    fn resume(&mut self, now: Now, conn: ConnId, head: &Head, a2: &str) -> Result<(), Refused> {
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

    /// Takes the login that gets its pushes on `conn` off it. A login of `newcomer` itself is over.
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

    /// Ends what has expired, and the oldest logins of one that makes ever new ones.
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

    /// Puts out the oldest web logins while there are more than allowed.
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
            // Those that have long lost their link go before those that are online.
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

    /// Puts one login out: a push if it has a link, and its ticket is refused from now on. The link
    /// stays open, the client still has to log out on it.
    fn kick_login(&mut self, now: Now, a2: &str, kind: KickType, newcomer: u64) {
        self.counters.kicks += 1;
        let gone = self.logins.get(a2);
        if let Some((conn, instance)) = gone.and_then(|login| Some((login.link?, login.instance))) {
            // One generation of official clients drops a kick that does not name its own login.
            let notify = json!({"NoticeSeq": 0, "KickoutMsgNotify": {
                "KickType": kind.number(), "Instid": instance,
                "NewInstInfo": {"Platform": "Web", "InstId": newcomer},
            }});
            let body = json!({"EventArray": [{"Event": 10, "C2cNotifyMsgArray": [notify]}]});
            self.push(now, conn, "im_open_status.stat_forceoffline", &body);
        }
        self.end_login(a2, Standing::Kicked(kind));
    }

    /// Moves a login from the valid ones to the past ones.
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

    /// Puts every login of an account out. [`KickType::Rest`] also makes its UserSigs void.
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

    /// Forgets every ticket, as a server that lost its memory.
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

    /// Ends the login whose ticket the head names. Gives the account, if there was such a login.
    pub(crate) fn log_out(&mut self, head: &Head) -> Option<UserId> {
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
        // Expiry is not looked at here: `push_links` does, where the time is known.
        self.live_logins(user)
            .filter_map(|login| login.link)
            .collect()
    }

    /// The links pushes for `user` go to, without the login `except`.
    pub(crate) fn push_links(&self, now: Now, user: &UserId, except: u64) -> Vec<ConnId> {
        self.live_logins(user)
            .filter(|login| login.instance != except && login.is_valid(now))
            .filter_map(|login| login.link)
            .collect()
    }

    /// True if another login than `except` has to learn what this one did.
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

    /// True if the account has a login that is linked, or lost its link only just.
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
