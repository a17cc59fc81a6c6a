//! What acts on a message wants the message, or its ID.

use botroupe::prelude::*;

async fn wave(text: Text, api: Api) -> Result<(), ApiError> {
    api.message(&text).react("[wave]").await
}

fn main() {
    let _ = Bot::new("waver").on_text(wave);
}
