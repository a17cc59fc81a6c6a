//! Files, through the official upload plugin, in both of its ways.

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

/// A file that alice sends, and where it is found in the message.
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

/// Has alice send the file, and bob get it from where the message says.
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
    let open = |user: &str| {
        let page = Page::open_as(sdk, sdk.full(), sandbox, more);
        // The SDK looks for the plugin when it logs in.
        page.call("useUploads", &json!([])).unwrap();
        page.enter(sandbox, user);
        page
    };
    (open("alice"), open("bob"))
}

#[test]
fn files_arrive_byte_by_byte() {
    let Some(sdk) = sdk() else { return };
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
fn files_arrive_through_proxies_for_files_and_from_a_folder() {
    let Some(sdk) = sdk() else { return };
    let folder = tempfile::tempdir().unwrap();
    let sandbox = sandbox(|config| config.media_dir = Some(folder.path().to_owned()));
    let proxies =
        json!({"fileUploadProxy": sandbox.rest_url(), "fileDownloadProxy": sandbox.rest_url()});
    let (alice, bob) = pages(sdk, &sandbox, &proxies);
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
    proven("media: uploads through proxies for files", Pair::SdkToSdk);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
}
