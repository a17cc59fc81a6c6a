use super::*;
use crate::session::RequestError;

const NOW: Duration = Duration::from_secs(100);
const T: u64 = 1_795_000_000;
/// Nobody waits for it, and the program goes on.
const PERSISTS: (bool, bool) = (false, true);

fn posting(number: u64, to: &str) -> Posting {
    Posting {
        number,
        bot: "echo".into(),
        to: Conversation::c2c(to),
        draft: Arc::new(Draft::text("hi")),
        key: MessageKey { seq: 1, random: 2 },
        sent_since: None,
        service_time: T,
    }
}

/// Letters to these people, which have the numbers from one on.
fn letters(to: &[&str]) -> Replies {
    let mut replies = Replies::default();
    for (to, number) in to.iter().zip(1..) {
        replies.post(None, "", posting(number, to), Sending::default());
    }
    replies
}

/// The numbers of what is to be sent now, with the time since when it may have been sent.
fn due(replies: &mut Replies) -> Vec<(u64, Option<u64>)> {
    std::iter::from_fn(|| replies.poll())
        .map(|reply| (reply.number, reply.sent_since))
        .collect()
}

fn expired() -> Result<String, OutboxError> {
    Err(OutboxError::Expired(RequestError::TimedOut))
}

fn offline() -> Result<String, OutboxError> {
    Err(OutboxError::Offline("held".to_owned()))
}

#[test]
fn letters_leave_in_their_order_and_what_was_sent_before_says_since_when() {
    let mut replies = letters(&["alice", "alice"]);
    let old = Posting {
        sent_since: Some(T - 5),
        ..posting(3, "bob")
    };
    replies.post(None, "", old, Sending::default());
    assert_eq!(due(&mut replies), [(1, None), (2, None), (3, Some(T - 5))]);
    assert_eq!(replies.letter_of(3), Some(3));
    let ended = replies.settled(NOW, 1, Ok("{}".to_owned()), PERSISTS);
    assert!(matches!(ended, Some(Ended::Sent(reply, _)) if reply.number == 1));
    assert!(
        replies
            .settled(NOW, 1, Ok("{}".to_owned()), PERSISTS)
            .is_none()
    );
}

#[test]
fn a_letter_whose_time_was_too_short_is_tried_later_and_later_and_is_unknown_at_last() {
    let mut replies = letters(&["alice"]);
    let (mut now, mut since) = (NOW, None);
    for round in 1..=MAX_TRIES {
        assert_eq!(due(&mut replies), [(1, since)]);
        assert!(replies.settled(now, 1, expired(), PERSISTS).is_none());
        let next = replies.poll_timeout().unwrap();
        assert_eq!(next, now + LATER * round);
        replies.timeout(next - Duration::from_millis(1));
        assert_eq!(due(&mut replies), [], "it is too early");
        replies.timeout(next);
        (now, since) = (next, Some(T));
    }
    assert_eq!(due(&mut replies), [(1, Some(T))]);
    match replies.settled(now, 1, expired(), PERSISTS) {
        Some(Ended::Failed(_, OutboxError::Unknown(reason))) => {
            assert!(reason.contains("not sent in time"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_letter_for_which_somebody_waits_and_a_reply_that_nobody_keeps_expire_at_once() {
    let mut replies = letters(&["alice"]);
    due(&mut replies);
    let ended = replies.settled(NOW, 1, expired(), (false, false));
    assert!(matches!(
        ended,
        Some(Ended::Failed(_, OutboxError::Expired(_)))
    ));
    replies.add(Outgoing {
        number: 0,
        state: State::Waiting,
        job: None,
        handler: "echo",
        to: Conversation::c2c("alice"),
        draft: Arc::new(Draft::text("hi")),
        key: MessageKey { seq: 1, random: 2 },
        sent_since: None,
        service_time: T,
        letter: None,
        trace: Sending::default(),
    });
    assert_eq!(due(&mut replies), [(2, None)]);
    let ended = replies.settled(NOW, 2, expired(), PERSISTS);
    assert!(matches!(
        ended,
        Some(Ended::Failed(_, OutboxError::Expired(_)))
    ));
}

#[test]
fn what_an_account_had_that_went_away_waits_for_it_and_may_have_been_sent() {
    let mut replies = letters(&["alice", "bob"]);
    due(&mut replies);
    assert!(replies.settled(NOW, 1, offline(), PERSISTS).is_none());
    assert_eq!(due(&mut replies), []);
    assert_eq!(replies.poll_timeout(), None);
    replies.account_ready();
    assert_eq!(due(&mut replies), [(1, Some(T))]);
}

#[test]
fn another_actor_gets_everything_that_the_last_one_had() {
    let mut replies = letters(&["alice", "bob"]);
    assert!(replies.poll().is_some());
    replies.account_replaced();
    assert_eq!(due(&mut replies), [(1, Some(T)), (2, None)]);
}

#[test]
fn what_has_to_wait_holds_up_its_conversation_and_no_other() {
    for outcome in [expired(), Err(OutboxError::Full), offline()] {
        let mut replies = letters(&["alice"]);
        due(&mut replies);
        assert!(replies.settled(NOW, 1, outcome.clone(), PERSISTS).is_none());
        replies.post(None, "", posting(2, "alice"), Sending::default());
        replies.post(None, "", posting(3, "bob"), Sending::default());
        assert_eq!(due(&mut replies), [(3, None)], "{outcome:?}");
        replies.account_ready();
        replies.timeout(NOW + LATER);
        let order: Vec<u64> = due(&mut replies)
            .iter()
            .map(|(number, _)| *number)
            .collect();
        assert_eq!(order, [1, 2], "{outcome:?}");
    }
}

#[test]
fn a_letter_that_is_sent_again_keeps_its_place_and_asks_no_history() {
    let mut replies = letters(&["alice"]);
    due(&mut replies);
    let unknown = Err(OutboxError::Unknown("no history".to_owned()));
    let Some(Ended::Failed(first, _)) = replies.settled(NOW, 1, unknown, PERSISTS) else {
        panic!("it has failed");
    };
    replies.post(None, "", posting(2, "alice"), Sending::default());
    replies.resend(first);
    assert_eq!(due(&mut replies), [(1, None), (2, None)]);
}

#[test]
fn at_the_end_nothing_is_tried_again() {
    let mut replies = letters(&["alice", "bob", "carol"]);
    due(&mut replies);
    assert!(replies.settled(NOW, 1, offline(), PERSISTS).is_none());
    assert!(replies.settled(NOW, 2, expired(), PERSISTS).is_none());
    assert_eq!(replies.drain().len(), 2);
    let ended = replies.settled(NOW, 3, expired(), (true, true));
    assert!(matches!(ended, Some(Ended::GivenUp(_))));
    assert_eq!(due(&mut replies), []);
}
