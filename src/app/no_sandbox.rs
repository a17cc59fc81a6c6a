//! Stands for the embedded server in a build without the feature `sandbox`.

use super::AppError;
use super::talk::Trouble;
use crate::config::{App, Config, Endpoint};
use crate::proto::id::UserId;
use secrecy::SecretString;
use serde_json::Value;

/// There is none.
#[derive(Debug)]
pub(super) enum Sandbox {}

/// There is nothing to change.
#[derive(Debug)]
pub(super) enum Remote {}

impl Remote {
    pub(super) fn import(&self, _: &UserId) -> bool {
        match *self {}
    }

    pub(super) fn administer(&self, _: &str, _: &Value) -> Value {
        match *self {}
    }

    pub(super) fn media_path(&self, _: &UserId, _: &str) -> Option<String> {
        match *self {}
    }

    pub(super) fn set_key(&self, _: SecretString) {
        match *self {}
    }
}

pub(super) fn history(remote: &Remote, _: &UserId, _: &UserId) -> Vec<(UserId, u64, String)> {
    match *remote {}
}

pub(super) fn group_history(remote: &Remote, _: &str) -> Vec<(String, String)> {
    match *remote {}
}

pub(super) fn trouble(remote: &Remote, _: &UserId, _: Trouble) -> Result<(), String> {
    match *remote {}
}

/// There is nothing that could fail.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {}

impl Sandbox {
    pub(super) fn url(&self) -> String {
        match *self {}
    }

    pub(super) fn rest_url(&self) -> String {
        match *self {}
    }

    pub(super) fn remote(&self) -> Remote {
        match *self {}
    }

    #[expect(
        clippy::unused_async,
        reason = "the server with the feature takes time"
    )]
    pub(super) async fn stop(self) -> bool {
        match self {}
    }
}

/// Refuses.
#[expect(
    clippy::unused_async,
    reason = "the server with the feature takes time"
)]
pub(super) async fn start(_: &Config, _: &App, _: usize) -> Result<Sandbox, AppError> {
    Err(AppError::NoSandbox)
}

/// Refuses a config whose endpoint is the embedded server.
///
/// # Errors
/// [`AppError::NoSandbox`].
pub fn check_sandbox(config: &Config) -> Result<(), AppError> {
    let mut apps = config.apps.iter();
    match apps.any(|app| app.endpoint == Endpoint::Sandbox) {
        true => Err(AppError::NoSandbox),
        false => Ok(()),
    }
}

pub(super) const fn key(error: &SandboxError) -> &'static str {
    match *error {}
}

pub(super) const fn is_mistake(error: &SandboxError) -> bool {
    match *error {}
}
