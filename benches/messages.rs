//! Measures the time and the allocations of parsing a typical push and writing a message, in
//! comparison with plain `serde_json` on the same text.
//!
//! Run with `cargo bench`.

#![allow(clippy::unwrap_used, reason = "a bench that cannot go on fails")]

use botroupe::proto::event::Push;
use botroupe::proto::message::{C2cItem, Draft, Message, MessageKey, SendC2c};
use divan::counter::{BytesCount, ItemsCount};
use divan::{AllocProfiler, Bencher, black_box};
use serde_json::Value;

#[global_allocator]
static ALLOC: AllocProfiler = AllocProfiler::system();

const SERVCMD: &str = "im_open_push.msg_push";

fn main() {
    divan::main();
}

/// Creates a push of `count` text messages, in the form that the service sends to a busy account.
fn push(count: u32) -> String {
    let items: Vec<Value> = (0..count)
        .map(|n| {
            serde_json::json!({
                "From_Account": "alice", "To_Account": "support-01", "MsgSeq": 3_139_160_001_u32 + n,
                "MsgRandom": 57_887_404 + n, "MsgTimeStamp": 1_795_397_956, "MsgClientTime": 1_795_397_955,
                "TinyId": "144115422390155339", "ClientSeq": 3_139_160_001_u32 + n,
                "IsNeedReadReceipt": 0, "MsgVersion": 0, "CloudCustomData": "{\"k\":1}",
                "From_AccountNick": "Alice", "From_AccountHeadurl": "https://example.com/a.png",
                "MsgBody": [{"MsgType": "TIMTextElem",
                             "MsgContent": {"Text": "Hello, where is my parcel? It should have come on Monday."}}],
            })
        })
        .collect();
    serde_json::json!({"NeedAck": 1, "SessionData": "sess-7ade95d9", "EventArray": [{"Event": 9, "C2cMsgArray": items}]})
        .to_string()
}

#[divan::bench(args = [1, 20])]
fn decode_typed(bencher: Bencher<'_, '_>, count: u32) {
    let body = push(count);
    bencher
        .counter(ItemsCount::new(count))
        .counter(BytesCount::of_str(&body))
        .bench(|| Push::parse(SERVCMD, black_box(&body)));
}

#[divan::bench(args = [1, 20])]
fn decode_plain_value(bencher: Bencher<'_, '_>, count: u32) {
    let body = push(count);
    bencher
        .counter(ItemsCount::new(count))
        .counter(BytesCount::of_str(&body))
        .bench(|| serde_json::from_str::<Value>(black_box(&body)).unwrap());
}

#[divan::bench]
fn item_to_message(bencher: Bencher<'_, '_>) {
    let item = C2cItem::new("alice", "support-01", vec![]);
    bencher
        .with_inputs(|| item.clone())
        .bench_values(|item| Message::from_c2c(item, "support-01"));
}

const KEY: MessageKey = MessageKey {
    seq: 3_139_160_001,
    random: 57_887_404,
};

#[divan::bench]
fn encode_typed(bencher: Bencher<'_, '_>) {
    let draft = Draft::text("It is on its way, and will be with you tomorrow.");
    bencher.counter(ItemsCount::new(1_u32)).bench(|| {
        let send = SendC2c::new("support-01", "alice", black_box(&draft), KEY, 1_795_397_955);
        serde_json::to_string(&send).unwrap()
    });
}

#[divan::bench]
fn encode_plain_value(bencher: Bencher<'_, '_>) {
    let draft = Draft::text("It is on its way, and will be with you tomorrow.");
    let send = SendC2c::new("support-01", "alice", &draft, KEY, 1_795_397_955);
    let value = serde_json::to_value(&send).unwrap();
    bencher
        .counter(ItemsCount::new(1_u32))
        .bench(|| serde_json::to_string(black_box(&value)).unwrap());
}
