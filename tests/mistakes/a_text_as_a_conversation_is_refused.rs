use botroupe::prelude::*;

async fn answer(api: Api) {
    let _ = api.send("@TGS#1", "hello").await;
}

fn main() {
    let _ = Bot::new("bot").on_text(answer);
}
