//! What the answer to a login says: the ticket of the login, the server's clock, the interval of its
//! greetings.

use crate::policy::Now;
use crate::proto::answer::LoginAnswer;
use crate::proto::code::Code;
use crate::proto::packet::Ticket;
use std::time::Duration;

/// The last second of the year 9999, in Unix seconds.
const LAST_SECOND: u64 = 253_402_300_799;

/// The facts of the present login.
#[derive(Debug, Default)]
pub(super) struct Login {
    sent: Duration,
    /// Server clock minus local clock, milliseconds.
    clock_offset: i64,
    /// How often the server wants to be greeted, in the middle of a login.
    hello_interval: Option<Duration>,
    /// When it is greeted next; `None` without a login on the link.
    next_hello: Option<Duration>,
}

/// Why an answer to a login is worth nothing.
#[derive(Debug)]
pub(super) struct Unusable {
    pub(super) code: Code,
    pub(super) info: String,
}

impl Login {
    /// A login or a resume goes out.
    pub(super) const fn sent(&mut self, now: Now) {
        self.sent = now.mono;
    }

    /// The server says yes. Returns the ticket of a full login; a resume keeps the one it was made with,
    /// as the official client does.
    ///
    /// # Errors
    /// When the answer lacks what a login needs.
    pub(super) fn accepted(
        &mut self,
        now: Now,
        body: &str,
        resuming: bool,
    ) -> Result<Option<Ticket>, Unusable> {
        let unusable = |code, info: &dyn ToString| Unusable {
            code,
            info: info.to_string(),
        };
        let answer: LoginAnswer =
            serde_json::from_str(body).map_err(|error| unusable(Code::CLIENT_NO_A2, &error))?;
        let mut ticket = None;
        if !resuming {
            let tiny_id = answer
                .tiny_id
                .filter(|id| !id.is_empty())
                .ok_or_else(|| unusable(Code::CLIENT_NO_TINY_ID, &"login answer without TinyId"))?;
            let a2 = answer
                .a2
                .ok_or_else(|| unusable(Code::CLIENT_NO_A2, &"login answer without A2Key"))?;
            ticket = Some(Ticket {
                a2,
                tiny_id: tiny_id.into(),
                inst_id: answer.inst_id,
            });
            self.hello_interval = answer
                .hello_interval
                .map(|seconds| Duration::from_secs(seconds.clamp(1, 86_400)));
        }
        // A clock that is thousands of years away is none.
        if let Some(time) = answer.time.filter(|time| *time <= LAST_SECOND) {
            let round_trip = now.mono.saturating_sub(self.sent);
            let server = i64::try_from(time.saturating_mul(1000)).unwrap_or(i64::MAX);
            let local = i64::try_from(now.unix.as_millis()).unwrap_or(i64::MAX);
            let half = i64::try_from(round_trip.as_millis() / 2).unwrap_or(0);
            self.clock_offset = server.saturating_add(half).saturating_sub(local);
        }
        self.next_hello = self.hello_interval.map(|interval| now.mono + interval);
        Ok(ticket)
    }

    /// The login or its link is gone.
    pub(super) const fn over(&mut self) {
        self.next_hello = None;
    }

    /// How often the server wants to be greeted.
    pub(super) const fn hello_interval(&self) -> Option<Duration> {
        self.hello_interval
    }

    /// What an earlier process knew of it: a resume does not say it again.
    pub(super) const fn set_hello_interval(&mut self, interval: Option<Duration>) {
        self.hello_interval = interval;
    }

    /// Server clock minus local clock, milliseconds.
    pub(super) const fn clock_offset(&self) -> i64 {
        self.clock_offset
    }

    /// The server's time in Unix seconds, as far as is known.
    pub(super) fn server_time(&self, now: Now) -> u64 {
        let local = i64::try_from(now.unix.as_millis()).unwrap_or(i64::MAX);
        let server = local.saturating_add(self.clock_offset);
        u64::try_from(server / 1000).unwrap_or(0)
    }

    /// Whether a greeting is due; the next one is then due an interval later.
    pub(super) fn take_hello(&mut self, now: Now) -> bool {
        let due = self.next_hello.is_some_and(|at| at <= now.mono);
        if due {
            self.next_hello = self.hello_interval.map(|interval| now.mono + interval);
        }
        due
    }

    /// When the next greeting is due.
    pub(super) const fn poll_timeout(&self) -> Option<Duration> {
        self.next_hello
    }
}
