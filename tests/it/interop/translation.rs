//! Tests of translation, speech recognition and do-not-disturb.

use botroupe::{bot::Uploads, prelude::*, sandbox::Sandbox};
use serde_json::{Value, json};

use super::{
    Troupe,
    compat::{Pair, proven},
    groups::page,
    media::uploader,
    sdk,
};
use crate::harness::sandbox;

const TRANSLATE: &str = "im_open_translate.ws_batch_trans_text";
const RECOGNISE: &str = "im_open_speech.ws_sentence_recognition";

/// Makes the sandbox, which has neither translation nor speech recognition, answer one request in
/// the format of the service: with a result or, for the code 4002, without one.
fn answer(sandbox: &Sandbox, user: &str, servcmd: &str, result: &Value, code: u32) {
    let body = json!({
        "ErrorCode": 0, "CmdErrorCode": {"ErrorCode": code, "ErrorInfo": ""},
        "TargetText": result, "BytesResult": result,
    });
    sandbox.answer(user, servcmd, body, Some(1)).unwrap();
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn words_are_translated_and_written_down() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (me, mark) = ("polyglot-bot", Troupe::watch_mark());
    let bot = Troupe::start(&sandbox, me, "watcher");
    let api = bot.api_with_files(Uploads::Private);
    let alice = uploader(sdk, sdk.in_window(), &sandbox, &json!({}), "alice");
    let wish = json!([{"sourceTextList": ["hi"], "sourceLanguage": "en", "targetLanguage": "de"}]);
    let mut audio = json!({"name": "voice.mp3", "type": "audio/mpeg", "size": 5000, "seed": 1});
    audio["duration"] = json!(3000);

    // The sandbox's own answer.
    let translated = alice.data("translateText", &wish);
    assert_eq!(translated["translatedTextList"], json!(["hi"]));
    let translated = Troupe::wait(api.translate(["hi", "you"], None, "de"));
    assert_eq!(translated.unwrap(), ["hi", "you"]);

    // The SDK sends the sound, and the bot requests its text.
    let payload = json!({"file": {"$file": audio}});
    let said = alice.send_to(me, "Audio", &payload, &json!({}));
    alice.say(me, "hi");
    let text = bot.hears_text(mark, "hi");
    let sound = bot.heard(mark).into_iter().find(|m| m.text().is_none());
    let sound = sound.unwrap();
    assert_eq!(sound.terminal_id().as_deref(), said["ID"].as_str());
    let in_words = || Troupe::wait(api.speech_to_text(&sound, Spoken::English));
    assert_eq!(in_words().unwrap(), "");
    answer(&sandbox, me, RECOGNISE, &json!("good morning"), 0);
    assert_eq!(in_words().unwrap(), "good morning");
    answer(&sandbox, me, RECOGNISE, &json!(""), 4002);
    assert_eq!(in_words().unwrap_err().code(), Some(Code(4002)));
    answer(&sandbox, me, TRANSLATE, &json!(["hallo"]), 0);
    let translated = Troupe::wait(api.translate(text.text(), Some("en"), "de"));
    assert_eq!(translated.unwrap(), ["hallo"]);
    proven("other: translation, words of sounds", Pair::SdkToBot);

    // The SDK or the bot sends the sound, and a page of the SDK requests its text.
    let upload = Upload::new("mine.mp3", vec![7; 5000]);
    let element = Troupe::wait(api.upload_sound(upload, 3)).unwrap();
    let page_mark = alice.mark();
    Troupe::wait(api.send(Conversation::c2c("alice"), element)).unwrap();
    let heard = alice.hear(page_mark, "the sound", |message| message["from"] == me);
    for (id, pair) in [
        (&said["ID"], Pair::SdkToSdk),
        (&heard["ID"], Pair::BotToSdk),
    ] {
        answer(&sandbox, "alice", RECOGNISE, &json!("guten Morgen"), 0);
        let spoken = json!([{"message": {"$message": id}, "language": "en-US"}]);
        let words = alice.data("convertVoiceToText", &spoken);
        assert_eq!(words["result"], "guten Morgen", "{words}");
        answer(&sandbox, "alice", TRANSLATE, &json!(["hallo"]), 0);
        let translated = alice.data("translateText", &wish);
        assert_eq!(translated["translatedTextList"], json!(["hallo"]));
        proven("other: translation, words of sounds", pair);
    }
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn an_account_wants_to_be_left_alone() {
    let sdk = sdk();
    let sandbox = sandbox(|config| config.max_web_instances = 3);
    let (me, mark) = ("tired-bot", Troupe::watch_mark());
    let bot = Troupe::start(&sandbox, me, "watcher");
    let api = bot.api();
    let (here, there) = (page(sdk, &sandbox, me), page(sdk, &sandbox, me));
    let kept = || there.data("getAllReceiveMessageOpt", &json!([]));

    let rest = json!([{"messageRemindType": "AcceptNotNotify", "startHour": 22, "startMinute": 0,
                       "startSecond": 0, "duration": 3600}]);
    here.call("setAllReceiveMessageOpt", &rest).unwrap();
    let shown = kept();
    assert_eq!(
        (&shown["messageRemindType"], &shown["isRepeated"]),
        (&json!("AcceptNotNotify"), &json!(true))
    );
    proven("other: do not disturb", Pair::SdkToSdk);
    let told = bot.learns(mark, "the rest", |update| match update {
        Update::DoNotDisturb(fields) => Some(fields.clone()),
        _ => None,
    });
    let quiet = Troupe::wait(api.do_not_disturb()).unwrap();
    assert_eq!(
        (quiet.option(), quiet.is_daily()),
        (MuteOption::Silent, true)
    );
    assert_eq!(quiet.end - quiet.start, 3600);
    assert_eq!(
        (&told["StartTime"], &told["Level"]),
        (&json!(quiet.start), &json!(2))
    );
    proven("other: do not disturb", Pair::SdkToBot);

    let quiet = DoNotDisturb::between(1_000, 2_000).with(MuteOption::Discard);
    Troupe::wait(api.set_do_not_disturb(quiet)).unwrap();
    let shown = kept();
    assert_eq!(shown["messageRemindType"], "Discard");
    assert_eq!(
        (&shown["startTime"], &shown["endTime"], &shown["isRepeated"]),
        (&json!(1000), &json!(2000), &json!(false))
    );
    proven("other: do not disturb", Pair::BotToSdk);
}
