//! Stands for the control socket on systems without Unix sockets: there is no status and there are no orders.

use super::exit::Failure;
use super::request::Request;
use super::seat::Seat;
use crate::app::Controller;
use serde_json::Value;
use std::io;
use std::path::Path;

/// Nothing.
#[derive(Debug)]
pub(super) struct Control;

impl Control {
    /// # Errors
    /// Always.
    pub(super) fn open(_: &Seat) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn serve(&mut self, _: Controller) {}
}

/// # Errors
/// Always.
pub(super) fn ask(_: &Path, _: &Request) -> Result<Value, Failure> {
    Err(Failure::Usage(
        "a running process can be asked and ordered on Unix systems only".to_owned(),
    ))
}
