use super::super::drain::Draining;
use super::*;
use crate::proto::message::C2cItem;

const TOGETHER: Manner = Manner {
    merges: true,
    is_beside: false,
    is_gated: false,
    spot: crate::traces::Spot::NONE,
};
const NOW: Duration = Duration::from_secs(100);

fn message(from: &str, seq: u32) -> Arc<Message> {
    let item = C2cItem {
        seq,
        time: 50,
        ..C2cItem::new(from, "bot", Vec::new())
    };
    Arc::new(Message::from_c2c(item, "bot"))
}

fn seq(start: &Start) -> u32 {
    match &start.what {
        What::Message(message) => message.seq,
        other => panic!("{other:?}"),
    }
}

fn start(lines: &mut Lines, now: Duration) -> Option<Start> {
    lines.poll_start(now)
}

#[test]
fn a_conversation_is_handled_in_order_and_one_at_a_time_while_others_go_on() {
    let mut lines = Lines::default();
    for (from, seq) in [("alice", 1), ("alice", 2), ("bob", 3)] {
        lines.message(NOW, &message(from, seq), &[0], |_| TOGETHER);
    }
    assert!(start(&mut lines, NOW).is_none(), "not ready");
    lines.set_ready(true);
    let mut running = [
        start(&mut lines, NOW).unwrap(),
        start(&mut lines, NOW).unwrap(),
    ];
    running.sort_by_key(seq);
    assert_eq!(running.each_ref().map(seq), [1, 3]);
    assert!(start(&mut lines, NOW).is_none());
    lines.ended(NOW, &running[0].job, true, false);
    assert_eq!(start(&mut lines, NOW).as_ref().map(seq), Some(2));
    assert_eq!(lines.open_messages(), 2);
}

#[test]
fn a_message_is_finished_when_every_bot_is_done_and_not_done_when_one_is_not() {
    let mut lines = Lines::default();
    lines.set_ready(true);
    lines.message(NOW, &message("alice", 1), &[0, 1], |_| TOGETHER);
    let (first, second) = (
        start(&mut lines, NOW).unwrap(),
        start(&mut lines, NOW).unwrap(),
    );
    lines.ended(NOW, &first.job, false, false);
    assert!(lines.poll_finished().is_none());
    lines.ended(NOW, &second.job, true, false);
    assert!(!lines.poll_finished().unwrap().1);
    lines.message(NOW, &message("alice", 2), &[], |_| TOGETHER);
    assert!(lines.poll_finished().unwrap().1, "nobody wants it");
}

#[test]
fn a_parked_bot_leaves_what_waits_for_it_unread() {
    let mut lines = Lines::default();
    lines.set_ready(true);
    lines.message(NOW, &message("alice", 1), &[0], |_| TOGETHER);
    lines.message(NOW, &message("alice", 2), &[0], |_| TOGETHER);
    let first = start(&mut lines, NOW).unwrap();
    lines.ended(NOW, &first.job, false, true);
    let finished = [lines.poll_finished(), lines.poll_finished()];
    assert!(finished.iter().all(|one| matches!(one, Some((_, false)))));
    assert_eq!((lines.open_messages(), lines.is_due()), (0, false));
}

#[actix_rt::test]
async fn a_drain_finishes_what_runs_and_the_second_that_was_begun() {
    let mut lines = Lines::default();
    lines.set_ready(true);
    lines.message(NOW, &message("alice", 1), &[0], |_| TOGETHER);
    lines.message(NOW, &message("alice", 2), &[0], |_| TOGETHER);
    let first = start(&mut lines, NOW).unwrap();
    let draining = Draining::new();
    lines.drain(NOW, draining.one().unwrap());
    lines.ended(NOW, &first.job, true, false);
    let second = start(&mut lines, NOW).expect("of the same second");
    lines.ended(NOW, &second.job, true, false);
    let over = lines.poll_timeout().unwrap();
    lines.message(over, &message("alice", 3), &[0], |_| TOGETHER);
    assert!(lines.timeout(over).is_empty());
    assert!(start(&mut lines, over).is_none(), "the second is over");
    assert!(draining.wait(Duration::from_secs(60)).await);
}

#[test]
fn a_message_at_a_gate_waits_in_its_place_until_it_is_opened_or_withdrawn() {
    let mut lines = Lines::default();
    lines.set_ready(true);
    let gated = |bot: usize| Manner {
        is_gated: bot == 1,
        ..TOGETHER
    };
    let messages = [1, 2, 3].map(|seq| message("alice", seq));
    let [one, two, three] = messages.each_ref().map(|message| Receipt::of(message).id());
    lines.message(NOW, &messages[0], &[0, 1], gated);
    lines.message(NOW, &messages[1], &[1], |_| TOGETHER);
    lines.message(NOW, &messages[2], &[1], gated);
    let first = start(&mut lines, NOW).unwrap();
    assert_eq!((first.job.line.bot, seq(&first)), (0, 1));
    assert!(start(&mut lines, NOW).is_none());
    lines.ended(NOW, &first.job, true, false);
    assert!(start(&mut lines, NOW).is_none(), "its order is kept");
    let place = messages[0].conversation.clone();
    lines.open(1, &place, one);
    let second = start(&mut lines, NOW).unwrap();
    assert_eq!((second.job.line.bot, seq(&second)), (1, 1));
    lines.withdraw(1, &place, two);
    lines.ended(NOW, &second.job, true, false);
    assert!(lines.poll_finished().unwrap().1);
    let next = start(&mut lines, NOW).unwrap();
    assert_eq!(seq(&next), 2, "what is at no gate is not withdrawn");
    lines.withdraw(1, &place, three);
    lines.ended(NOW, &next.job, true, false);
    assert!(start(&mut lines, NOW).is_none());
    assert_eq!(lines.open_messages(), 0);
}

#[test]
fn a_bot_that_is_removed_is_done_with_what_waits_for_it() {
    let mut lines = Lines::default();
    lines.set_ready(true);
    for seq in [1, 2] {
        lines.message(NOW, &message("alice", seq), &[0], |_| TOGETHER);
    }
    let running = start(&mut lines, NOW).unwrap();
    lines.remove(NOW, 0);
    assert!(lines.poll_finished().unwrap().1);
    lines.ended(NOW, &running.job, true, false);
    assert!(lines.poll_finished().unwrap().1);
    assert!(start(&mut lines, NOW).is_none());
}

#[test]
fn a_command_beside_the_line_waits_for_nothing_but_its_like() {
    let mut lines = Lines::default();
    lines.set_ready(true);
    let beside = Manner {
        is_beside: true,
        ..TOGETHER
    };
    lines.message(NOW, &message("alice", 1), &[0], |_| TOGETHER);
    lines.message(NOW, &message("alice", 2), &[0], |_| TOGETHER);
    lines.message(NOW, &message("alice", 3), &[0], |_| beside);
    lines.message(NOW, &message("alice", 4), &[0], |_| beside);
    let long = start(&mut lines, NOW).unwrap();
    let command = start(&mut lines, NOW).unwrap();
    assert_eq!((seq(&long), seq(&command)), (1, 3));
    assert!(start(&mut lines, NOW).is_none());
    lines.ended(NOW, &command.job, true, false);
    let next = start(&mut lines, NOW).unwrap();
    assert_eq!(seq(&next), 4);
    lines.ended(NOW, &long.job, true, false);
    assert_eq!(start(&mut lines, NOW).as_ref().map(seq), Some(2));
}
