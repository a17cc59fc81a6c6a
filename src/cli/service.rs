//! Tells systemd how the process is doing: ready, status, alive, reloading, stopping.
//!
//! A thread of its own carries what is told, because a socket that nobody reads must not hold up the fleet.

use crate::app::Controller;
use sd_notify::NotifyState;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;
use std::time::Duration;

/// How often the fleet is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// The least pause between two looks, however short the patience of the watchdog is.
const LEAST: Duration = Duration::from_millis(50);

/// What systemd is told.
#[derive(Clone, Debug)]
enum News {
    Ready,
    Status(String),
    Alive,
    Reloading,
    Stopping,
    /// Another process is the main one from now on; answered when that was told.
    Successor(u32, SyncSender<()>),
}

/// The way to systemd. Cheap to clone; without systemd it tells nobody.
#[derive(Clone, Debug)]
pub(super) struct Service {
    to: Option<Sender<News>>,
    /// How long systemd waits for a sign of life.
    patience: Option<Duration>,
    /// It was told that the fleet is ready.
    is_ready: Arc<AtomicBool>,
    /// Another process is the main one: systemd does not hear this one any more.
    is_over: Arc<AtomicBool>,
}

impl Service {
    /// That of this process, as systemd's variables say.
    pub(super) fn of_process() -> Self {
        if std::env::var_os("NOTIFY_SOCKET").is_none() {
            return Self {
                to: None,
                patience: None,
                is_ready: Arc::default(),
                is_over: Arc::default(),
            };
        }
        let (to, news) = channel();
        let carried = thread::Builder::new()
            .name("service-news".into())
            .spawn(move || carry(&news));
        Self {
            to: carried.is_ok().then_some(to),
            patience: sd_notify::watchdog_enabled(),
            is_ready: Arc::default(),
            is_over: Arc::default(),
        }
    }

    fn tell(&self, news: News) {
        if let Some(to) = &self.to
            && !self.is_over.load(Ordering::Relaxed)
        {
            // The thread ends with the process.
            let _ = to.send(news);
        }
    }

    /// Watches the fleet for as long as the process runs: it is ready when the share of its accounts is online, and
    /// alive for as long as the supervisor of its accounts answers.
    pub(super) async fn watch(self, controller: Controller) {
        if self.to.is_none() {
            return;
        }
        let third = self.patience.map_or(LOOK, |patience| patience / 3);
        let mut standing = Standing::default();
        loop {
            // No answer, no sign of life.
            let online = controller.online().await;
            let share = controller.config().admin.ready_share;
            for news in standing.news(online, controller.accounts(), share) {
                if matches!(news, News::Ready) {
                    self.is_ready.store(true, Ordering::Relaxed);
                }
                self.tell(news);
            }
            if self.patience.is_some() {
                self.tell(News::Alive);
            }
            tokio::time::sleep(third.clamp(LEAST, LOOK)).await;
        }
    }

    /// The config is being read anew; [`reloaded`](Self::reloaded) follows.
    pub(super) fn reloading(&self) {
        // A reload ends with "ready", which would not be true before.
        if self.is_ready.load(Ordering::Relaxed) {
            self.tell(News::Reloading);
        }
    }

    /// The reload is over, whatever came of it.
    pub(super) fn reloaded(&self) {
        if self.is_ready.load(Ordering::Relaxed) {
            self.tell(News::Ready);
        }
    }

    /// What people read of the service.
    #[cfg(unix)]
    pub(super) fn status(&self, text: &str) {
        self.tell(News::Status(text.to_owned()));
    }

    /// Another process is the main one of the service from now on, and this one ends. Returns when that was told, or
    /// cannot be told in time. Blocks.
    pub(super) fn succeeded_by(&self, pid: u32) {
        if self.to.is_none() {
            return;
        }
        let (done, told) = sync_channel(1);
        self.tell(News::Successor(pid, done));
        self.is_over.store(true, Ordering::Relaxed);
        if told.recv_timeout(LOOK).is_err() {
            tracing::warn!(pid, "systemd could not be told of the process that goes on");
        }
    }

    /// The process stops.
    pub(super) fn stopping(&self) {
        self.tell(News::Stopping);
    }
}

fn carry(news: &Receiver<News>) {
    while let Ok(news) = news.recv() {
        // Errors would come once a second, and nothing can be done about them here.
        let _ = match news {
            News::Ready => sd_notify::notify(&[NotifyState::Ready]),
            News::Status(text) => sd_notify::notify(&[NotifyState::Status(&text)]),
            News::Alive => sd_notify::notify(&[NotifyState::Watchdog]),
            News::Reloading => NotifyState::monotonic_usec_now()
                .and_then(|now| sd_notify::notify(&[NotifyState::Reloading, now])),
            News::Successor(pid, done) => {
                let told = sd_notify::notify(&[NotifyState::MainPid(pid)]);
                let _ = done.try_send(());
                told
            }
            News::Stopping => sd_notify::notify(&[
                NotifyState::Stopping,
                NotifyState::Status("stopping: handlers finish, accounts log out"),
            ]),
        };
    }
}

/// What was told of the fleet.
#[derive(Debug, Default)]
struct Standing {
    is_ready: bool,
    told: Option<(usize, usize)>,
}

impl Standing {
    /// What is new.
    fn news(&mut self, online: usize, accounts: usize, share: f64) -> Vec<News> {
        let mut news = Vec::new();
        if self.told != Some((online, accounts)) {
            self.told = Some((online, accounts));
            news.push(News::Status(format!(
                "{online} of {accounts} accounts online"
            )));
        }
        #[expect(clippy::cast_precision_loss, reason = "a share is rounded anyway")]
        let enough = online as f64 >= accounts as f64 * share;
        if enough && !self.is_ready {
            self.is_ready = true;
            news.push(News::Ready);
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_is_told_once_and_each_change_of_the_count() {
        let mut standing = Standing::default();
        for (online, accounts, share, expected) in [
            (0, 4, 0.75, &["0 of 4 accounts online"][..]),
            (0, 4, 0.75, &[]),
            (2, 4, 0.75, &["2 of 4 accounts online"]),
            (3, 4, 0.75, &["3 of 4 accounts online", "ready"]),
            (1, 4, 0.75, &["1 of 4 accounts online"]),
            (4, 4, 0.75, &["4 of 4 accounts online"]),
            (4, 6, 0.75, &["4 of 6 accounts online"]),
        ] {
            let news = standing.news(online, accounts, share);
            let told: Vec<_> = news
                .iter()
                .map(|news| match news {
                    News::Status(text) => text.as_str(),
                    _ => "ready",
                })
                .collect();
            assert_eq!(told, expected);
        }
        let mut nobody = Standing::default();
        assert!(matches!(nobody.news(0, 0, 1.0).last(), Some(News::Ready)));
    }
}
