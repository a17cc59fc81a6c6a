//! Tests of code that hangs: only its own account pauses, and no other account is affected.

use crate::harness::{APP, KEY, eventually, sandbox};
use actix::prelude::*;
use botroupe::account::{
    AccountEvent, AccountHandle, Cause, CoreConfig, Credential, Deliver, Paces, Phase, Policy,
    SendError, Status, Subscriber,
};
use botroupe::config::IoConfig;
use botroupe::gateway::{ConnectError, Connector, Dialled, NetConnector};
use botroupe::policy::Governor;
use botroupe::prelude::Conversation;
use botroupe::proto::endpoint::HostWalk;
use botroupe::proto::id::{SdkAppId, UserId};
use botroupe::sandbox::Sandbox;
use botroupe::supervisor::{ChildSpec, EndThreads, GetStatus, StopAll, Supervisor};
use futures_util::future::LocalBoxFuture;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

/// Blocks its thread on the first `hangs` dials, until the test releases it.
struct Hangs {
    left: Arc<AtomicU32>,
    blocked: Arc<Mutex<Vec<mpsc::Sender<()>>>>,
}

impl Connector for Hangs {
    fn dial(
        &self,
        url: String,
        limit: Duration,
    ) -> LocalBoxFuture<'static, Result<Dialled, ConnectError>> {
        let hang = self
            .left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1))
            .is_ok();
        let blocked = self.blocked.clone();
        Box::pin(async move {
            if hang {
                let (release, wait) = mpsc::channel();
                blocked.lock().unwrap().push(release);
                let _ = wait.recv();
            }
            NetConnector::default().dial(url, limit).await
        })
    }
}

/// Records the events that an account's bots would receive.
struct Ear(Arc<Mutex<Vec<String>>>);

impl Actor for Ear {
    type Context = Context<Self>;
}

impl Handler<Deliver> for Ear {
    type Result = ();

    fn handle(&mut self, Deliver(event): Deliver, _: &mut Context<Self>) {
        let text = match event {
            AccountEvent::Ready => "ready".to_owned(),
            AccountEvent::NotReady(cause) => cause.word().into_owned(),
            AccountEvent::Message(message) => message.text().unwrap_or_default().to_owned(),
            AccountEvent::Update(_) => return,
        };
        self.0.lock().unwrap().push(text);
    }
}

struct Fleet {
    supervisor: Addr<Supervisor>,
    heard: Vec<Arc<Mutex<Vec<String>>>>,
    handles: Vec<AccountHandle>,
    blocked: Arc<Mutex<Vec<mpsc::Sender<()>>>>,
}

/// Starts three accounts on one thread. The first one hangs the thread `hangs` times, from its
/// second dial on if `later` is set.
fn fleet(sandbox: &Sandbox, hangs: u32) -> (Fleet, Arc<AtomicU32>) {
    let left = Arc::new(AtomicU32::new(hangs));
    let blocked = Arc::<Mutex<Vec<mpsc::Sender<()>>>>::default();
    let policy = Arc::new(Policy {
        login_spacing: Duration::ZERO,
        ..Policy::standard()
    });
    let (mut heard, mut handles) = (Vec::new(), Vec::new());
    let paces = Arc::new(Paces::new(Governor::new(100.0, 10)));
    let specs = ["guilty", "neighbour-1", "neighbour-2"].map(|name| {
        let user = UserId::parse(name).unwrap();
        let ear = Arc::new(Mutex::new(Vec::new()));
        heard.push(ear.clone());
        let subscriber: Recipient<Deliver> = Ear(ear).start().recipient();
        let subscriber: Arc<dyn Subscriber> = Arc::new(subscriber);
        let (left, blocked) = (left.clone(), Arc::clone(&blocked));
        let guilty = name == "guilty";
        let handle = AccountHandle::new(user.clone());
        handles.push(handle.clone());
        ChildSpec {
            number: handles.len() - 1,
            config: Arc::new(CoreConfig {
                app: SdkAppId::new(APP).unwrap(),
                name: user.into(),
                credential: Credential::Minted {
                    key: Arc::new(KEY.into()),
                    lifetime: Duration::from_secs(3600),
                },
                hosts: HostWalk::fixed(&sandbox.url()),
                policy: policy.clone(),
                probes: false,
            }),
            connector: Arc::new(move || match guilty {
                true => Rc::new(Hangs {
                    left: left.clone(),
                    blocked: blocked.clone(),
                }) as Rc<dyn Connector>,
                false => Rc::new(NetConnector::default()),
            }),
            paces: paces.clone(),
            rest: None,
            subscriber: Arc::new(move |_| Box::pin(std::future::ready(Ok(subscriber.clone())))),
            handle,
            away: None,
            handed: None,
        }
    });
    let mut io = IoConfig::default();
    // The time is long enough for a busy machine, because a false alarm would count.
    io.hang_after = Duration::from_secs(3);
    let supervisor = Supervisor::start_with(specs.into(), io, None);
    let fleet = Fleet {
        supervisor,
        heard,
        handles,
        blocked,
    };
    (fleet, left)
}

impl Fleet {
    async fn status(&self) -> Vec<Status> {
        self.supervisor.send(GetStatus).await.unwrap()
    }

    async fn phases(&self, expected: [Phase; 3]) -> Vec<Status> {
        eventually(&format!("{expected:?}"), || async {
            let status = self.status().await;
            let phases: Vec<Phase> = status.iter().map(|status| status.phase).collect();
            (phases == expected).then_some(status)
        })
        .await
    }

    async fn end(self) {
        for release in self.blocked.lock().unwrap().drain(..) {
            let _ = release.send(());
        }
        self.supervisor.send(StopAll).await.unwrap();
        self.supervisor.send(EndThreads).await.unwrap();
    }
}

const ONLINE: [Phase; 3] = [Phase::Online; 3];

#[actix_rt::test]
async fn the_accounts_of_a_thread_that_hangs_go_on_elsewhere_and_no_message_is_lost() {
    let sandbox = sandbox(|_| {});
    let (fleet, left) = fleet(&sandbox, 0);
    fleet.phases(ONLINE).await;
    // The next dial of the first account blocks the thread of all three.
    left.store(1, Ordering::SeqCst);
    sandbox.drop_link("guilty").unwrap();
    eventually("the thread hangs", || async {
        (!fleet.blocked.lock().unwrap().is_empty()).then_some(())
    })
    .await;
    // Callers that wait for an account on the thread get an error, although the account cannot
    // answer.
    let sending = fleet.handles[1].send(Conversation::c2c("alice"), "into the void");
    assert_eq!(sending.await, Err(SendError::Gone));
    for n in 0..5 {
        sandbox
            .say("alice", "neighbour-1", &format!("while hanging {n}"))
            .unwrap();
    }
    eventually("the neighbours are told", || async {
        let heard = fleet.heard[2].lock().unwrap();
        heard.contains(&"hung".to_owned()).then_some(())
    })
    .await;
    let status = fleet.phases(ONLINE).await;
    assert!(
        status[1..]
            .iter()
            .all(|status| status.cause == Cause::NotStarted || status.counters.logins == 1)
    );
    let texts: Vec<String> = (0..5).map(|n| format!("while hanging {n}")).collect();
    eventually("the messages", || async {
        let heard = fleet.heard[1].lock().unwrap();
        (heard.len() == 3 + 5).then_some(())
    })
    .await;
    // The old thread resumes. The actors that are still on it must no longer act for the accounts.
    for release in fleet.blocked.lock().unwrap().drain(..) {
        release.send(()).unwrap();
    }
    sandbox.say("alice", "neighbour-1", "afterwards").unwrap();
    eventually("the last message", || async {
        let heard = fleet.heard[1].lock().unwrap();
        heard.contains(&"afterwards".to_owned()).then_some(())
    })
    .await;
    let mut expected: Vec<&str> = vec!["ready", "hung", "ready"];
    expected.extend(texts.iter().map(String::as_str));
    expected.push("afterwards");
    let heard = fleet.heard[1].lock().unwrap().clone();
    assert_eq!(heard, expected);
    fleet.phases(ONLINE).await;
    fleet.end().await;
}

#[actix_rt::test]
async fn an_account_that_hangs_its_thread_again_and_again_is_left_alone() {
    let sandbox = sandbox(|_| {});
    let (fleet, _left) = fleet(&sandbox, u32::MAX);
    let status = fleet
        .phases([Phase::Quarantined, Phase::Online, Phase::Online])
        .await;
    assert_eq!(status[0].cause, Cause::Hung);
    let hangs = fleet.blocked.lock().unwrap().len();
    assert_eq!(hangs, 4, "three are forgiven");
    fleet.end().await;
}
