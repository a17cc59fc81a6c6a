//! File addresses: who gets them, what they allow, and the limits.

use serde_json::{Value, json};

use super::{World, config};
use crate::{
    SandboxConfig,
    state::{MEDIA_PATH, MediaFile, MediaRefusal},
};

/// Token and file name of a new address.
fn address(world: &mut World) -> (String, String) {
    let login = world.login("alice");
    world
        .state
        .note_host(login.conn, "http", "files.example:81");
    let body = json!({"file_type": 255, "file_name": "../a b.pdf", "upload_method": 0});
    let answer = world.call(&login, "im_cos_msg.pre_sig", &body);
    let url = answer["upload_url"].as_str().unwrap();
    assert_eq!(answer["download_url"], url);
    let path = url.strip_prefix("http://files.example:81").unwrap();
    let (token, name) = path
        .strip_prefix(MEDIA_PATH)
        .unwrap()
        .split_once('/')
        .unwrap();
    (token.to_owned(), name.to_owned())
}

fn upload(world: &mut World, size: u64) -> Result<(String, String), MediaRefusal> {
    let (token, name) = address(world);
    world
        .state
        .media_begin(world.now, &token, &name, Some(size))?;
    if let Err(refusal) = world.state.media_grow(&token, size) {
        world.state.media_aborted(world.now, &token);
        return Err(refusal);
    }
    world.state.media_done(&token, "application/pdf", None);
    Ok((token, name))
}

#[test]
fn an_address_takes_one_file_and_gives_it() {
    let mut world = World::new(config());
    let (token, name) = address(&mut world);
    assert_eq!((token.len(), &*name), (32, "ab.pdf"));
    let now = world.now;
    assert_eq!(
        world.state.media_file(&token, &name),
        None,
        "nothing was uploaded yet"
    );
    assert_eq!(
        world.state.media_begin(now, &token, "other", None),
        Err(MediaRefusal::Unknown)
    );
    assert_eq!(
        world.state.media_begin(now, "x", &name, None),
        Err(MediaRefusal::Unknown)
    );
    assert_eq!(world.state.media_begin(now, &token, &name, None), Ok(()));
    assert_eq!(
        world.state.media_begin(now, &token, &name, None),
        Err(MediaRefusal::Used)
    );
    world.state.media_grow(&token, 7).unwrap();
    assert_eq!(
        world.state.media_file(&token, &name),
        None,
        "an incomplete file is not served"
    );
    world.state.media_done(&token, "text/plain", None);
    let file = MediaFile {
        size: 7,
        content_type: "text/plain".to_owned(),
    };
    assert_eq!(world.state.media_file(&token, &name), Some(file));
    assert_eq!(
        world.state.media_begin(now, &token, &name, None),
        Err(MediaRefusal::Used)
    );
    assert_eq!(world.state.counters().media_refused, 4);
}

#[test]
fn an_upload_that_broke_off_leaves_nothing_and_can_be_repeated() {
    let mut world = World::new(SandboxConfig {
        media_bytes: 10,
        ..config()
    });
    let (token, name) = address(&mut world);
    world
        .state
        .media_begin(world.now, &token, &name, None)
        .unwrap();
    world.state.media_grow(&token, 10).unwrap();
    world.state.media_aborted(world.now, &token);
    assert_eq!(world.state.counters().media_aborted, 1);
    world
        .state
        .media_begin(world.now, &token, &name, None)
        .unwrap();
    world.state.media_grow(&token, 10).unwrap();
}

#[test]
fn addresses_are_good_for_a_quarter_of_an_hour() {
    let mut world = World::new(config());
    let (token, name) = address(&mut world);
    world.pass(901.0);
    let late = world.state.media_begin(world.now, &token, &name, None);
    assert_eq!(late, Err(MediaRefusal::Late));
}

#[test]
fn the_oldest_files_make_room_and_a_file_too_large_does_not() {
    let mut world = World::new(SandboxConfig {
        media_bytes: 100,
        media_file_bytes: 80,
        ..config()
    });
    let first = upload(&mut world, 50).unwrap();
    let second = upload(&mut world, 50).unwrap();
    assert!(world.state.media_gone().is_empty());
    assert_eq!(upload(&mut world, 81), Err(MediaRefusal::TooLarge));
    let third = upload(&mut world, 30).unwrap();
    assert_eq!(world.state.media_gone(), std::slice::from_ref(&first.0));
    assert_eq!(world.state.media_file(&first.0, &first.1), None);
    for (token, name) in [second, third] {
        assert!(world.state.media_file(&token, &name).is_some());
    }
    assert_eq!(world.state.counters().media_evicted, 1);
}

#[test]
fn what_is_being_written_makes_no_room_for_others() {
    let mut world = World::new(SandboxConfig {
        media_bytes: 100,
        ..config()
    });
    let (token, name) = address(&mut world);
    world
        .state
        .media_begin(world.now, &token, &name, None)
        .unwrap();
    world.state.media_grow(&token, 60).unwrap();
    assert_eq!(upload(&mut world, 60), Err(MediaRefusal::Full));
    assert_eq!(world.state.counters().media_full, 1);
    world.state.media_grow(&token, 40).unwrap();
}

#[test]
fn addresses_are_bounded() {
    let mut world = World::new(SandboxConfig {
        media_files: 3,
        ..config()
    });
    let stored = upload(&mut world, 1).unwrap();
    let addresses: Vec<_> = (0..3).map(|_| address(&mut world)).collect();
    assert_eq!(world.state.media_file(&stored.0, &stored.1), None);
    let [first, .., last] = addresses.as_slice() else {
        unreachable!()
    };
    assert_ne!(first.0, last.0);
    assert_eq!(
        world.state.media_begin(world.now, &last.0, &last.1, None),
        Ok(())
    );
}

#[test]
fn tokens_differ_between_servers_with_other_keys_and_seeds() {
    let token = |key: &str| {
        let mut world = World::new(SandboxConfig::new(config().app, key));
        address(&mut world).0
    };
    assert_ne!(token("secret"), token("other"));
    assert_eq!(
        token("secret"),
        token("secret"),
        "equal seeds give equal runs"
    );
}

#[test]
fn sizes_of_pictures_are_told_the_other_way_round() {
    let mut world = World::new(config());
    let (token, name) = address(&mut world);
    world
        .state
        .media_begin(world.now, &token, &name, None)
        .unwrap();
    world.state.media_grow(&token, 7).unwrap();
    world
        .state
        .media_done(&token, "image/png", Some((800, 600)));
    let login = world.login("alice");
    let url = format!("https://any.host{MEDIA_PATH}{token}/{name}");
    let body = json!({"str_image_url": url});
    let answer = world.call(&login, "im_cos_msg.get_imageinfo", &body);
    let sizes: Vec<Value> = answer["rpt_msg_image_info"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| {
            json!([
                i["uint32_image_type"],
                i["uint32_width"],
                i["uint32_height"]
            ])
        })
        .collect();
    assert_eq!(
        sizes,
        [
            json!([3, 800, 600]),
            json!([2, 800, 600]),
            json!([1, 264, 198])
        ]
    );
    let odd = json!({"str_image_url": 7});
    assert_eq!(
        world.call(&login, "im_cos_msg.get_imageinfo", &odd)["ErrorCode"],
        0
    );
}

#[test]
fn a_cover_is_got_as_its_film_is() {
    let mut world = World::new(config());
    let login = world.login("alice");
    world
        .state
        .note_host(login.conn, "http", "files.example:81");
    let body = json!({"file_type": 2, "file_name": "a.mp4", "upload_method": 0});
    let plain = world.call(&login, "im_cos_msg.pre_sig", &body)["snapshot_url"].clone();
    let film = json!({"uint32_file_id": 1, "uint32_file_type": 2, "str_file_name": "a.mp4"});
    let body = json!({"rpt_upload_object": [film]});
    let answer = world.call(&login, "im_cos_msg.simple_sig", &body);
    let secure = answer["rpt_pre_sig"][0]["str_snapshot_url"].clone();
    for (snapshot, scheme) in [(plain, "http"), (secure, "https"), (json!(7), "https")] {
        let answer = world.call(
            &login,
            "im_cos_msg.video_cover",
            &json!({"version": 1, "platform": 7, "cover_name": "c", "snapshot_url": snapshot}),
        );
        let expected = format!("{scheme}://files.example:81{MEDIA_PATH}cover.png");
        assert_eq!(answer["download_url"], expected);
    }
}
