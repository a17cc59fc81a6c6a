//! The integration tests: one binary, one file per subject.

mod bots;
mod cli;
mod golden;
mod harness;
mod hostile;
mod layering;
mod sandbox;
mod seeds;
