//! A GroupID is no UserID.

use botroupe::prelude::*;

async fn quiet(group: Group, api: Api) -> Result<(), ApiError> {
    api.user(&group.id).block().await
}

fn main() {
    let _ = Bot::new("guard").on_text(quiet);
}
