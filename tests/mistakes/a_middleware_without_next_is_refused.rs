use botroupe::prelude::*;

async fn log(event: Event) -> Reply {
    println!("{event:?}");
    Reply::none()
}

fn main() {
    let _ = Bot::new("bot").middleware(log);
}
