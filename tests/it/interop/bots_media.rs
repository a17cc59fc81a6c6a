//! Files between the official SDK with its upload plugin and a bot.

use serde_json::{Value, json};

use super::{
    Troupe,
    compat::{Pair, proven},
    media::{uploader, video},
    sdk,
};
use crate::harness::sandbox;

const MB: u64 = 1 << 20;

/// The bot gets each file and sends a copy of it back, uploaded by itself.
#[test]
fn a_bot_gets_files_and_sends_files() {
    let Some(sdk) = sdk() else { return };
    let sandbox = sandbox(|_| ());
    let _bot = Troupe::start(&sandbox, "copying-bot", "copier");
    let alice = uploader(sdk, sdk.in_window(), &sandbox, &json!({}), "alice");
    let file = |name: &str, kind: &str, size: u64| -> Value {
        json!({"name": name, "type": kind, "size": size, "seed": size})
    };
    let mut image = file("picture.png", "image/png", 5 * MB);
    image["width"] = json!(800);
    image["height"] = json!(600);
    let mut audio = file("voice.mp3", "audio/mpeg", 5000);
    audio["duration"] = json!(3000);
    let cards = [
        (
            "File",
            file("report 你好.pdf", "application/pdf", 20 * MB),
            "/fileUrl",
        ),
        ("Image", image, "/imageInfoArray/0/url"),
        ("Audio", audio, "/url"),
        ("Video", video(5 * MB), "/videoUrl"),
    ];
    for (kind, card, url) in cards {
        let mark = alice.mark();
        let payload = json!({"file": {"$file": card}});
        let sent = alice.send_to("copying-bot", kind, &payload, &json!({}));
        let got = alice.hear(mark, kind, |message| message["from"] == "copying-bot");
        assert_eq!(got["type"], sent["type"], "{got}");
        let theirs = got["payload"].pointer(url).unwrap();
        assert_ne!(Some(theirs), sent["payload"].pointer(url), "uploaded anew");
        let there = alice.call("download", &json!([theirs])).unwrap();
        let digest = alice.call("fileDigest", &json!([card])).unwrap();
        assert_eq!((&there["size"], &there["digest"]), (&card["size"], &digest));
        assert_eq!(there["type"], card["type"]);
        if kind == "File" {
            assert_eq!(got["payload"]["fileName"], "report 你好.pdf");
        }
        if kind == "Image" {
            let size = |at: usize| {
                let info = &got["payload"]["imageInfoArray"][at];
                json!([info["width"], info["height"]])
            };
            assert_eq!(
                (size(0), size(1)),
                (json!([800, 600]), json!([264, 198])),
                "{got}"
            );
        }
        if kind == "Video" {
            assert_eq!(got["payload"]["videoSecond"], 7, "{got}");
            let cover = json!([got["payload"]["snapshotUrl"]]);
            let cover = alice.call("download", &cover).unwrap();
            assert_eq!(cover["type"], "image/png", "{got}");
        }
        for pair in [Pair::SdkToBot, Pair::BotToSdk] {
            proven(
                &format!("media: {}, up and down", kind.to_lowercase()),
                pair,
            );
        }
    }
    assert_eq!(sandbox.status().counters.media_uploads, 8);
}
