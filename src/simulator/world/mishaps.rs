//! Mishaps at the steps of a reply: a list of changes is submitted, written, on the disk, acknowledged; the reply is
//! sent, accepted, confirmed, settled.

use super::World;
use crate::options::Action;
use botroupe_proto::command;
use std::time::Duration;

/// The longest mishap. None begins when less time than this is left.
const LONGEST: Duration = Duration::from_secs(2 * 3600);

impl World {
    /// Lets steps of replies meet mishaps for this time, see [`Options::mishaps`](crate::Options::mishaps). They are
    /// over when it ends.
    pub fn plan_mishaps(&mut self, length: Duration) {
        self.mishaps_until = (self.now + length).saturating_sub(LONGEST);
    }

    /// A packet of an account leaves.
    pub(super) fn sends(&mut self, node: usize, packet: &str) {
        // The command is at the beginning of a packet.
        let head = packet.get(..600).unwrap_or(packet);
        let steps = [command::SEND_C2C, command::SEND_GROUP, "openim.getroammsg"];
        if self.options.mishaps > 0 && steps.iter().any(|step| head.contains(step)) {
            self.step_of_reply(node);
        }
    }

    /// A reply of an account has made a step: this may be when something goes wrong.
    pub(super) fn step_of_reply(&mut self, node: usize) {
        let one_in = self.options.mishaps;
        if one_in == 0 || self.now >= self.mishaps_until || self.fate.u32(0..one_in) > 0 {
            return;
        }
        self.summary.mishaps += 1;
        let copy = node / self.options.accounts;
        let soon = match self.fate.u32(0..3) {
            0 => Duration::ZERO,
            1 => Duration::from_micros(self.fate.u64(0..5_000)),
            _ => Duration::from_micros(self.fate.u64(0..120_000)),
        };
        let at = self.now + soon;
        let seconds =
            |rng: &mut fastrand::Rng, least, most| Duration::from_secs(rng.u64(least..=most));
        match self.fate.u32(0..100) {
            0..35 => {
                let away = self.draw_away();
                self.at(at, Action::Kill(copy, away));
            }
            35..60 => {
                let away = self.draw_away();
                self.at(at, Action::PowerLoss(copy, away));
            }
            60..70 => self.at(at, Action::CutLink(node)),
            70..78 => self.at(at, Action::DeadenLink(node)),
            // Nobody hears what became of the packets under way, and the server is away.
            78..86 => {
                let away = self.draw_away();
                self.at(at, Action::DeadenLink(node));
                self.at(at + Duration::from_millis(200), Action::Outage(away));
            }
            86..90 => {
                let length = seconds(&mut self.fate, 30, 600);
                self.at(at, Action::FillDisk(copy, length));
            }
            90..94 => {
                let length = seconds(&mut self.fate, 30, 600);
                self.at(at, Action::SlowDisk(copy, length));
            }
            94..98 => {
                let count = self.fate.u32(1..=5);
                self.at(at, Action::FailSyncs(copy, count));
            }
            // The next process meets the same.
            _ => {
                for _ in 0..3 {
                    let later = seconds(&mut self.fate, 0, 20);
                    self.at(at + later, Action::Kill(copy, Duration::from_secs(2)));
                }
            }
        }
    }

    /// How long a process or the server is away: on both sides of the times for which the server recognises a
    /// repeated message (120 s for a person, 300 s for a group).
    fn draw_away(&mut self) -> Duration {
        let (least, most) = match self.fate.u32(0..100) {
            0..45 => (2, 10),
            45..65 => (10, 90),
            65..80 => (90, 150),
            80..93 => (250, 400),
            93..98 => (400, 1_200),
            _ => (1_200, LONGEST.as_secs()),
        };
        Duration::from_secs(self.fate.u64(least..=most))
    }
}
