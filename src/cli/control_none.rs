//! Stands for the control socket on systems without Unix sockets: a process is asked over TCP there, with a token.

use super::exit::Failure;
use crate::admin::types::{
    AlertList, ConsoleLink, DialogueAt, LevelsOfLog, LogLine, NewLevel, NewSilence, OrderKind,
    OrderOutlook, ReloadPlan, SilenceOf,
};
use serde_json::Value;
use std::io;
use std::path::Path;

fn refusal<T>() -> Result<T, Failure> {
    Err(Failure::Usage(
        "a running process can be asked and ordered from the command line on Unix systems only; \
         elsewhere use [admin] listen"
            .to_owned(),
    ))
}

/// # Errors
/// Always.
pub(super) fn status(_: &Path, _: Option<&str>) -> Result<Value, Failure> {
    refusal()
}

/// # Errors
/// Always.
pub(super) fn order(_: &Path, _: &str, _: OrderKind) -> Result<(), Failure> {
    refusal()
}

/// # Errors
/// Always.
pub(super) fn outlook(_: &Path, _: &str, _: OrderKind) -> Result<OrderOutlook, Failure> {
    refusal()
}

/// # Errors
/// Always.
pub(super) fn letter(_: &Path, _: u64, _: bool) -> Result<(), Failure> {
    refusal()
}

/// # Errors
/// Always.
pub(super) fn reload(_: &Path, _: bool) -> Result<ReloadPlan, Failure> {
    refusal()
}

/// # Errors
/// Always.
pub(super) fn console_link(_: &Path) -> Result<ConsoleLink, Failure> {
    refusal()
}

/// # Errors
/// Always.
pub(super) fn levels(_: &Path) -> Result<LevelsOfLog, Failure> {
    refusal()
}

/// # Errors
/// Always.
pub(super) fn set_level(_: &Path, _: &NewLevel) -> Result<(), Failure> {
    refusal()
}

/// # Errors
/// Always.
pub(super) fn log_lines(
    _: &Path,
    _: Option<&str>,
    _: u32,
    _: bool,
    _: impl FnMut(&LogLine) -> io::Result<()>,
) -> Result<(), Failure> {
    refusal()
}

/// # Errors
/// Always.
pub(super) fn alerts(_: &Path) -> Result<AlertList, Failure> {
    refusal()
}

/// # Errors
/// Always.
pub(super) fn silence(_: &Path, _: &NewSilence) -> Result<SilenceOf, Failure> {
    refusal()
}

/// # Errors
/// Always.
pub(super) fn unsilence(_: &Path, _: u64) -> Result<(), Failure> {
    refusal()
}

/// # Errors
/// Always.
pub(super) fn dialogues(
    _: &Path,
    _: Option<&str>,
    _: Option<&str>,
) -> Result<Vec<DialogueAt>, Failure> {
    refusal()
}

/// # Errors
/// Always.
pub(super) fn drop_dialogue(_: &Path, _: &str) -> Result<(), Failure> {
    refusal()
}
