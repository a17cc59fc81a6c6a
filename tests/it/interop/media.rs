//! Tests of files with both methods of the official upload plugin.

use botroupe::sandbox::Sandbox;
use serde_json::{Value, json};

use super::{
    Page,
    compat::{Pair, proven},
    install::Sdk,
    sdk,
};
use crate::harness::sandbox;

const MB: u64 = 1024 * 1024;

/// A file that alice sends, and the path of its URL in the message.
struct Card {
    kind: &'static str,
    file: Value,
    url: &'static str,
}

fn cards(size: u64) -> Vec<Card> {
    let file = |name: &str, kind: &str, size: u64| json!({"name": name, "type": kind, "size": size, "seed": size});
    let mut image = file("picture.png", "image/png", size / 4);
    image["width"] = json!(800);
    image["height"] = json!(600);
    let mut audio = file("voice.mp3", "audio/mp3", 5000);
    audio["duration"] = json!(3000);
    vec![
        Card {
            kind: "File",
            file: file("report 你好.pdf", "application/pdf", size),
            url: "/fileUrl",
        },
        Card {
            kind: "Image",
            file: image,
            url: "/imageInfoArray/0/url",
        },
        Card {
            kind: "Audio",
            file: audio,
            url: "/url",
        },
    ]
}

/// Returns the card of a video, which only pages in a window can send.
pub(super) fn video(size: u64) -> Value {
    json!({
        "name": "film 电影.mp4", "type": "video/mp4", "size": size, "seed": size, "duration": 7,
    })
}

/// Makes alice send the file, and bob download it from the URL in the message.
#[track_caller]
fn send_and_get(alice: &Page, bob: &Page, card: &Card) -> Value {
    let mark = bob.mark();
    let sent = alice.send_to(
        "bob",
        card.kind,
        &json!({"file": {"$file": card.file}}),
        &json!({}),
    );
    let got = bob.hear(mark, card.kind, |message| message["ID"] == sent["ID"]);
    let url = got["payload"]
        .pointer(card.url)
        .unwrap_or_else(|| panic!("{got}"));
    let there = bob.call("download", &json!([url])).unwrap();
    let digest = alice.call("fileDigest", &json!([card.file])).unwrap();
    assert_eq!(there["status"], 200, "{url}");
    assert_eq!(there["type"], card.file["type"]);
    assert_eq!(
        (&there["size"], &there["digest"]),
        (&card.file["size"], &digest)
    );
    got["payload"].clone()
}

fn pages(sdk: &Sdk, sandbox: &Sandbox, more: &Value) -> (Page, Page) {
    let open = |user: &str| uploader(sdk, sdk.full(), sandbox, more, user);
    (open("alice"), open("bob"))
}

/// Opens a page that is logged in and can upload.
pub(super) fn uploader(
    sdk: &Sdk,
    files: Vec<String>,
    sandbox: &Sandbox,
    more: &Value,
    user: &str,
) -> Page {
    let page = Page::open_as(sdk, files, sandbox, more);
    // The SDK looks for the plugin at login.
    page.call("useUploads", &json!([])).unwrap();
    page.enter(sandbox, user);
    page
}

/// Returns SDK options that make it upload and download files through the sandbox as through the
/// real service.
pub(super) fn proxies(sandbox: &Sandbox) -> Value {
    json!({"fileUploadProxy": sandbox.rest_url(), "fileDownloadProxy": sandbox.rest_url()})
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn videos_arrive_with_their_covers_in_both_ways() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    for (more, command) in [
        (json!({}), "im_cos_msg.pre_sig"),
        (proxies(&sandbox), "im_cos_msg.simple_sig"),
    ] {
        let alice = uploader(sdk, sdk.in_window(), &sandbox, &more, "alice");
        let bob = Page::open_as(sdk, sdk.full(), &sandbox, &more);
        bob.enter(&sandbox, "bob");
        let mark = alice.mark();
        alice.call("watchRequests", &json!([[command]])).unwrap();
        let card = Card {
            kind: "Video",
            file: video(3 * MB + 1),
            url: "/videoUrl",
        };
        let payload = send_and_get(&alice, &bob, &card);
        assert_eq!(alice.count(mark, "requestSent"), 1, "{command}");
        assert_eq!(payload["videoFormat"], "mp4");
        assert_eq!(payload["videoSecond"], 7);
        assert_eq!(payload["videoSize"], 3 * MB + 1);
        let cover = &payload["snapshotUrl"];
        let cover = bob.call("download", &json!([cover])).unwrap();
        assert_eq!(
            (&cover["status"], &cover["type"]),
            (&json!(200), &json!("image/png")),
            "{payload}"
        );
        assert_eq!(
            (&payload["snapshotWidth"], &payload["snapshotHeight"]),
            (&json!(1), &json!(1))
        );
        let huge = json!({"file": {"$file": video(101 * MB)}});
        let refused = alice.try_send_to("bob", "Video", &huge, &json!({}), &json!({}));
        assert_eq!(refused, Err(2351), "the SDK's own limit");
    }
    assert_eq!(sandbox.status().counters.media_uploads, 2);
    proven("media: video, up and down", Pair::SdkToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn files_arrive_byte_by_byte() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (alice, bob) = pages(sdk, &sandbox, &json!({}));
    for card in cards(20 * MB) {
        let payload = send_and_get(&alice, &bob, &card);
        if card.kind == "Image" {
            let sizes: Vec<Value> = payload["imageInfoArray"]
                .as_array()
                .unwrap()
                .iter()
                .map(|info| json!([info["width"], info["height"]]))
                .collect();
            assert_eq!(sizes[0], json!([800, 600]), "{payload}");
            let small = &payload["imageInfoArray"][1]["url"];
            assert!(small.as_str().unwrap().contains("imageView2"), "{small}");
            let small = bob.call("download", &json!([small])).unwrap();
            assert_eq!(small["size"], 5 * MB, "the query is ignored");
        }
        proven(
            &format!("media: {}, up and down", card.kind.to_lowercase()),
            Pair::SdkToSdk,
        );
    }
    assert_eq!(sandbox.status().counters.media_uploads, 3);
    let huge = json!({"file": {"$file": {"name": "h.bin", "type": "a/b", "size": 101 * MB}}});
    let refused = alice.try_send_to("bob", "File", &huge, &json!({}), &json!({}));
    assert_eq!(refused, Err(2402), "the SDK's own limit");
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn files_arrive_through_proxies_for_files_and_from_a_folder() {
    let sdk = sdk();
    let folder = tempfile::tempdir().unwrap();
    let sandbox = sandbox(|config| config.media_dir = Some(folder.path().to_owned()));
    let (alice, bob) = pages(sdk, &sandbox, &proxies(&sandbox));
    for card in cards(MB) {
        let payload = send_and_get(&alice, &bob, &card);
        if card.kind == "Image" {
            let thumbnail = &payload["imageInfoArray"][1];
            assert_eq!(
                (&thumbnail["width"], &thumbnail["height"]),
                (&json!(264), &json!(198))
            );
        }
    }
    proven(
        "media: the way of the service (proxies for files)",
        Pair::SdkToSdk,
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
}
