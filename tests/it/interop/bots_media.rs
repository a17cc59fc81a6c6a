//! Tests of files between the official SDK with its upload plugin and a bot.

use botroupe::prelude::Conversation;
use botroupe::{
    bot::{ApiError, Upload, Uploads},
    proto::{code::Code, message::Element},
    sandbox::Sandbox,
};
use serde_json::{Value, json};

use super::{
    Troupe,
    compat::{Pair, proven},
    media::{proxies, uploader, video},
    sdk,
};
use crate::harness::sandbox;

const MB: u64 = 1 << 20;

/// Handlers receive files and return them. They save each file to disk and send it back from there:
/// pictures as a file, others as a stream.
#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn handlers_take_files_and_return_them_from_disk_and_as_streams() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let _bot = Troupe::start(&sandbox, "gallery-bot", "gallery");
    let alice = uploader(sdk, sdk.full(), &sandbox, &json!({}), "alice");
    let image = json!({"name": "p.png", "type": "image/png", "size": 3 * MB, "seed": 1, "width": 30, "height": 20});
    let file =
        json!({"name": "f.bin", "type": "application/octet-stream", "size": 3 * MB + 7, "seed": 2});
    for (kind, card, url) in [
        ("Image", image, "/imageInfoArray/0/url"),
        ("File", file, "/fileUrl"),
    ] {
        let mark = alice.mark();
        let payload = json!({"file": {"$file": card}});
        alice.send_to("gallery-bot", kind, &payload, &json!({}));
        let got = alice.hear(mark, kind, |message| message["from"] == "gallery-bot");
        let theirs = got["payload"].pointer(url).unwrap();
        let there = alice.call("download", &json!([theirs])).unwrap();
        let digest = alice.call("fileDigest", &json!([card])).unwrap();
        assert_eq!((&there["size"], &there["digest"]), (&card["size"], &digest));
    }
}

/// The bot receives each file and sends a copy back, which it uploads itself.
#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn a_bot_gets_files_and_sends_files() {
    let sdk = sdk();
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

/// Makes the sandbox answer the next request for an upload address in the format of the service,
/// but with an address that is reachable without a certificate.
fn give_address(sandbox: &Sandbox, user: &str, name: &str, exists: u8, snapshot: &str) -> String {
    let url = sandbox.media_url(user, name).unwrap();
    let item = json!({
        "uint32_file_id": 1, "uint32_exist_flag": exists, "str_upload_url": url,
        "str_download_url": url, "str_snapshot_url": snapshot, "str_file_key": name,
    });
    let body = json!({"ErrorCode": 0, "str_final_ip": "", "rpt_pre_sig": [item]});
    let servcmd = "im_cos_msg.simple_sig";
    sandbox.answer(user, servcmd, body, Some(1)).unwrap();
    url
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn a_bot_uploads_and_gets_files_in_the_way_of_the_service() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (me, heard) = ("service-bot", Troupe::watch_mark());
    let bot = Troupe::start(&sandbox, me, "watcher");
    let api = bot.api_with_files(Uploads::Service(sandbox.app()));
    let alice = uploader(sdk, sdk.in_window(), &sandbox, &proxies(&sandbox), "alice");

    // Upload: the SDK receives what the bot sends.
    let card = json!({"name": "s.bin", "type": "application/octet-stream", "size": MB, "seed": 5});
    let mut png = json!({"name": "p.png", "type": "image/png", "size": MB, "seed": 6});
    (png["width"], png["height"]) = (json!(800), json!(600));
    let film = video(MB);
    for (kind, card, url) in [
        ("TIMFileElem", &card, "/fileUrl"),
        ("TIMSoundElem", &card, "/url"),
        ("TIMImageElem", &png, "/imageInfoArray/0/url"),
        ("TIMVideoFileElem", &film, "/videoUrl"),
    ] {
        let bytes = alice.call("fileBytes", &json!([card])).unwrap();
        let upload = Upload::new(card["name"].as_str().unwrap(), from_hex(&bytes));
        let snapshot = format!("{}/media/cover.png", sandbox.rest_url());
        let there = give_address(&sandbox, me, "some.bin", 0, &snapshot);
        let element = Troupe::wait(async {
            Ok::<Element, ApiError>(match kind {
                "TIMFileElem" => api.upload_file(upload).await?.into(),
                "TIMSoundElem" => api.upload_sound(upload, 3).await?.into(),
                "TIMImageElem" => api.upload_image(upload).await?.into(),
                _ => api.upload_video(upload, 7).await?.into(),
            })
        });
        let mark = alice.mark();
        Troupe::wait(api.send(Conversation::c2c("alice"), element.unwrap())).unwrap();
        let got = alice.hear(mark, kind, |message| message["type"] == kind);
        assert_eq!(got["payload"].pointer(url), Some(&json!(there)), "{got}");
        let there = alice.call("download", &json!([there])).unwrap();
        let digest = alice.call("fileDigest", &json!([card])).unwrap();
        assert_eq!((&there["size"], &there["digest"]), (&json!(MB), &digest));
        if kind == "TIMVideoFileElem" {
            let cover = &got["payload"]["thumbUrl"];
            let cover = alice.call("download", &json!([cover])).unwrap();
            assert_eq!(cover["type"], "image/png", "{got}");
        }
    }
    // A file that already exists on the server is not uploaded again.
    let uploads = sandbox.status().counters.media_uploads;
    let there = give_address(&sandbox, me, "known.bin", 1, "");
    let file = Troupe::wait(api.upload_file(Upload::new("known.bin", "known"))).unwrap();
    assert_eq!(file.url, there);
    assert_eq!(sandbox.status().counters.media_uploads, uploads);
    // The file is also sent if the service does not return data derived from it.
    for servcmd in ["im_cos_msg.get_imageinfo", "im_cos_msg.video_cover"] {
        sandbox.refuse(me, servcmd, Code(60_008), Some(1)).unwrap();
    }
    let bytes = |card: &Value| from_hex(&alice.call("fileBytes", &json!([card])).unwrap());
    let there = give_address(&sandbox, me, "plain.png", 0, "");
    let image = Troupe::wait(api.upload_image(Upload::new("p.png", bytes(&png)))).unwrap();
    let sizes: Vec<_> = image
        .sizes
        .iter()
        .map(|size| (size.kind, size.width))
        .collect();
    assert_eq!(sizes, [(1, 800), (2, 800), (3, 264)]);
    assert_eq!(image.sizes[0].url, there);
    let snapshot = format!("{}/media/cover.png", sandbox.rest_url());
    let there = give_address(&sandbox, me, "plain.mp4", 0, &snapshot);
    let video = Troupe::wait(api.upload_video(Upload::new("v.mp4", bytes(&film)), 7)).unwrap();
    assert_eq!((video.url, &*video.thumb_url), (there, ""));

    // Download: the bot receives what the SDK uploads in this format.
    for (kind, card) in [
        ("File", &card),
        ("Image", &png),
        ("Audio", &card),
        ("Video", &film),
    ] {
        let payload = json!({"file": {"$file": card}});
        let sent = alice.send_to(me, kind, &payload, &json!({}));
        let mut got = bot.hears(heard, kind, |message| {
            message.terminal_id().as_deref() == sent["ID"].as_str()
        });
        // The address only works through a proxy, or with the server's certificate.
        let element = got.elements.first_mut().unwrap();
        let url = match element {
            Element::File(file) => &mut file.url,
            Element::Image(image) => &mut image.sizes[0].url,
            Element::Sound(sound) => &mut sound.url,
            Element::Video(video) => &mut video.url,
            other => panic!("{other:?}"),
        };
        assert!(url.starts_with("https://127.0.0.1:"), "{url}");
        *url = url.replacen("https", "http", 1);
        let bytes = Troupe::wait(api.download(element, 2 * MB)).unwrap();
        let expected = alice.call("fileBytes", &json!([card])).unwrap();
        assert_eq!(bytes, from_hex(&expected), "{kind}");
    }
    for pair in [Pair::SdkToBot, Pair::BotToSdk] {
        proven("media: the way of the service (proxies for files)", pair);
    }
}

fn from_hex(text: &Value) -> Vec<u8> {
    let digits = text.as_str().unwrap().as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}
