//! Integration tests: one binary, with one file per subject.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod admin;
mod apps;
mod bots;
mod bots_of_accounts;
mod cli;
mod commands;
mod comparison;
#[cfg(unix)]
mod durable;
mod fleet;
mod golden;
mod hangs;
mod harness;
mod hostile;
mod in_place;
mod interop;
mod layering;
mod making;
mod message_ids;
mod network;
mod otlp;
mod outage;
mod pacing;
mod packaging;
mod prometheus;
mod providers;
mod recovery;
mod reload;
mod rogues;
mod sandbox;
mod sandbox_guard;
mod sandbox_media;
mod sandbox_rest_http;
mod sandbox_seed;
mod sandbox_store;
mod sandbox_tls;
mod seeds;
mod sessions;
mod sink;
mod spill;
mod traces;
mod trouble;
