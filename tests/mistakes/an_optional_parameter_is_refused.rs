use botroupe::prelude::*;

async fn answer(_text: Text, _update: Option<u32>) -> String {
    String::new()
}

fn main() {
    let _ = Bot::new("bot").on_text(answer);
}
