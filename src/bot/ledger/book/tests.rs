use super::*;
use crate::session::RequestError;
use botroupe_core::ledger::{AccountNo, Record};

const T: u64 = 1_795_000_000;
/// At this time, and somebody decides about what is unknown.
const ASKS: (u64, bool) = (T, false);
const DROPS: (u64, bool) = (T, true);

fn posting(number: u64) -> Posting {
    Posting {
        number,
        bot: "echo".into(),
        to: Conversation::c2c("alice"),
        draft: Arc::new(Draft::text("hi")),
        key: MessageKey { seq: 1, random: 2 },
        sent_since: None,
        service_time: T,
    }
}

fn letter(number: u64, effect: Option<u64>, state: LetterState) -> Letter {
    Letter {
        number,
        account: AccountNo(1),
        bot: "echo".into(),
        effect,
        lasting: false,
        to: Conversation::c2c("alice"),
        draft: serde_json::to_string(&Draft::text("hi")).unwrap().into(),
        key: MessageKey { seq: 1, random: 2 },
        at: T,
        service_time: T,
        state,
    }
}

fn answered(seq: u64) -> LetterState {
    let sent = sent(seq);
    LetterState::Ended(Ended::Answered(
        serde_json::to_string(&sent).unwrap().into(),
    ))
}

fn sent(seq: u64) -> Sent {
    serde_json::from_value(serde_json::json!({"MsgSeq": seq, "MsgTime": T})).unwrap()
}

fn unknown() -> OutboxError {
    OutboxError::Unknown("no history".to_owned())
}

fn refused() -> OutboxError {
    OutboxError::Refused(RequestError::NotLoggedIn)
}

/// The numbers of the letters for the host, with the time since when they may have been sent.
fn for_host(book: &mut Book) -> Vec<(u64, Option<u64>)> {
    let mut all = Vec::new();
    while let Some(written) = book.poll_written() {
        match written {
            Written::Letter(posting) => all.push((posting.number, posting.sent_since)),
            other => panic!("{other:?}"),
        }
    }
    all
}

fn steps(letters: &[u64], results: &[u64]) -> Steps {
    Steps {
        letters: letters.into(),
        results: results.into(),
    }
}

#[test]
fn what_an_earlier_process_left_is_sent_again_or_known() {
    let found = Recovered {
        handled: vec![(1, 70)],
        letters: vec![
            letter(2, None, LetterState::Queued),
            letter(3, Some(30), answered(8)),
            letter(
                4,
                Some(40),
                LetterState::Ended(Ended::Unknown {
                    reason: "no history".into(),
                    at: T,
                }),
            ),
            letter(5, Some(50), LetterState::Queued),
        ],
        records: vec![Record {
            number: 6,
            account: AccountNo(1),
            effect: 60,
            lasting: false,
            value: "7".into(),
            at: T,
        }],
        ..Recovered::default()
    };
    let mut book = Book::recovered(found);
    assert!(book.is_handled(70) && !book.is_handled(71));
    assert_eq!(for_host(&mut book), [(2, Some(T)), (5, Some(T))]);
    match book.known(30) {
        Some(Known::Settled(3, Ok(answer))) => assert_eq!(answer, sent(8)),
        other => panic!("{other:?}"),
    }
    assert!(matches!(
        book.known(40),
        Some(Known::Settled(4, Err(OutboxError::Unknown(_))))
    ));
    assert!(matches!(book.known(50), Some(Known::UnderWay(5, _))));
    assert!(matches!(book.known(60), Some(Known::Result(6, value)) if &*value == "7"));
    assert!(book.known(2).is_none());
}

#[test]
fn a_letter_of_a_later_version_stays_in_the_store_and_harms_no_other() {
    let strange = Letter {
        draft: "?".into(),
        ..letter(1, None, LetterState::Queued)
    };
    let found = Recovered {
        letters: vec![strange.clone(), letter(2, None, LetterState::Queued)],
        ..Recovered::default()
    };
    let mut book = Book::recovered(found);
    assert!(book.retried(strange).is_none());
    assert_eq!(for_host(&mut book), [(2, Some(T))]);
}

#[test]
fn an_effect_is_known_under_way_settled_and_unknown_and_not_once_it_failed() {
    let mut book = Book::default();
    for number in 1..=3 {
        book.letter(posting(number), Some(10 * number), false);
    }
    let Some(Known::UnderWay(1, mut heard)) = book.known(10) else {
        panic!("it is under way");
    };
    assert!(book.is_awaited(1));
    let change = book.settled(1, Ok(sent(5)), ASKS);
    assert_eq!(heard.try_recv().unwrap().unwrap(), sent(5));
    assert!(matches!(
        change,
        Some(Change::Ended {
            number: 1,
            ended: Ended::Answered(_)
        })
    ));
    assert!(matches!(book.known(10), Some(Known::Settled(1, Ok(_)))));

    let change = book.settled(2, Err(unknown()), ASKS);
    assert!(matches!(
        change,
        Some(Change::Ended {
            ended: Ended::Unknown { .. },
            ..
        })
    ));
    assert!(matches!(
        book.known(20),
        Some(Known::Settled(2, Err(OutboxError::Unknown(_))))
    ));

    let change = book.settled(3, Err(refused()), ASKS);
    assert!(matches!(
        change,
        Some(Change::Ended {
            ended: Ended::Failed { at: T, .. },
            ..
        })
    ));
    assert!(book.known(30).is_none(), "it may be tried again");
    assert!(book.settled(3, Ok(sent(1)), ASKS).is_none(), "settled once");
}

#[test]
fn nobody_asks_for_an_answer_of_a_handler_and_the_store_for_a_callers_key() {
    let mut book = Book::default();
    book.letter(posting(1), None, false);
    let change = book.settled(1, Ok(sent(1)), ASKS);
    assert_eq!(
        change,
        Some(Change::Ended {
            number: 1,
            ended: Ended::Sent
        })
    );
    book.letter(posting(2), Some(20), true);
    assert!(book.has(20) && book.lasts(2));
    let change = book.settled(2, Ok(sent(1)), ASKS);
    assert!(matches!(
        change,
        Some(Change::Ended {
            ended: Ended::Answered(_),
            ..
        })
    ));
    assert!(book.is_empty(), "{book:?}");
}

#[test]
fn a_waiter_that_went_away_is_no_waiter() {
    let mut book = Book::default();
    book.letter(posting(1), None, false);
    assert!(book.wait_for(2).is_none());
    let outcome = book.wait_for(1).unwrap();
    assert!(book.is_awaited(1));
    drop(outcome);
    assert!(!book.is_awaited(1));
    assert!(!book.is_awaited(2));
}

#[test]
fn with_the_handler_its_steps_end_and_what_is_unknown_stays_for_somebody_to_decide() {
    let mut book = Book::default();
    for number in 1..=3 {
        book.letter(posting(number), Some(10 * number), false);
    }
    book.result(4, 40, "1".into());
    book.settled(1, Ok(sent(1)), ASKS);
    book.settled(2, Err(unknown()), ASKS);
    let mut changes = Vec::new();
    book.steps_over(steps(&[1, 2, 3, 9], &[4]), &mut changes);
    assert_eq!(
        changes,
        [
            Change::Dropped { number: 1 },
            Change::Forgotten { number: 4 }
        ]
    );
    for effect in [10, 20, 30, 40] {
        assert!(book.known(effect).is_none(), "{effect}");
    }
    assert!(!book.is_empty(), "one is under way");
    let change = book.settled(3, Ok(sent(1)), ASKS);
    assert_eq!(
        change,
        Some(Change::Ended {
            number: 3,
            ended: Ended::Sent
        })
    );
    assert!(book.is_empty(), "{book:?}");
}

#[test]
fn a_bot_that_drops_what_is_unknown_does_not_send_it_when_its_handler_runs_again() {
    let mut book = Book::default();
    book.letter(posting(1), None, false);
    let change = book.settled(1, Err(unknown()), DROPS);
    assert_eq!(change, Some(Change::Dropped { number: 1 }));
    book.letter(posting(2), Some(20), false);
    let change = book.settled(2, Err(unknown()), DROPS);
    let Some(Change::Ended { number: 2, ended }) = change else {
        panic!("the handler has not ended: {change:?}");
    };
    assert!(matches!(ended, Ended::Unknown { .. }));
    let mut changes = Vec::new();
    book.steps_over(steps(&[2], &[]), &mut changes);
    assert_eq!(changes, [Change::Dropped { number: 2 }]);
    assert!(book.is_empty(), "{book:?}");
}

#[test]
fn what_the_store_has_confirmed_is_for_the_host_in_order_and_whoever_waits_is_told() {
    let mut book = Book::default();
    let first = book.writes(Written::Letter(posting(1)));
    let (tell, mut told) = oneshot::channel();
    let second = book.writes(Written::Told(tell));
    let third = book.writes(Written::Letter(posting(2)));
    assert!(book.poll_written().is_none());
    assert!(book.committed(first));
    assert!(!book.committed(second), "that was for nobody else");
    assert!(told.try_recv().is_ok());
    assert!(!book.committed(second), "it is told once");
    assert!(!book.is_empty());
    assert!(book.committed(third));
    assert_eq!(for_host(&mut book), [(1, None), (2, None)]);
    assert!(book.is_empty(), "{book:?}");
}

#[test]
fn a_message_is_handled_until_it_cannot_come_again() {
    let mut book = Book::default();
    book.handled(7);
    assert!(book.is_handled(7) && !book.is_empty());
    book.is_over(8);
    book.is_over(7);
    assert!(!book.is_handled(7) && book.is_empty());
}

fn job() -> Job {
    let mut lines = crate::bot::lines::Lines::default();
    lines.set_ready(true);
    let item = crate::proto::message::C2cItem::new("alice", "bot", Vec::new());
    let message = Arc::new(crate::proto::message::Message::from_c2c(item, "bot"));
    let now = Duration::from_secs(1);
    let manner = crate::bot::lines::Manner {
        merges: true,
        is_beside: false,
        is_gated: false,
        spot: crate::traces::Spot::NONE,
    };
    lines.message(now, &message, &[0], |_| manner);
    lines.poll_start(now).unwrap().job
}

#[test]
fn the_next_host_gets_every_letter_once_and_those_that_may_have_been_sent_as_such() {
    let mut book = Book::default();
    // With the last host; sent or not.
    book.letter(posting(1), None, false);
    // Settled: kept for its handler.
    book.letter(posting(2), Some(20), false);
    book.settled(2, Ok(sent(1)), ASKS);
    // Written, and the host has not looked.
    book.letter(posting(3), None, false);
    let third = book.writes(Written::Letter(posting(3)));
    book.committed(third);
    // Being written: an answer of a handler, somebody who waits, and a letter.
    book.letter(posting(4), None, false);
    let handler = Written::Handler {
        job: job(),
        handler: "echo",
        answers: vec![posting(4)],
    };
    book.writes(handler);
    let (tell, mut told) = oneshot::channel();
    book.writes(Written::Told(tell));
    book.letter(posting(5), None, false);
    let last = book.writes(Written::Letter(posting(5)));

    book.host_replaced();
    assert_eq!(for_host(&mut book), [(1, Some(T)), (3, Some(T))]);
    assert!(book.committed(last));
    assert!(told.try_recv().is_ok());
    // The store had not written them down, so nobody has sent them.
    assert_eq!(for_host(&mut book), [(4, None), (5, None)]);
}

#[test]
fn a_letter_that_failed_is_sent_again_without_a_look_at_the_history() {
    let mut book = Book::default();
    let failed = LetterState::Ended(Ended::Failed {
        reason: "refused".into(),
        at: T,
    });
    let found = letter(1, Some(10), failed);
    let posting = book.retried(found.clone()).unwrap();
    assert_eq!((posting.number, posting.sent_since), (1, None));
    assert!(matches!(book.known(10), Some(Known::UnderWay(1, _))));
    assert!(book.retried(found).is_none(), "it is under way");
    assert!(book.poll_written().is_none(), "it is written down first");
}

#[test]
fn a_letter_that_is_unknown_is_sent_again_although_its_handler_has_not_ended() {
    let mut book = Book::default();
    book.letter(posting(1), Some(10), false);
    book.settled(1, Err(unknown()), ASKS);
    let state = LetterState::Ended(Ended::Unknown {
        reason: "no history".into(),
        at: T,
    });
    let posting = book.retried(letter(1, Some(10), state)).unwrap();
    assert_eq!((posting.number, posting.sent_since), (1, None));
    assert!(matches!(book.known(10), Some(Known::UnderWay(1, _))));
}

#[test]
fn a_book_with_an_answer_under_way_is_not_quiet() {
    let mut book = Book::default();
    assert!(book.is_quiet());
    let answer = posting(7);
    book.letter(answer.clone(), None, false);
    let batch = book.writes(Written::Letter(answer));
    assert!(!book.is_quiet(), "it is being written down");
    assert!(
        book.committed(batch) && !book.is_quiet(),
        "the host has to take it"
    );
    assert!(book.poll_written().is_some());
    assert!(!book.is_quiet(), "it is being sent");
    assert!(book.settled(7, Ok(Sent::default()), (1, false)).is_some());
    assert!(book.is_quiet());
}
