//! Another config of an account that runs.

use super::*;

fn minted(key: &str) -> Credential {
    Credential::Minted {
        key: Arc::new(SecretString::from(key)),
        lifetime: secs(7 * DAY),
    }
}

fn config(credential: Credential) -> Arc<CoreConfig> {
    Arc::new(CoreConfig {
        app: SdkAppId::new(APP).unwrap(),
        name: UserId::parse("bot").unwrap().into(),
        credential,
        hosts: HostWalk::fixed("ws://h"),
        policy: Arc::new(Policy::standard()),
        probes: false,
    })
}

fn is_made_with(key: &str, sig: &UserSig) -> bool {
    let app = SdkAppId::new(APP).unwrap();
    let user = UserId::parse("bot").unwrap();
    let at = usersig::inspect(sig.expose()).unwrap().issued_at;
    usersig::verify(sig.expose(), app, &SecretString::from(key), &user, at).is_ok()
}

fn online() -> Rig {
    let mut rig = Rig::minting(0);
    rig.dials(None);
    let ready = Event::Ready(Ready {
        resumed: false,
        inst_id: None,
        clock_offset: 0,
    });
    for report in [Report::Opened, Report::Session(ready)] {
        rig.core.report(rig.now(), &mut rig.memory, report);
    }
    while rig.core.poll_effect().is_some() {}
    rig.mono += secs(3600);
    rig
}

fn effects(rig: &mut Rig) -> Vec<Effect> {
    std::iter::from_fn(|| rig.core.poll_effect()).collect()
}

#[test]
fn another_key_brings_back_who_was_refused_and_nobody_who_was_sent_away() {
    let mut rig = Rig::minting(0);
    rig.dials(None);
    rig.refused(Code(70_009));
    assert_eq!(rig.core.phase(), Phase::Quarantined);
    rig.core
        .reconfigure(rig.now(), &mut rig.memory, config(minted("key")));
    assert_eq!(
        rig.core.phase(),
        Phase::Quarantined,
        "the same key is no news"
    );
    rig.core
        .reconfigure(rig.now(), &mut rig.memory, config(minted("other")));
    assert!(is_made_with("other", &rig.dials(None)));

    let mut held = Rig::minting(0);
    held.dials(None);
    held.core.hold(held.now(), &mut held.memory);
    held.core
        .reconfigure(held.now(), &mut held.memory, config(minted("other")));
    assert_eq!(held.core.phase(), Phase::Held);
}

#[test]
fn an_account_that_is_online_stays_so_and_logs_in_next_with_the_new_key() {
    let mut rig = online();
    rig.core
        .reconfigure(rig.now(), &mut rig.memory, config(minted("other")));
    assert_eq!(rig.core.phase(), Phase::Online);
    assert!(
        effects(&mut rig).is_empty(),
        "nobody is told, and nothing is sent"
    );
    rig.core.relogin(rig.now(), &mut rig.memory);
    rig.core.turn(rig.now(), &mut rig.memory);
    let relogin = effects(&mut rig)
        .into_iter()
        .find_map(|effect| match effect {
            Effect::Relogin(sig) => Some(sig),
            _ => None,
        });
    assert!(is_made_with("other", &relogin.unwrap()));
}

#[test]
fn an_account_that_moves_to_a_new_link_keeps_its_login_and_counts_no_failure() {
    let mut rig = online();
    rig.core.relink(rig.now(), &mut rig.memory);
    assert_eq!(rig.core.phase(), Phase::Waiting);
    let closed = effects(&mut rig);
    assert!(
        closed.iter().any(|effect| matches!(effect, Effect::Close)),
        "{closed:?}"
    );
    rig.core.turn(rig.now(), &mut rig.memory);
    let resumes = |effect: &Effect| matches!(effect, Effect::Dial { user_sig: None, .. });
    let dialled = effects(&mut rig);
    assert!(dialled.iter().any(resumes), "{dialled:?}");

    let mut away = Rig::minting(0);
    away.dials(None);
    away.refused(Code(70_009));
    away.core.relink(away.now(), &mut away.memory);
    assert_eq!(
        away.core.phase(),
        Phase::Quarantined,
        "there is no link to move"
    );
}
