//! Values that handlers share.

use crate::bot::event::{Event, FromEvent};
use crate::bot::needs::Needs;
use crate::bot::rejection::Missing;
use std::any::TypeId;
use std::ops::Deref;
use std::sync::Arc;

/// A value that handlers share: of the bot on one account, given with [`Bot::state`](crate::bot::Bot::state), or of the
/// whole process, given with [`FleetBuilder::state`](crate::fleet::FleetBuilder::state).
#[derive(Debug)]
pub struct State<T>(Arc<T>);

impl<T> Clone for State<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Deref for State<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Send + Sync + 'static> FromEvent for State<T> {
    type Rejection = Missing;

    async fn from_event(event: &Event) -> Result<Self, Missing> {
        value(event).map(Self).ok_or(Missing {
            what: "state",
            of: std::any::type_name::<T>(),
            remedy: "add `.state(…)` to the bot, or to the fleet",
        })
    }

    fn needs(needs: &mut Needs) {
        needs.state::<T>();
    }
}

/// The bot's settings from `[bots.<name>]` of the config file, declared with
/// [`Bot::config`](crate::bot::Bot::config).
#[derive(Debug)]
pub struct Config<T>(Arc<T>);

impl<T> Clone for Config<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Deref for Config<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Send + Sync + 'static> FromEvent for Config<T> {
    type Rejection = Missing;

    async fn from_event(event: &Event) -> Result<Self, Missing> {
        value(event).map(Self).ok_or(Missing {
            what: "settings",
            of: std::any::type_name::<T>(),
            remedy: "add `.config::<…>()` of this type to the bot",
        })
    }

    fn needs(needs: &mut Needs) {
        needs.config::<T>();
    }
}

fn value<T: Send + Sync + 'static>(event: &Event) -> Option<Arc<T>> {
    let values = &event.bot().values;
    values.get(&TypeId::of::<T>())?.clone().downcast().ok()
}
