use botroupe::prelude::*;

struct Size;

async fn order(dialogue: Dialogue) -> Result<&'static str, DialogueError> {
    let _size: Size = dialogue.ask("Which size?").await?;
    Ok("Thank you.")
}

fn main() {
    let _ = Bot::new("shop").on_text(order);
}
