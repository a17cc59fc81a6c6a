//! The official SDK, unmodified and in Node.js, against the sandbox, with Botroupe's accounts on
//! the other side where there is one.
//!
//! The SDK is the judge here: it was written against the real service. Each test has a sandbox of
//! its own; every page is a process. Nothing sleeps: tests wait for what the SDK, an account or a
//! bot reports.

mod install;
mod journal;
mod kicks;
mod links;
mod login;
mod messages;
mod page;
mod troupe;

use botroupe::{
    proto::{
        id::{SdkAppId, UserId},
        usersig::{self, UserSig},
    },
    sandbox::{Sandbox, SandboxConfig},
};
use serde_json::Value;

use self::{install::sdk, page::Page, troupe::Troupe};

const APP: u32 = 1_400_000_001;
const KEY: &str = "key-of-the-interop-tests";

/// A sandbox on a free port.
fn stage() -> Sandbox {
    stage_with(|_| ())
}

fn stage_with(change: impl FnOnce(&mut SandboxConfig)) -> Sandbox {
    let mut config = SandboxConfig::new(SdkAppId::new(APP).unwrap(), KEY);
    change(&mut config);
    Sandbox::spawn_thread(config, ([127, 0, 0, 1], 0).into()).unwrap()
}

/// The present time, as the sandbox and every UserSig count it.
fn unix_now(sandbox: &Sandbox) -> u64 {
    let sig = sandbox.user_sig("clock").unwrap();
    usersig::inspect(sig.expose()).unwrap().issued_at
}

/// A UserSig that holds an hour.
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
