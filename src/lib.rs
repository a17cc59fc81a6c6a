//! Botroupe runs many Tencent Cloud Chat (IM) accounts as bots from one config file and keeps
//! them online.

pub mod account;
pub mod bot;
pub mod cli;
pub mod config;
pub mod gateway;
pub mod policy;
pub mod proto;
pub mod sandbox;
pub mod session;
pub mod supervisor;
