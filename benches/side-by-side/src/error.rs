//! What can go wrong in a measurement.

use std::io;

/// Why a program or a measurement ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Tls(#[from] rustls::Error),
    #[error("no certificate can be made: {0}")]
    Certificate(#[from] rcgen::Error),
    #[error("WebSocket: {0}")]
    WebSocket(#[from] tokio_tungstenite::tungstenite::Error),
    #[error(transparent)]
    Config(#[from] botroupe::config::ConfigErrors),
    #[error(transparent)]
    App(#[from] botroupe::app::AppError),
    #[error("{0}")]
    Other(String),
}

impl Error {
    /// An error in words.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self::Other(text.into())
    }
}

/// The outcome of nearly everything here.
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;
