use botroupe::prelude::*;

struct Number(i64);

impl FromEvent for Number {
    type Rejection = std::num::ParseIntError;

    async fn from_event(event: &Event) -> Result<Self, Self::Rejection> {
        let text = event.message().and_then(|message| message.text());
        text.unwrap_or_default().parse().map(Self)
    }
}

async fn double(Number(number): Number) -> String {
    (2 * number).to_string()
}

fn main() {
    let _ = Bot::new("double").on_text(double);
}
