//! Handlers that are called at a time: again and again, or once, later.

mod alarms;
mod delayed;
mod later;
mod schedule;
mod zoned;

pub(super) use alarms::{Alarm, Alarms, Key as AlarmKey, Later as SetAlarm};
pub(super) use delayed::{say_later, speaker};
pub use later::{AlarmId, Delay, Later, Pending};
pub(super) use schedule::Schedule;
pub use schedule::{Cron, Every, Missed};
