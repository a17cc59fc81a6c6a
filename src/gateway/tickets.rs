//! Sessions of TLS that may be resumed, so that a fleet that comes back at once need not check certificates for
//! every link.

use rustls::NamedGroup;
use rustls::client::{ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls::pki_types::ServerName;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Servers whose sessions are kept; a fleet knows a handful.
const MAX_SERVERS: usize = 16;
/// Tickets of TLS 1.3 that are kept for each. Each is good for one link, and a link brings one or two: as many
/// links as there are tickets may be dialled at the same time.
const MAX_TICKETS: usize = 64;

/// Bounded, for all links and requests of the process.
#[derive(Debug, Default)]
pub(super) struct Tickets(Mutex<VecDeque<Kept>>);

#[derive(Debug)]
struct Kept {
    server: ServerName<'static>,
    group: Option<NamedGroup>,
    /// A session of TLS 1.2 may be resumed any number of times.
    session: Option<Tls12ClientSessionValue>,
    /// The newest is the last.
    tickets: VecDeque<Tls13ClientSessionValue>,
}

impl Tickets {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Kept>> {
        // Each change is whole by itself.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T>(
        &self,
        server: &ServerName<'_>,
        read: impl FnOnce(&mut Kept) -> Option<T>,
    ) -> Option<T> {
        let mut servers = self.lock();
        read(servers.iter_mut().find(|kept| kept.server == *server)?)
    }

    fn change(&self, server: ServerName<'static>, change: impl FnOnce(&mut Kept)) {
        let mut servers = self.lock();
        if let Some(kept) = servers.iter_mut().find(|kept| kept.server == server) {
            return change(kept);
        }
        if servers.len() >= MAX_SERVERS {
            servers.pop_front();
        }
        let mut kept = Kept {
            server,
            group: None,
            session: None,
            tickets: VecDeque::new(),
        };
        change(&mut kept);
        servers.push_back(kept);
    }
}

impl ClientSessionStore for Tickets {
    fn set_kx_hint(&self, server: ServerName<'static>, group: NamedGroup) {
        self.change(server, |kept| kept.group = Some(group));
    }

    fn kx_hint(&self, server: &ServerName<'_>) -> Option<NamedGroup> {
        self.read(server, |kept| kept.group)
    }

    fn set_tls12_session(&self, server: ServerName<'static>, value: Tls12ClientSessionValue) {
        self.change(server, |kept| kept.session = Some(value));
    }

    fn tls12_session(&self, server: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.read(server, |kept| kept.session.clone())
    }

    fn remove_tls12_session(&self, server: &ServerName<'static>) {
        self.read(server, |kept| kept.session.take());
    }

    fn insert_tls13_ticket(&self, server: ServerName<'static>, value: Tls13ClientSessionValue) {
        self.change(server, |kept| {
            if kept.tickets.len() >= MAX_TICKETS {
                kept.tickets.pop_front();
            }
            kept.tickets.push_back(value);
        });
    }

    fn take_tls13_ticket(&self, server: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.read(server, |kept| kept.tickets.pop_back())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_that_was_added_first_is_forgotten() {
        let tickets = Tickets::default();
        let server = |at: usize| ServerName::try_from(format!("h{at}.example")).unwrap();
        for at in 0..=MAX_SERVERS {
            tickets.set_kx_hint(server(at), NamedGroup::X25519);
        }
        assert_eq!(tickets.kx_hint(&server(0)), None);
        assert_eq!(tickets.kx_hint(&server(1)), Some(NamedGroup::X25519));
        assert_eq!(tickets.lock().len(), MAX_SERVERS);
    }
}
