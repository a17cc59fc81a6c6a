use super::*;
use crate::proto::id::UserId;
use crate::session::RequestError;
use crate::store::StoreConfig;
use std::future::Future;
use std::path::Path;

fn open(path: &Path) -> Store {
    Store::open(path, StoreConfig::default()).unwrap()
}

/// The ledger of an account, with what an earlier process has left.
fn ledger(store: &Store) -> Arc<Ledger> {
    let user: UserId = "bot".parse().unwrap();
    let app = crate::proto::id::SdkAppId::new(1_400_000_001).unwrap();
    let number = store.accounts(app, std::slice::from_ref(&user)).unwrap()[0];
    let found = store.recover().unwrap().remove(&number).unwrap_or_default();
    let shelf = Shelf::new(store.clone(), u64::MAX);
    Ledger::new(shelf, number, AccountHandle::new(user), found)
}

fn billing() -> Owner {
    Owner::new("billing".into(), None)
}

fn invoice() -> (Conversation, Draft) {
    (Conversation::c2c("alice"), Draft::text("Your invoice"))
}

fn sent(seq: u64) -> Sent {
    serde_json::from_value(serde_json::json!({"MsgSeq": seq, "MsgTime": 5})).unwrap()
}

/// Does what a host does while something goes on: letters end as `end` says. Returns how many did.
async fn serve<T>(
    ledger: &Ledger,
    end: impl Fn() -> Outcome,
    what: impl Future<Output = T>,
) -> (T, usize) {
    let mut what = std::pin::pin!(what);
    let mut count = 0;
    loop {
        tokio::select! {
            biased;
            out = &mut what => return (out, count),
            () = tokio::task::yield_now() => {}
        }
        while let Some(written) = ledger.poll_written() {
            let Written::Letter(posting) = written else {
                panic!("{written:?}");
            };
            let answer = end().map(|sent| serde_json::to_string(&sent).unwrap());
            ledger.settled(posting.number, answer, false);
            count += 1;
        }
    }
}

#[actix_rt::test]
async fn a_key_is_sent_once_also_by_two_at_a_time_and_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("botroupe.db");
    let store = open(&path);
    let owner = billing();
    let first = ledger(&store);
    // Each of them has to ask the disk, so both ask before one has sent.
    let two = async {
        tokio::join!(
            first.send(&owner, invoice(), Some("17")),
            first.send(&owner, invoice(), Some("17")),
        )
    };
    let ((one, other), count) = serve(&first, || Ok(sent(7)), two).await;
    assert_eq!((one.unwrap(), other.unwrap(), count), (sent(7), sent(7), 1));
    store.close();
    drop((store, first));

    let store = open(&path);
    let second = ledger(&store);
    let again = second.send(&owner, invoice(), Some("17"));
    let (again, count) = serve(&second, || Ok(sent(8)), again).await;
    assert_eq!((again.unwrap(), count), (sent(7), 0));
    let other = second.send(&owner, invoice(), Some("18"));
    let (other, count) = serve(&second, || Ok(sent(9)), other).await;
    assert_eq!((other.unwrap(), count), (sent(9), 1));
}

#[actix_rt::test]
async fn a_key_that_was_refused_may_be_tried_again_and_one_that_is_unknown_not() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("botroupe.db"));
    let (ledger, owner) = (ledger(&store), billing());
    let refused = || Err(OutboxError::Refused(RequestError::Overloaded));
    let unknown = || Err(OutboxError::Unknown("no history".to_owned()));
    let send = || ledger.send(&owner, invoice(), Some("17"));
    let (outcome, count) = serve(&ledger, refused, send()).await;
    assert!(outcome.is_err());
    assert_eq!(count, 1);
    let (outcome, count) = serve(&ledger, unknown, send()).await;
    assert!(outcome.is_err());
    assert_eq!(count, 1);
    let (outcome, count) = serve(&ledger, || Ok(sent(1)), send()).await;
    let error = outcome.unwrap_err();
    assert!(error.to_string().contains("unknown"), "{error}");
    assert_eq!(count, 0, "it would be said twice");
}

#[actix_rt::test]
async fn a_result_lasts_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("botroupe.db");
    let store = open(&path);
    let (effect, lasting) = billing().effect_of_result("charge");
    assert!(lasting);
    let first = ledger(&store);
    assert_eq!(first.result(&billing(), effect, true).await, Ok(None));
    first.record(&billing(), effect, true, "5".into()).await;
    store.close();
    drop((store, first));

    let second = ledger(&open(&path));
    let value = second.result(&billing(), effect, true).await;
    assert_eq!(value, Ok(Some("5".into())));
}

#[actix_rt::test]
async fn a_ledger_has_no_book_once_nothing_is_on_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("botroupe.db"));
    let (ledger, owner) = (ledger(&store), billing());
    let send = ledger.send(&owner, invoice(), Some("17"));
    let (outcome, _) = serve(&ledger, || Ok(sent(1)), send).await;
    assert!(outcome.is_ok());
    assert!(ledger.poll_written().is_none());
    assert!(ledger.book().is_none(), "{:?}", ledger.book());
}
