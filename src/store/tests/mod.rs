use super::*;
use crate::proto::message::{Conversation, MessageKey};
use botroupe_core::ledger::LetterState;
use std::sync::mpsc;

const ACCOUNT: AccountNo = AccountNo(1);
const T: u64 = 1_795_000_000;

/// Passes on what is committed.
struct Tell(mpsc::Sender<u64>);

impl Sink for Tell {
    fn committed(&self, batch: u64) {
        let _ = self.0.send(batch);
    }
}

fn tell() -> (Arc<dyn Sink>, mpsc::Receiver<u64>) {
    let (sender, receiver) = mpsc::channel();
    (Arc::new(Tell(sender)), receiver)
}

fn letter(number: u64, effect: Option<u64>) -> Letter {
    Letter {
        number,
        account: ACCOUNT,
        bot: "echo".into(),
        effect,
        lasting: false,
        to: Conversation::c2c("alice"),
        draft: "{}".into(),
        key: MessageKey { seq: 1, random: 2 },
        at: T,
        service_time: T,
        state: LetterState::Queued,
    }
}

/// Submits changes and waits until they have taken effect.
fn apply(store: &Store, changes: Vec<Change>) {
    let (sink, told) = tell();
    if !store.submit(changes, Some(Done { sink, batch: 3 })) {
        assert_eq!(told.recv(), Ok(3));
    }
}

fn handled(number: u64, at: u64) -> Change {
    Change::Handled {
        number,
        account: ACCOUNT,
        exchange: number * 7,
        at,
    }
}

#[test]
fn what_was_committed_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("botroupe.db");
    let store = Store::open(&path, StoreConfig::default()).unwrap();
    assert!(store.is_durable());
    let app = SdkAppId::new(1_400_000_001).unwrap();
    let users: Vec<UserId> = ["a", "b"].map(|user| user.parse().unwrap()).into();
    let numbers = store.accounts(app, &users).unwrap();
    let number = store.next_number();
    let queued = Change::Queued(Box::new(letter(store.next_number(), Some(9))));
    apply(&store, vec![handled(number, T), queued]);
    store.close();
    drop(store);

    let store = Store::open(&path, StoreConfig::default()).unwrap();
    let both: Vec<UserId> = users.iter().rev().cloned().collect();
    let again = store.accounts(app, &both).unwrap();
    assert_eq!(again, [numbers[1], numbers[0]]);
    let recovered = store.recover().unwrap().remove(&ACCOUNT).unwrap();
    assert_eq!(recovered.handled, [(1, 7)]);
    assert_eq!(recovered.letters, [letter(2, Some(9))]);
    assert_eq!(store.next_number(), 3);
    let condition = store.condition();
    assert_eq!(condition.oldest, Some((2, T)));
    assert_eq!((condition.counts.handled, condition.counts.queued), (1, 1));
}

mod audit;
mod faults;
mod model;
