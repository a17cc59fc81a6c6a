use botroupe::prelude::*;
use std::sync::Mutex;

static COUNT: Mutex<u32> = Mutex::new(0);

async fn answer(message: Message, api: Api) -> Result<(), ApiError> {
    let mut count = COUNT.lock().unwrap();
    *count += 1;
    api.message(&message).react("[wave]").await
}

fn main() {
    let _ = Bot::new("bot").on_message(answer);
}
