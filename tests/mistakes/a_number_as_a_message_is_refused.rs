use botroupe::prelude::*;

async fn answer(message: Message, api: Api) {
    let _ = api.send(&message, 7).await;
}

fn main() {
    let _ = Bot::new("bot").on_message(answer);
}
