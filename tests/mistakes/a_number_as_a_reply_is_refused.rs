use botroupe::prelude::*;

async fn answer(_text: Text) -> u32 {
    7
}

fn main() {
    let _ = Bot::new("bot").on_text(answer);
}
