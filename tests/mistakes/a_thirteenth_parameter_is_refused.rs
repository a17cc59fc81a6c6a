use botroupe::prelude::*;

#[rustfmt::skip]
async fn answer(
    _: Text, _: Text, _: Text, _: Text, _: Text, _: Text, _: Text,
    _: Text, _: Text, _: Text, _: Text, _: Text, _: Text,
) -> String {
    String::new()
}

fn main() {
    let _ = Bot::new("bot").on_text(answer);
}
