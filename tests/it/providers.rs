//! Tests of UserSigs from external sources, over real sockets.

use crate::harness::{APP, KEY, eventually, phase, sandbox, start, status};
use botroupe::account::Phase;
use botroupe::bot::Bots;
use botroupe::gateway::now;
use botroupe::prelude::*;
use botroupe::proto::id::{SdkAppId, UserId};
use botroupe::proto::usersig;
use std::fs;
use std::path::Path;

fn quiet_bots() -> Bots {
    Bots::new().with("quiet", || Bot::new("quiet"))
}

/// Writes a UserSig of `user` atomically, as a careful signer does. Returns its expiry time.
fn write_sig(folder: &Path, user: &str, issued_at: u64, lifetime: u64) -> u64 {
    let app = SdkAppId::new(APP).unwrap();
    let id = UserId::parse(user).unwrap();
    let sig = usersig::sign(app, &KEY.into(), &id, issued_at, lifetime);
    let fresh = folder.join("fresh");
    fs::write(&fresh, sig.expose()).unwrap();
    fs::rename(fresh, folder.join(format!("{user}.sig"))).unwrap();
    issued_at + lifetime
}

#[actix_rt::test]
async fn an_account_whose_user_sigs_stand_in_a_file_renews_without_going_offline() {
    let sandbox = sandbox(|_| {});
    let folder = tempfile::tempdir().unwrap();
    let issued_at = now().unix_secs();
    let first = write_sig(folder.path(), "bot", issued_at, 6);
    let more = format!(
        "user_sig_file = '{}/{{user_id}}.sig'\nrecovery = {{ renew_at = 0.4 }}",
        folder.path().display()
    );
    let app = start(&sandbox.url(), &quiet_bots(), &["bot"], &more).await;
    let online = phase(&app, "bot", Phase::Online).await;
    assert_eq!(online.user_sig_ends, Some(first));
    // After two fifths of the lifetime the account asks for the next UserSig, which does not exist
    // yet.
    eventually("the account waits for its file", || async {
        status(&app, "bot").await.waits_for.filter(|what| {
            let elsewhere = what.replace(folder.path().to_str().unwrap(), "");
            assert!(!elsewhere.contains("eJ"), "{what}");
            what.ends_with("{user_id}.sig has no new UserSig yet")
        })
    })
    .await;
    let second = write_sig(folder.path(), "bot", now().unix_secs(), 3600);
    let renewed = eventually("the renewal", || async {
        Some(status(&app, "bot").await)
            .filter(|status| status.counters.renewals >= 1 && status.phase == Phase::Online)
    })
    .await;
    assert_eq!(renewed.user_sig_ends, Some(second));
    assert_eq!(renewed.waits_for, None);
    let counters = renewed.counters;
    assert_eq!((counters.logins, counters.renewals), (1, 1));
    assert_eq!((counters.lost_links, counters.expired), (0, 0));
    let kicks = counters.kicked_by_account + counters.kicked_by_device + counters.kicked_by_rest;
    assert_eq!(kicks, 0);
    assert!(sandbox.is_online("bot"));
    app.stop().await;
}
