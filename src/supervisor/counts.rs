//! How many accounts are in which state, as the supervisor knows without asking them.

use super::Supervisor;
use crate::account::Phase;
use actix::prelude::*;

/// Asks for it. States in which no account is are left out.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "Vec<(Phase, usize)>")]
pub struct CountPhases;

impl Handler<CountPhases> for Supervisor {
    type Result = MessageResult<CountPhases>;

    fn handle(&mut self, _: CountPhases, _: &mut Context<Self>) -> Self::Result {
        let mut counts: Vec<(Phase, usize)> = Vec::new();
        for (_, child) in self.children.iter() {
            let phase = child.standing.phase;
            match counts.iter_mut().find(|(known, _)| *known == phase) {
                Some((_, count)) => *count += 1,
                None => counts.push((phase, 1)),
            }
        }
        MessageResult(counts)
    }
}
