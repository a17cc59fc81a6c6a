use botroupe::prelude::*;

async fn nothing() {}

async fn answer(_text: Text) -> String {
    let count = std::rc::Rc::new(1);
    nothing().await;
    count.to_string()
}

fn main() {
    let _ = Bot::new("bot").on_text(answer);
}
