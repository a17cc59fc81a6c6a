//! Tests of the official SDK, unmodified and in Node.js, with the sandbox and Botroupe's accounts.
//!
//! The SDK is the reference, because it was written for the real service. Each test has its own
//! sandbox, and each page is a process. Tests never sleep: they wait for events of the SDK, an
//! account or a bot.

mod bots_c2c;
mod bots_groups;
mod bots_groups_life;
mod bots_groups_messages;
mod bots_live;
mod bots_login;
mod bots_media;
mod bots_messages;
mod bots_people;
mod bots_shipped;
mod bots_terminals;
mod compat;
mod conversations;
mod elements;
mod groups;
mod groups_live;
mod groups_members;
mod groups_sync;
mod habits;
mod install;
mod invited;
mod journal;
mod kicks;
mod links;
mod live_odd;
mod login;
mod media;
mod messages;
mod odd_pushes;
mod older;
mod page;
mod people;
mod reaction;
mod refusals;
mod rows;
mod search;
mod sync;
mod topics;
mod translation;
mod troupe;

use botroupe::{
    proto::{
        id::{SdkAppId, UserId},
        usersig::{self, UserSig},
    },
    sandbox::Sandbox,
};
use serde_json::Value;

use self::{install::sdk, page::Page, troupe::Troupe};
use crate::harness::APP;

/// Returns the current time of the sandbox, in Unix seconds.
fn unix_now(sandbox: &Sandbox) -> u64 {
    let sig = sandbox.user_sig("clock").unwrap();
    usersig::inspect(sig.expose()).unwrap().issued_at
}

/// Returns a UserSig that is valid for an hour.
fn sig_of(app: u32, key: &str, user: &str, issued_at: u64) -> UserSig {
    let (app, user) = (SdkAppId::new(app).unwrap(), UserId::parse(user).unwrap());
    usersig::sign(app, &key.into(), &user, issued_at, 3600)
}

/// Calls the REST API as the administrator.
fn rest(sandbox: &Sandbox, command: &str, body: &Value) -> Value {
    let sig = sandbox.user_sig("administrator").unwrap();
    let url = format!(
        "{}/v4/{command}?sdkappid={APP}&identifier=administrator&usersig={}&random=1&contenttype=json",
        sandbox.rest_url(),
        sig.expose()
    );
    actix_rt::System::new().block_on(async {
        let call = awc::Client::default().post(url).send_json(body);
        call.await.unwrap().json().await.unwrap()
    })
}
