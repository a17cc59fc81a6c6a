use botroupe::prelude::*;

async fn answer(_text: Text) -> Vec<String> {
    Vec::new()
}

fn main() {
    let _ = Bot::new("bot").on_text(answer);
}
