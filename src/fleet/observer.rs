//! Hears of every change of every account.

use super::admin::Follower;
use crate::account::{AccountName, Changed, Phase, Status};
use actix::prelude::*;
use std::collections::HashSet;
use tokio::sync::watch;

/// What the program does with a change.
pub(super) type OnChange = Box<dyn FnMut(&Status) + Send>;

/// Counts the accounts that are online, and tells the program of every change.
pub(super) struct Observer {
    online: HashSet<AccountName>,
    count: watch::Sender<usize>,
    on_change: Option<OnChange>,
    follower: Follower,
}

impl Observer {
    pub(super) fn new(
        count: watch::Sender<usize>,
        on_change: Option<OnChange>,
        follower: Follower,
    ) -> Self {
        Self {
            online: HashSet::new(),
            count,
            on_change,
            follower,
        }
    }
}

impl Actor for Observer {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        // A fleet that comes online together must not lose a change.
        ctx.set_mailbox_capacity(1 << 16);
    }
}

impl Handler<Changed> for Observer {
    type Result = ();

    fn handle(&mut self, changed: Changed, _: &mut Context<Self>) {
        self.follower.tell(&changed);
        let Changed { status, .. } = changed;
        let changed = match status.phase {
            Phase::Online => self.online.insert(status.account.clone()),
            _ => self.online.remove(&status.account),
        };
        if changed {
            self.count.send_replace(self.online.len());
        }
        if let Some(on_change) = &mut self.on_change {
            on_change(&status);
        }
    }
}
