//! Every store gives back what the model does.

use super::*;
use crate::store::backend::{Backend, Batch, Place, Reader, Writer};
use crate::store::sqlite::Sqlite;
use botroupe_core::ledger::{Ended, Horizon, Scope, SpillLine, Spilled, Tables};
use proptest::prelude::*;
use std::collections::HashMap;

/// Changes as accounts make them: numbers of records are new ones, ends are of whatever number.
fn change(number: u64) -> impl Strategy<Value = Change> {
    let account = || (0..3_u32).prop_map(AccountNo);
    let (of, removed) = (1..=number, 1..=number);
    let text = || {
        prop_oneof![
            Just("".into()),
            "[a-z\"\\\\好\n]{0,9}".prop_map(String::into_boxed_str)
        ]
    };
    let at = || {
        prop_oneof![
            T..T + 50,
            Just(T + 400 * 24 * 3600),
            Just(u64::MAX),
            Just(0)
        ]
    };
    let effect = || prop_oneof![0..4_u64, Just(u64::MAX)];
    let to = prop_oneof![
        text().prop_map(Conversation::c2c),
        text().prop_map(Conversation::group),
        Just(Conversation::System)
    ];
    let scope = prop_oneof![
        Just(Scope::Bot),
        account().prop_map(Scope::Account),
        (account(), to.clone()).prop_map(|(account, to)| Scope::Conversation(account, to)),
        (account(), text()).prop_map(|(account, user)| Scope::User(account, user)),
        account().prop_map(Scope::Alarms),
        (account(), to.clone()).prop_map(|(account, to)| Scope::Dialogues(account, to)),
    ];
    let bot = || prop_oneof![Just(Box::from("echo")), Just(Box::from("poll"))];
    let key =
        (bot(), scope, prop_oneof![Just("a"), Just("好")]).prop_map(|(bot, scope, name)| CellKey {
            bot,
            scope,
            name: name.into(),
        });
    let ended = prop_oneof![
        Just(Ended::Sent),
        text().prop_map(Ended::Answered),
        (text(), at()).prop_map(|(reason, at)| Ended::Failed { reason, at }),
        (text(), at()).prop_map(|(reason, at)| Ended::Unknown { reason, at }),
    ];
    let line = prop_oneof![
        to.clone().prop_map(SpillLine::Conversation),
        Just(SpillLine::Updates)
    ];
    let spilled = (account(), line, text(), at()).prop_map(move |(account, line, body, at)| {
        Change::Spilled(Box::new(Spilled {
            number,
            account,
            line,
            body,
            at,
        }))
    });
    let letter = (
        (account(), text(), prop::option::of(effect()), any::<bool>()),
        (to, text(), any::<u32>(), any::<u32>(), at(), at()),
    )
        .prop_map(
            move |((account, bot, effect, lasting), (to, draft, seq, random, at, service_time))| {
                Change::Queued(Box::new(Letter {
                    number,
                    account,
                    bot,
                    effect,
                    lasting,
                    to,
                    draft,
                    key: MessageKey { seq, random },
                    at,
                    service_time,
                    state: LetterState::Queued,
                }))
            },
        );
    prop_oneof![
        2 => (account(), any::<u64>(), at()).prop_map(move |(account, exchange, at)| Change::Handled {
            number,
            account,
            exchange,
            at
        }),
        1 => (account(), at()).prop_map(|(account, until)| Change::Read { account, until }),
        3 => letter,
        3 => (of.clone(), ended).prop_map(|(number, ended)| Change::Ended { number, ended }),
        1 => of.clone().prop_map(|number| Change::Retried { number }),
        1 => of.clone().prop_map(|number| Change::Dropped { number }),
        2 => (account(), effect(), any::<bool>(), text(), at()).prop_map(
            move |(account, effect, lasting, value, at)| Change::Recorded(Box::new(Record {
                number,
                account,
                effect,
                lasting,
                value,
                at
            }))
        ),
        1 => of.prop_map(|number| Change::Forgotten { number }),
        2 => (key.clone(), text(), prop::option::of(at()), at()).prop_map(|(key, value, ends, at)| {
            Change::Put(Box::new(Cell { key, value, ends, at }))
        }),
        1 => key.prop_map(|key| Change::Removed(Box::new(key))),
        3 => spilled,
        1 => removed.prop_map(|number| Change::Unspilled { number }),
    ]
}

fn lists() -> impl Strategy<Value = Vec<Vec<Change>>> {
    prop::collection::vec(1..5_usize, 1..12).prop_flat_map(|sizes| {
        let mut number = 0;
        let lists: Vec<Vec<_>> = sizes
            .into_iter()
            .map(|size| {
                let changes = (0..size).map(|_| {
                    number += 1;
                    change(number).boxed()
                });
                changes.collect()
            })
            .collect();
        lists
    })
}

struct SpilledIn {
    account: AccountNo,
    line: SpillLine,
}

/// The lines in which something waits, and one in which nothing does.
fn spill_lines(tables: &Tables) -> Vec<SpilledIn> {
    let mut lines = vec![SpilledIn {
        account: AccountNo(2),
        line: SpillLine::Conversation(Conversation::c2c("nobody")),
    }];
    for (account, found) in tables.recover() {
        let found = found.spilled.into_iter().map(|it| it.line);
        lines.extend(found.map(|line| SpilledIn { account, line }));
    }
    lines
}

/// Everything that can be asked.
fn compare(tables: &Tables, reader: &mut dyn Reader, writer: &mut dyn Writer) {
    assert_eq!(reader.recover().unwrap(), tables.recover());
    let dead: Vec<Letter> = tables.dead_letters().cloned().collect();
    assert_eq!(reader.letters(false).unwrap(), dead);
    for account in (0..3).map(AccountNo) {
        for effect in [0, 1, 2, 3, u64::MAX] {
            let letter = reader.letter_of(account, effect).unwrap();
            assert_eq!(letter.as_ref(), tables.letter_of(account, effect));
            let record = reader.record_of(account, effect).unwrap();
            assert_eq!(record.as_ref(), tables.record_of(account, effect));
        }
    }
    for SpilledIn { account, line } in spill_lines(tables) {
        for (after, limit) in [(0, 2), (0, 99), (3, 1), (u64::MAX, 9)] {
            let found = reader.spilled(account, &line, after, limit).unwrap();
            assert_eq!(found, tables.spilled(account, &line, after, limit));
        }
    }
    for number in 0..60 {
        assert_eq!(
            reader.letter(number).unwrap().as_ref(),
            tables.letter(number)
        );
    }
    let used = writer.usage();
    for bot in ["echo", "poll", "none"] {
        let usage = used.get(bot).copied().unwrap_or_default();
        assert_eq!(
            (usage.count as usize, usage.bytes as usize),
            tables.usage(bot)
        );
    }
    assert_eq!(writer.figures().counts, tables.counts());
    assert_eq!(writer.figures().last, tables.last());
    let queued = tables.recover().into_values().flat_map(|it| it.letters);
    let queued = queued.filter(|letter| letter.state == LetterState::Queued);
    let oldest = queued.map(|letter| (letter.number, letter.at)).min();
    assert_eq!(writer.unsettled(0).unwrap(), oldest);
}

fn batches(lists: &[Vec<Change>]) -> Vec<Batch> {
    let lists = lists.iter().cloned();
    lists
        .map(|changes| Batch {
            changes,
            done: None,
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_file_holds_what_the_model_holds(lists in lists(), at in T - 10..T + 60) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("botroupe.db");
        let mut tables = Tables::default();
        for list in &lists {
            tables.apply(list);
        }
        let file = Sqlite::open(&path).unwrap();
        let mut writer = file.writer(false).unwrap();
        writer.write(&batches(&lists)).unwrap();
        compare(&tables, &mut *file.reader().unwrap(), &mut *writer);
        // A commit of which nobody knows whether it succeeded is repeated.
        let mut twice = tables.clone();
        for list in &lists {
            twice.apply(list);
        }
        writer.write(&batches(&lists)).unwrap();
        compare(&twice, &mut *file.reader().unwrap(), &mut *writer);
        drop(writer);
        drop(file);

        let file = Sqlite::open(&path).unwrap();
        let mut writer = file.writer(true).unwrap();
        compare(&twice, &mut *file.reader().unwrap(), &mut *writer);
        let before = Horizon { read: at, handled: at - 5, keys: at - 3, dead_letters: at - 1, now: at, old: 7 };
        twice.prune(&before);
        let mut read: HashMap<AccountNo, u64> = HashMap::new();
        for change in lists.iter().flatten() {
            if let Change::Read { account, until } = change {
                let read = read.entry(*account).or_default();
                *read = (*read).max(*until);
            }
        }
        let mut place = Place::Handled(0);
        while place != Place::Done {
            writer.prune(&before, &read, &mut place).unwrap();
        }
        compare(&twice, &mut *file.reader().unwrap(), &mut *writer);
        prop_assert!(file.reader().unwrap().check().unwrap().is_empty());
        let mut lines = 0;
        file.reader().unwrap().export(&mut |line| {
            lines += 1;
            serde_json::from_str::<serde_json::Value>(line).is_ok()
        }).unwrap();
        let counts = twice.counts();
        let letters = counts.queued + counts.answered + counts.failed + counts.unknown;
        prop_assert_eq!(lines, counts.handled + letters + counts.records + counts.cells + counts.spilled);
    }

    #[test]
    fn both_stores_answer_as_the_model_does_before_and_after_the_commit(lists in lists()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("botroupe.db");
        let mut tables = Tables::default();
        let disk = Store::open(&path, StoreConfig::default()).unwrap();
        let memory = Store::memory();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for list in &lists {
            tables.apply(list);
            for store in [&disk, &memory] {
                store.submit(list.clone(), None);
                runtime.block_on(async {
                    for effect in [0, 1, 2, 3, u64::MAX] {
                        for account in (0..3).map(AccountNo) {
                            let letter = store.letter_of(account, effect).await.unwrap();
                            assert_eq!(letter.as_ref(), tables.letter_of(account, effect));
                            let record = store.record_of(account, effect).await.unwrap();
                            assert_eq!(record.as_ref(), tables.record_of(account, effect));
                        }
                    }
                    for SpilledIn { account, line } in spill_lines(&tables) {
                        for (after, limit) in [(0, 2), (3, 9)] {
                            let found = store.spilled(account, line.clone(), after, limit);
                            let known = tables.spilled(account, &line, after, limit);
                            assert_eq!(found.await.unwrap(), known);
                        }
                    }
                    for change in lists.iter().flatten() {
                        let key = match change {
                            Change::Put(cell) => &cell.key,
                            Change::Removed(key) => key,
                            _ => continue,
                        };
                        let cell = store.cell(key.clone(), T + 20).await.unwrap();
                        assert_eq!(cell.as_ref(), tables.cell(key, T + 20));
                    }
                });
            }
        }
        for store in [&disk, &memory] {
            apply(store, Vec::new());
            prop_assert_eq!(store.recover().unwrap(), tables.recover());
            let dead: Vec<Letter> = tables.dead_letters().cloned().collect();
            prop_assert_eq!(runtime.block_on(store.dead_letters()).unwrap(), dead);
            let usage = runtime.block_on(store.usage("echo")).unwrap();
            prop_assert_eq!((usage.count as usize, usage.bytes as usize), tables.usage("echo"));
            prop_assert_eq!(store.condition().counts, tables.counts());
        }
        disk.close();
        drop(disk);
        let disk = Store::open(&path, StoreConfig::default()).unwrap();
        prop_assert_eq!(disk.next_number(), tables.last() + 1);
        prop_assert_eq!(disk.recover().unwrap(), tables.recover());
    }
}

#[test]
fn a_back_up_is_a_store_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("botroupe.db");
    let copy = folder.path().join("copy.db");
    let store = Store::open(&path, StoreConfig::default()).unwrap();
    apply(&store, vec![handled(1, T), handled(2, T)]);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let size = runtime.block_on(store.back_up(copy.clone())).unwrap();
    assert_eq!(size, std::fs::metadata(&copy).unwrap().len());
    assert!(
        runtime.block_on(store.back_up(copy.clone())).is_err(),
        "it is there already"
    );
    apply(&store, Vec::new());
    assert!(store.condition().backed_up.is_some());
    #[cfg(unix)]
    for file in [&path, &copy] {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let twin = Store::open(&copy, StoreConfig::default()).unwrap();
    assert_eq!(twin.recover().unwrap(), store.recover().unwrap());
}
