use botroupe::prelude::*;

struct Weather {
    _degrees: f64,
}

async fn answer(_text: Text) -> Option<Weather> {
    None
}

fn main() {
    let _ = Bot::new("bot").on_text(answer);
}
