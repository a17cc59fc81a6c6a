use botroupe::prelude::*;

fn answer(_text: Text) -> String {
    String::new()
}

fn main() {
    let _ = Bot::new("bot").on_text(answer);
}
