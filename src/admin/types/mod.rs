//! What the API says and is told, in JSON. The description at `/api/v1/openapi.json` is made from these types.

mod account;
mod alert;
mod bots;
mod event;
mod fleet;
mod handover;
mod health;
mod history;
mod letter;
mod log;
mod message;
mod order;
mod plan;
mod problem;
mod session;
mod store;
mod talk;

pub use account::{Account, AccountPage, CountersOf, RecordOf};
pub use alert::{AlertList, AlertOf, NewSilence, SilenceOf};
pub use bots::{BotList, BotOfFleet, Bots, BotsOfAccount};
pub use event::{Change, Hello, Missed};
pub use fleet::{Fleet, SandboxOf};
pub use handover::NewHandover;
pub use health::{Health, Readiness};
pub use history::{History, Sample};
pub use letter::{Letter, LetterPage, Receiver};
pub use log::{HelloLog, LevelName, LevelsOfLog, LogLine, LogPage, NewLevel, TemporaryLevel};
pub use message::{NewMessage, SentMessage};
pub use order::{Done, NewOrder, OrderKind};
pub use plan::{ReloadAction, ReloadPlan, ReloadStep};
pub use problem::{Problem, ProblemCode};
pub use session::{ConsoleLink, NewSession, Session, Who};
pub use store::{OldestLetter, StoreOf, StoreTrouble};
pub use talk::{NewTalk, Said, Talk};
