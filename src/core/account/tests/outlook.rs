//! What an order is said to do is what it does.

use super::*;
use crate::account::{ConnectError, Order, Outlook, Step};
use crate::proto::event::KickType;

const ORDERS: [Order; 4] = [
    Order::Hold,
    Order::Quarantine,
    Order::Resume,
    Order::Relogin,
];
const PHASES: [Phase; 10] = [
    Phase::Waiting,
    Phase::Connecting,
    Phase::LoggingIn,
    Phase::Online,
    Phase::Renewing,
    Phase::CoolingDown,
    Phase::Held,
    Phase::Quarantined,
    Phase::Stopping,
    Phase::Stopped,
];

impl Rig {
    fn told(&mut self, reports: impl IntoIterator<Item = Report>) {
        for report in reports {
            self.core.report(self.now(), &mut self.memory, report);
        }
    }

    fn is_ready(&mut self) {
        let ready = Ready {
            resumed: false,
            inst_id: None,
            clock_offset: 0,
        };
        self.told([Report::Session(Event::Ready(ready))]);
    }

    fn ordered(&mut self, order: Order) {
        let (now, memory) = (self.now(), &mut self.memory);
        match order {
            Order::Hold => self.core.hold(now, memory),
            Order::Quarantine => self.core.quarantine(now, memory),
            Order::Resume => self.core.resume(now, memory),
            Order::Relogin => self.core.relogin(now, memory),
        }
    }

    /// An account that stands there, with nothing to do.
    fn at(phase: Phase) -> Self {
        let mut rig = Self::minting(0);
        if phase == Phase::Stopped {
            rig.core.stop(rig.now(), &mut rig.memory);
        } else if phase == Phase::Waiting {
            rig.dials(None);
            let refused = ConnectError::Refused("h:1".into());
            rig.told([Report::DialFailed(refused)]);
        } else {
            rig.dials(None);
            if phase != Phase::Connecting {
                rig.told([Report::Opened]);
            }
            if !matches!(phase, Phase::Connecting | Phase::LoggingIn) {
                rig.is_ready();
            }
        }
        match phase {
            Phase::Renewing => {
                rig.ordered(Order::Relogin);
                rig.lives();
            }
            Phase::CoolingDown => {
                let kick = Event::Kicked(KickType::MultipleAccount);
                rig.told([Report::Session(kick)]);
            }
            Phase::Held => rig.ordered(Order::Hold),
            Phase::Quarantined => rig.ordered(Order::Quarantine),
            Phase::Stopping => rig.core.stop(rig.now(), &mut rig.memory),
            _ => {}
        }
        while rig.core.poll_effect().is_some() {}
        assert_eq!(rig.core.phase(), phase);
        rig
    }

    /// Gives it what it asks for, until it asks for nothing within a minute. Returns what it did.
    fn lives(&mut self) -> Vec<&'static str> {
        let (mut did, end) = (Vec::new(), self.mono + secs(60));
        loop {
            while let Some(effect) = self.core.poll_effect() {
                match effect {
                    Effect::ReserveLogin => self.core.turn(self.now(), &mut self.memory),
                    Effect::Logout => did.push("logout"),
                    Effect::Relogin(_) => did.push("relogin"),
                    Effect::Dial { .. } => did.push("dial"),
                    _ => {}
                }
            }
            let next = self.core.poll_timeout(&self.memory);
            match next.filter(|at| *at <= end) {
                Some(at) if matches!(self.core.phase(), Phase::Waiting | Phase::Online) => {
                    self.mono = at.max(self.mono);
                }
                _ => return did,
            }
            self.core.timeout(self.now(), &mut self.memory);
        }
    }
}

#[test]
fn an_order_does_what_its_outlook_says() {
    for (phase, order) in PHASES
        .iter()
        .flat_map(|it| ORDERS.map(|order| (*it, order)))
    {
        let outlook = Outlook::of(order, phase);
        let mut rig = Rig::at(phase);
        rig.ordered(order);
        let did = rig.lives();
        let does = |step| outlook.steps.contains(&step);
        let case = format!("{order:?} at {phase:?}: {outlook:?}, {did:?}");
        assert_eq!(did.contains(&"dial"), does(Step::LogsIn), "{case}");
        assert_eq!(did.contains(&"relogin"), does(Step::Renews), "{case}");
        // A login that is given up is logged out, since the server may have it.
        let gives_up = does(Step::LogsOut) || does(Step::GivesUp);
        assert_eq!(did.contains(&"logout"), gives_up, "{case}");
        // What is under way comes to its end.
        if rig.core.phase() == Phase::Connecting {
            rig.told([Report::Opened]);
        }
        if matches!(rig.core.phase(), Phase::LoggingIn | Phase::Renewing) {
            rig.is_ready();
        }
        assert_eq!(rig.core.phase(), outlook.then, "{case}");
        if outlook.is_refused || outlook.steps.is_empty() {
            assert!(did.is_empty(), "{case}");
        }
    }
}
