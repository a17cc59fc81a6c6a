//! How far a conversation is read, whatever the order of arrivals and ends.

use super::*;
use crate::proto::message::C2cItem;
use proptest::prelude::*;

const fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The `n`-th message of alice, said at `time`.
fn said(from: &str, n: u32, time: u64) -> Receipt {
    let item = C2cItem {
        seq: n,
        time,
        ..C2cItem::new(from, "bot", Vec::new())
    };
    Receipt::of(&Message::from_c2c(item, "bot"))
}

fn numbered(seq: u32) -> Receipt {
    Receipt {
        conversation: Conversation::group("g"),
        mark: u64::from(seq),
        id: u64::from(seq),
    }
}

fn marks(inbox: &mut Inbox, now: Duration) -> Vec<u64> {
    inbox.reports(now).iter().map(|read| read.mark).collect()
}

fn caught_up() -> Inbox {
    let mut inbox = Inbox::default();
    inbox.set_reach(at(0), Reach::CaughtUp);
    inbox
}

#[test]
fn a_second_is_read_only_when_all_of_it_is_finished_and_over() {
    let mut inbox = caught_up();
    for n in 0..20 {
        inbox.take(at(10), &said("alice", n, 1_000));
    }
    for n in 0..9 {
        inbox.finish(at(11), &said("alice", n, 1_000));
        assert!(inbox.reports(at(60)).is_empty(), "{n} of 20 are done");
    }
    for n in 9..20 {
        inbox.finish(at(11), &said("alice", n, 1_000));
    }
    assert_eq!(inbox.report_at(), Some(at(12)));
    assert!(
        inbox.reports(at(11)).is_empty(),
        "more of it may be on its way"
    );
    assert_eq!(inbox.report_at(), Some(at(12)));
    assert_eq!(marks(&mut inbox, at(12)), [1_000]);
    assert_eq!(inbox.report_at(), None);
    assert!(inbox.lines.is_empty(), "nothing is kept of what is read");
}

#[test]
fn a_report_that_did_not_arrive_is_made_again() {
    let mut inbox = caught_up();
    inbox.take(at(10), &said("alice", 1, 1_000));
    inbox.finish(at(10), &said("alice", 1, 1_000));
    let lost = inbox.reports(at(20));
    assert_eq!(inbox.report_at(), None);
    inbox.report_again(at(21), &lost);
    assert_eq!(inbox.report_at(), Some(at(31)));
    assert_eq!(inbox.reports(at(31)), lost);
    assert!(inbox.lines.is_empty() && inbox.report_at().is_none());
}

#[test]
fn numbers_of_a_group_that_began_anew_are_not_reported() {
    let mut inbox = caught_up();
    for seq in 40..43 {
        inbox.take(at(10), &numbered(seq));
    }
    inbox.finish(at(10), &numbered(40));
    inbox.forget_group("g");
    inbox.take(at(11), &numbered(1));
    for seq in [41, 42] {
        inbox.finish(at(12), &numbered(seq));
    }
    assert!(inbox.reports(at(60)).is_empty());
    inbox.finish(at(61), &numbered(1));
    assert_eq!(marks(&mut inbox, at(70)), [1]);
    assert_eq!(inbox.open(), 0);
}

#[test]
fn a_newer_second_ends_the_one_before() {
    let mut inbox = caught_up();
    for (n, time) in [(1, 1_000), (2, 1_001)] {
        inbox.take(at(10), &said("alice", n, time));
    }
    inbox.finish(at(10), &said("alice", 1, 1_000));
    assert_eq!(marks(&mut inbox, at(10)), [1_000]);
}

#[test]
fn what_is_held_up_in_one_conversation_does_not_keep_another_unread() {
    let mut inbox = caught_up();
    for from in ["alice", "spam"] {
        inbox.take(at(10), &said(from, 1, 1_000));
        inbox.finish(at(10), &said(from, 1, 1_000));
    }
    let spam = Conversation::C2c("spam".into());
    inbox.lag(&spam);
    let names: Vec<String> = inbox
        .reports(at(60))
        .iter()
        .map(|read| read.conversation.name().to_owned())
        .collect();
    assert_eq!(names, ["alice"]);
    assert_eq!(inbox.report_at(), None);
    inbox.caught_up(at(61), &spam);
    assert_eq!(inbox.report_at(), Some(at(62)));
    assert_eq!(marks(&mut inbox, at(62)), [1_000]);
}

#[test]
fn while_pages_are_still_to_come_the_last_second_is_not_reported() {
    let mut inbox = Inbox::default();
    inbox.take(at(10), &said("alice", 1, 1_000));
    inbox.finish(at(10), &said("alice", 1, 1_000));
    assert!(
        inbox.reports(at(60)).is_empty(),
        "older ones may be missing"
    );
    inbox.set_reach(at(60), Reach::Paging);
    assert!(
        inbox.reports(at(61)).is_empty(),
        "more of its second may come"
    );
    assert_eq!(inbox.report_at(), None, "nothing to wake up for");
    inbox.set_reach(at(70), Reach::CaughtUp);
    assert_eq!(inbox.report_at(), Some(at(71)));
    assert_eq!(marks(&mut inbox, at(71)), [1_000]);
}

#[test]
fn what_is_read_of_a_group_ends_before_the_first_open_message() {
    let mut inbox = caught_up();
    for seq in 5..10 {
        inbox.take(at(0), &numbered(seq));
    }
    for seq in [6, 7, 9] {
        inbox.finish(at(0), &numbered(seq));
    }
    assert!(inbox.reports(at(1)).is_empty());
    inbox.finish(at(1), &numbered(5));
    assert_eq!(marks(&mut inbox, at(2)), [7]);
    inbox.finish(at(2), &numbered(8));
    assert_eq!(marks(&mut inbox, at(3)), [9]);
}

#[test]
fn nothing_from_a_hole_on_is_read() {
    let mut inbox = caught_up();
    inbox.set_hole(at(0), "g", Some(3));
    inbox.take(at(0), &numbered(2));
    inbox.take(at(0), &numbered(9));
    inbox.finish(at(0), &numbered(2));
    inbox.finish(at(0), &numbered(9));
    assert_eq!(marks(&mut inbox, at(1)), [2]);
    inbox.set_hole(at(5), "g", None);
    assert_eq!(inbox.report_at(), Some(at(6)));
    assert_eq!(marks(&mut inbox, at(6)), [9]);
    assert!(inbox.lines.is_empty());
}

#[test]
fn one_conversation_does_not_take_the_room_of_the_others() {
    let mut inbox = Inbox::new(InboxLimits::new(16, true));
    let (alice, bob) = (Conversation::c2c("alice"), Conversation::c2c("bob"));
    for n in 0..2 {
        assert!(inbox.has_room_for(&alice));
        inbox.take(at(0), &said("alice", n, 1));
    }
    assert!(!inbox.has_room_for(&alice) && inbox.has_room_for(&bob));
    inbox.starve();
    assert!(
        inbox.finish(at(0), &said("alice", 0, 1)),
        "whoever waits is told"
    );
    assert!(!inbox.finish(at(0), &said("alice", 1, 1)), "once");
}

#[test]
fn all_is_reported_only_when_all_that_is_unread_has_come() {
    let mut inbox = caught_up();
    assert!(inbox.is_reported());
    inbox.take(at(0), &numbered(5));
    inbox.finish(at(0), &numbered(5));
    assert!(!inbox.is_reported(), "finished and not reported");
    assert_eq!(marks(&mut inbox, at(1)), [5]);
    assert!(inbox.is_reported());
    inbox.set_hole(at(1), "g", Some(6));
    assert!(
        !inbox.is_reported(),
        "something of the group is to be fetched"
    );
    inbox.set_hole(at(1), "g", None);
    inbox.lag(&Conversation::c2c("alice"));
    assert!(!inbox.is_reported(), "something of alice waits for room");
    inbox.forget_lags();
    assert!(!inbox.is_reported(), "nobody knows yet what was missed");
}

#[test]
fn what_a_dead_host_held_is_given_back_and_groups_go_back_before_it() {
    let mut inbox = caught_up();
    for seq in 5..8 {
        inbox.take(at(0), &numbered(seq));
    }
    inbox.take(at(0), &said("alice", 1, 1_000));
    inbox.finish(at(0), &numbered(5));
    let (ids, groups) = inbox.give_all_back();
    assert_eq!((ids.len(), inbox.open()), (3, 0));
    assert_eq!(groups, [("g".into(), 5)]);
    assert!(!inbox.finish(at(1), &numbered(6)), "of a time before");
}

proptest! {
    /// Whatever the order of arrivals and ends: nothing open is ever reported as read, and in the end
    /// everything is.
    #[test]
    fn nothing_open_is_reported_and_in_the_end_all_is(
        steps in proptest::collection::vec((0u8..3, 0usize..40, 0u64..3), 1..200)
    ) {
        let mut inbox = caught_up();
        let (mut open, mut clock, mut second, mut count) = (Vec::<Receipt>::new(), 0, 100, 0);
        let mut newest = 0;
        for (what, which, passes) in steps {
            clock += passes;
            second += passes;
            match what {
                0 => {
                    count += 1;
                    let receipt = said("alice", count, second);
                    newest = second;
                    inbox.take(at(clock), &receipt);
                    open.push(receipt);
                }
                1 if !open.is_empty() => {
                    let receipt = open.swap_remove(which % open.len());
                    inbox.finish(at(clock), &receipt);
                }
                _ => {
                    for read in inbox.reports(at(clock)) {
                        prop_assert!(open.iter().all(|receipt| receipt.mark > read.mark));
                    }
                }
            }
            prop_assert_eq!(inbox.open(), open.len());
        }
        for receipt in open.drain(..) {
            inbox.finish(at(clock), &receipt);
        }
        let mut last = inbox.reports(at(clock));
        while let Some(due) = inbox.report_at() {
            last.extend(inbox.reports(due));
        }
        prop_assert!(inbox.lines.is_empty());
        prop_assert!(last.iter().all(|read| read.mark <= newest));
    }
}
