use botroupe::prelude::*;

struct Visits(u32);

async fn count(store: Store<Visits>) -> Result<String, ValueError> {
    let visits = store.bot().get("visits").await?;
    Ok(visits.map_or(0, |visits| visits.0).to_string())
}

fn main() {
    let _ = Bot::new("counter").on_text(count);
}
