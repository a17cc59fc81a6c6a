use super::*;
use crate::ledger::AccountNo;
use crate::proto::message::Conversation;
use proptest::prelude::*;

const NOW: Duration = Duration::from_secs(100);

fn line(name: &str) -> SpillLine {
    SpillLine::Conversation(Conversation::group(name))
}

/// A machine and what is in the store.
#[derive(Default)]
struct Rig {
    spill: Spill,
    store: Vec<Spilled>,
    number: u64,
    read: usize,
}

impl Rig {
    fn add(&mut self, line: &SpillLine) -> u64 {
        self.number += 1;
        let spilled = Spilled {
            number: self.number,
            account: AccountNo(1),
            line: line.clone(),
            body: "{}".into(),
            at: 1,
        };
        self.spill.announce(line.clone(), spilled.bytes());
        self.spill.written(line, spilled.bytes());
        self.store.push(spilled);
        self.number
    }

    /// Reads what is wanted.
    fn serve(&mut self) {
        while let Some((line, after)) = self.spill.poll_read(NOW, false, |_| true) {
            let found = self.store.iter().filter(|it| it.line == line);
            let found = found.filter(|it| it.number > after).take(PAGE).cloned();
            let found: Vec<Spilled> = found.collect();
            self.read += found.len();
            self.spill.read(NOW, &line, Some(found));
        }
    }

    /// Hands out everything that has room.
    fn take(&mut self, has_room: impl Fn(&SpillLine) -> bool) -> Vec<u64> {
        let mut taken = Vec::new();
        loop {
            self.serve();
            let Some(spilled) = self.spill.next(false, &has_room) else {
                return taken;
            };
            self.spill.out(Name::Message(spilled.number), &spilled);
            taken.push(spilled.number);
        }
    }

    fn finish(&mut self, number: u64) {
        let gone = self.spill.finish(Name::Message(number), true);
        assert_eq!(gone, Some(number));
        self.store.retain(|it| it.number != number);
    }
}

#[test]
fn lines_take_turns_and_one_without_room_holds_up_nobody() {
    let mut rig = Rig::default();
    let (a, b) = (line("a"), line("b"));
    for line in [&a, &a, &b, &a, &b] {
        rig.add(line);
    }
    assert_eq!(rig.take(|line| *line == b), [3, 5]);
    assert!(rig.spill.has(&a) && !rig.spill.has(&b), "all of b is out");
    assert_eq!(rig.take(|_| true), [1, 2, 4]);
    for number in 1..=5 {
        rig.finish(number);
    }
    assert!(rig.spill.is_empty());
    assert_eq!(rig.spill.bytes(), 0);
}

#[test]
fn a_full_account_has_room_for_updates_only() {
    let mut rig = Rig::default();
    rig.add(&line("a"));
    rig.add(&SpillLine::Updates);
    rig.serve();
    let next = rig.spill.next(true, |_| true).unwrap();
    assert_eq!(next.line, SpillLine::Updates);
    assert_eq!(rig.spill.next(true, |_| true), None);
    assert!(rig.spill.next(false, |_| true).is_some());
}

#[test]
fn no_more_than_a_page_of_a_line_is_in_memory() {
    let mut rig = Rig::default();
    let a = line("a");
    for _ in 0..10 * PAGE {
        rig.add(&a);
    }
    rig.serve();
    assert_eq!(rig.read, PAGE);
    let mut all = Vec::new();
    while let Some(spilled) = rig.spill.next(false, |_| true) {
        all.push(spilled.number);
        rig.serve();
    }
    assert!(all.is_sorted() && all.len() == 10 * PAGE);
}

#[test]
fn what_a_bot_does_not_handle_stays_and_comes_again_with_the_next_host() {
    let mut rig = Rig::default();
    let a = line("a");
    for _ in 0..3 {
        rig.add(&a);
    }
    assert_eq!(rig.take(|_| true), [1, 2, 3]);
    assert_eq!(rig.spill.finish(Name::Message(1), false), None);
    rig.finish(2);
    assert_eq!(rig.take(|_| true), [0; 0], "not in this host");
    assert!(!rig.spill.is_empty());
    rig.spill.bots_died();
    assert_eq!(rig.take(|_| true), [1, 3]);
    let left: u64 = rig.store.iter().map(Spilled::bytes).sum();
    assert_eq!(rig.spill.bytes(), left);
}

#[test]
fn a_store_that_cannot_be_read_is_asked_again_and_one_that_was_emptied_is_not() {
    let mut rig = Rig::default();
    let a = line("a");
    rig.add(&a);
    let (of, after) = rig.spill.poll_read(NOW, false, |_| true).unwrap();
    assert!(
        rig.spill.poll_read(NOW, false, |_| true).is_none(),
        "one at a time"
    );
    rig.spill.read(NOW, &of, None);
    let at = rig.spill.read_at().unwrap();
    assert!(rig.spill.poll_read(NOW, false, |_| true).is_none());
    assert!(rig.spill.has(&a), "newer ones queue behind it");
    assert_eq!(
        rig.spill.poll_read(at, false, |_| true),
        Some((a.clone(), after))
    );
    // Its actor dies meanwhile, and what it was told comes too late.
    rig.spill.reader_died();
    rig.spill.read(at, &a, Some(rig.store.clone()));
    assert!(rig.spill.next(false, |_| true).is_none());
    assert_eq!(
        rig.spill.poll_read(at, false, |_| true),
        Some((a.clone(), after))
    );
    rig.spill.read(at, &a, Some(Vec::new()));
    assert!(rig.spill.is_empty() && !rig.spill.has(&a));
}

#[test]
fn what_an_earlier_process_left_comes_first() {
    let mut rig = Rig::default();
    let a = line("a");
    rig.add(&a);
    rig.add(&a);
    let bytes = rig.spill.bytes();
    let found = SpilledLine {
        line: a.clone(),
        count: 2,
        bytes,
    };
    rig.spill = Spill::recovered(vec![found]);
    assert!(rig.spill.has(&a));
    rig.add(&a);
    assert_eq!(rig.take(|_| true), [1, 2, 3]);
}

#[test]
fn what_is_not_written_yet_is_not_read_and_nothing_overtakes_it() {
    let mut rig = Rig::default();
    let a = line("a");
    rig.add(&a);
    let bytes = rig.spill.bytes();
    rig.spill.announce(a.clone(), bytes);
    assert_eq!(rig.take(|_| true), [1]);
    assert!(rig.spill.poll_read(NOW, false, |_| true).is_none());
    assert!(rig.spill.has(&a), "it is on its way");
    rig.finish(1);
    assert!(rig.spill.has(&a) && !rig.spill.is_empty());
    // The session dies, and what it wanted written with it.
    rig.spill.writer_died();
    assert!(!rig.spill.has(&a) && rig.spill.is_empty());
    assert_eq!(rig.spill.bytes(), 0);
}

#[derive(Clone, Debug)]
enum Step {
    Add(u8),
    Take(u8),
    Finish(usize, bool),
    BotsDie,
    ActorDies,
    ReadFails,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..3_u8).prop_map(Step::Add),
        4 => (0..3_u8).prop_map(Step::Take),
        6 => (0..9_usize, prop::bool::weighted(0.9)).prop_map(|(n, done)| Step::Finish(n, done)),
        1 => Just(Step::BotsDie),
        1 => Just(Step::ActorDies),
        1 => Just(Step::ReadFails),
    ];
    prop::collection::vec(step, 0..120)
}

proptest! {
    /// Whatever happens: nothing is lost, nothing is handed out twice to one host, each line keeps its order, and the
    /// machine counts what the store holds.
    #[test]
    fn nothing_is_lost_doubled_or_overtaken(steps in steps()) {
        let mut rig = Rig::default();
        let lines = [line("a"), line("b"), SpillLine::Updates];
        let (mut out, mut handed): (Vec<u64>, Vec<u64>) = Default::default();
        let mut now = NOW;
        for step in steps {
            match step {
                Step::Add(of) => {
                    rig.add(&lines[usize::from(of)]);
                }
                Step::Take(of) => {
                    let taken = rig.take(|line| *line == lines[usize::from(of)]);
                    for number in &taken {
                        prop_assert!(!handed.contains(number));
                    }
                    out.extend(&taken);
                    handed.extend(taken);
                }
                Step::Finish(n, done) if !out.is_empty() => {
                    let number = out.remove(n % out.len());
                    if done {
                        rig.finish(number);
                    } else {
                        prop_assert_eq!(rig.spill.finish(Name::Message(number), false), None);
                    }
                }
                Step::Finish(..) => {}
                Step::BotsDie => {
                    rig.spill.bots_died();
                    (out, handed) = Default::default();
                }
                Step::ActorDies => {
                    let _ = rig.spill.poll_read(now, false, |_| true);
                    rig.spill.reader_died();
                }
                Step::ReadFails => {
                    if let Some((line, _)) = rig.spill.poll_read(now, false, |_| true) {
                        rig.spill.read(now, &line, None);
                        now = rig.spill.read_at().unwrap();
                        rig.spill.reader_died();
                    }
                }
            }
            let bytes: u64 = rig.store.iter().map(Spilled::bytes).sum();
            prop_assert_eq!(rig.spill.bytes(), bytes);
            for line in &lines {
                let order = handed.iter().filter(|number| {
                    rig.store.iter().any(|it| it.number == **number && it.line == *line)
                });
                prop_assert!(order.is_sorted());
                let waits = rig.store.iter().any(|it| it.line == *line && !handed.contains(&it.number));
                prop_assert_eq!(rig.spill.has(line), waits);
            }
        }
        let rest = rig.take(|_| true);
        for spilled in &rig.store {
            prop_assert!(handed.contains(&spilled.number) || rest.contains(&spilled.number));
        }
    }
}
