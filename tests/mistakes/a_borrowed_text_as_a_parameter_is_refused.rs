use botroupe::prelude::*;

async fn answer(text: &'static str) -> String {
    text.to_owned()
}

fn main() {
    let _ = Bot::new("bot").on_text(answer);
}
