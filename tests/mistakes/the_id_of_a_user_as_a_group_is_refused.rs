//! A UserID is no GroupID.

use botroupe::prelude::*;

async fn quiet(sender: Sender, api: Api) -> Result<(), ApiError> {
    api.group(&sender.user_id).mute_all(true).await
}

fn main() {
    let _ = Bot::new("guard").on_text(quiet);
}
