//! Answers a text with the same text.

use botroupe::prelude::*;

/// Makes the bot.
pub fn bot() -> Bot {
    Bot::new("echo").on_text(echo)
}

async fn echo(text: Text) -> String {
    text.into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_rt::test]
    async fn it_says_what_it_hears() {
        assert_eq!(echo("hello".into()).await, "hello");
    }
}
