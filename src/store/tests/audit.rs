//! What people have ordered, and how it is pruned.

use super::*;
use crate::store::backend::Backend;
use crate::store::clock::unix_now;
use crate::store::sqlite::Sqlite;

const DAY: u64 = 24 * 3600;

fn deed(at: u64, what: &str) -> Deed {
    Deed {
        at,
        who: "shop".to_owned(),
        origin: "127.0.0.1".to_owned(),
        what: format!("\"{what}\""),
    }
}

/// The numbers of the entries, from where on they hold, and the last hash.
fn audit(sqlite: &Sqlite) -> (Vec<u64>, Option<u64>, AuditHash) {
    let (mut numbers, mut check) = (Vec::new(), AuditCheck::default());
    let mut take = |entry: AuditEntry| {
        check.take(&entry).unwrap();
        numbers.push(entry.number);
        true
    };
    sqlite.reader().unwrap().audit(&mut take).unwrap();
    let anchor = check.finish().unwrap();
    (numbers, anchor.map(|anchor| anchor.number), check.head().1)
}

#[test]
fn the_oldest_entries_are_pruned_in_their_order_and_what_is_left_holds() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = Sqlite::open(&folder.path().join("botroupe.db")).unwrap();
    let mut writer = sqlite.writer(false).unwrap();
    // The clock was wrong for the third.
    for (at, what) in [(1, "a"), (2, "b"), (9, "c"), (3, "d"), (10, "e")] {
        writer.audit(&deed(T + at * DAY, what)).unwrap();
    }
    writer.prune_audit(T, T + 10 * DAY).unwrap();
    assert_eq!(audit(&sqlite).0, [1, 2, 3, 4, 5], "nothing is so old");
    writer.prune_audit(T + 5 * DAY, T + 10 * DAY).unwrap();
    let (numbers, from, head) = audit(&sqlite);
    assert_eq!((&numbers[..], from), (&[3, 4, 5, 6][..], Some(2)));
    // Nothing more is so old: nothing is written down again.
    writer.prune_audit(T + 5 * DAY, T + 10 * DAY).unwrap();
    assert_eq!(audit(&sqlite), (numbers, from, head));
    writer.audit(&deed(T + 11 * DAY, "f")).unwrap();
    assert_eq!(audit(&sqlite).0, [3, 4, 5, 6, 7]);
    // All of them; then there is only the entry about that, which would only be replaced by its like.
    writer.prune_audit(T + 20 * DAY, T + 30 * DAY).unwrap();
    assert_eq!(audit(&sqlite).0, [8]);
    assert_eq!(audit(&sqlite).1, Some(7));
    writer.prune_audit(T + 40 * DAY, T + 50 * DAY).unwrap();
    assert_eq!(audit(&sqlite).0, [8]);
    writer.audit(&deed(T + 50 * DAY, "g")).unwrap();
    writer.prune_audit(T + 49 * DAY, T + 50 * DAY).unwrap();
    assert_eq!(audit(&sqlite).0, [8, 9], "the first is no order");
    let wrong = sqlite.reader().unwrap().check().unwrap();
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn a_store_keeps_what_was_ordered_for_as_long_as_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("botroupe.db");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let numbers = |keep: Option<Duration>| {
        let config = StoreConfig {
            keep_audit: keep,
            ..StoreConfig::default()
        };
        let store = Store::open(&path, config).unwrap();
        store.prune().unwrap();
        let (check, broken) = runtime.block_on(store.verify_audit()).unwrap();
        assert_eq!(broken, None);
        store.close();
        (check.head().0, check.finish().unwrap().map(|it| it.number))
    };
    let store = Store::open(&path, StoreConfig::default()).unwrap();
    for (at, what) in [(0, "a"), (1, "b"), (unix_now(), "c")] {
        runtime.block_on(store.audit(deed(at, what))).unwrap();
    }
    store.close();
    drop(store);
    assert_eq!(numbers(None), (3, None));
    let days = |count: u64| Some(Duration::from_secs(count * DAY));
    assert_eq!(numbers(days(1_000_000)), (3, None));
    assert_eq!(numbers(days(2)), (4, Some(2)));
    assert_eq!(numbers(days(2)), (4, Some(2)));
}
