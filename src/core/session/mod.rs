//! One login with the server, as a state machine without a socket, a clock or an actor.
//!
//! The shell tells a [`Session`] what happened ([`opened`](Session::opened),
//! [`received`](Session::received), [`closed`](Session::closed), [`timeout`](Session::timeout)) and
//! what is wanted ([`login`](Session::login), [`send`](Session::send), [`logout`](Session::logout)),
//! and after each such call drains [`poll_transmit`](Session::poll_transmit) and
//! [`poll_event`](Session::poll_event) and arms one timer for
//! [`poll_timeout`](Session::poll_timeout).
//!
//! ```text
//!                    opened + UserSig                    answer            caught up
//!  Disconnected ───────────────────────► LoggingIn ─────────────► Syncing ──────────► Online
//!   ▲        │       opened + ticket                     answer      ▲                  │
//!   │        └─────────────────────────► Resuming ───────────────────┘                  │
//!   │ closed                                │ refused                kicked, expired    │
//!   └── from every state              LoggedOut ◄───────────────────────────────────────┘
//! ```
//!
//! A session outlives its links: what it holds (the ticket of the login, requests in flight, which
//! messages were seen, the cookie) is what makes a resume possible. It does not decide *whether* or
//! *when* to connect again; that is [`crate::account`]'s business.

mod catch_up;
mod event;
mod events;
mod feed;
mod group;
mod groups;
mod handover;
mod inbox;
mod intake;
mod listing;
mod login;
mod member;
mod memory;
mod outgoing;
mod repeated;
mod request;
mod rooms;
#[expect(
    clippy::module_inception,
    reason = "the file of the type that gives the room its name"
)]
mod session;
mod span;
mod spill;
mod state;
#[cfg(test)]
mod tests;
mod turn;
mod waiting;

pub use event::{Event, Ignored, LinkFault, Part, Ready};
pub use handover::{HandedMemory, HandedTicket};
pub use inbox::{InboxLimits, ReadMark, Receipt};
pub use memory::Memory;
pub(crate) use memory::Returned;
pub use repeated::RepeatedPush;
pub use request::{RequestError, RequestId};
pub use session::Session;
pub(crate) use spill::PAGE as SPILL_PAGE;
pub use state::{LoginError, OutgoingMessage, SessionConfig, SessionState};
