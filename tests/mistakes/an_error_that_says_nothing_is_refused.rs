use botroupe::prelude::*;

async fn answer(_text: Text) -> Result<String, ()> {
    Err(())
}

fn main() {
    let _ = Bot::new("bot").on_text(answer);
}
