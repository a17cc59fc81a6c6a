//! Tells people when something is wrong with the fleet.
//!
//! What is told, and when, decides [`botroupe_core::alerts`]. Here is what brings it there: [`Watch`], an actor on a
//! thread of its own, and the forms that receivers want. Nothing here runs on a thread of accounts.

mod board;
mod delivery;
mod form;
mod space;
mod watch;

pub use board::Board;
pub use delivery::{DeliveryError, deliver};
pub use form::Request;
pub use space::free_space;
pub use watch::{Watch, WatchHandle};

use botroupe_core::alerts::{Alert, Notice, Rule};
use std::time::Duration;

/// A notice that says that it is a test.
#[must_use]
pub fn test_notice(unix: Duration) -> Notice {
    let alert = Alert {
        rule: Rule::Share,
        account: None,
        text: "this is a test of `botroupe alerts test`; nothing is wrong".to_owned(),
        since: unix,
        ended: None,
    };
    Notice {
        number: 1,
        at: unix,
        firing: 1,
        resolved: 0,
        repeated: false,
        alerts: vec![alert],
    }
}
