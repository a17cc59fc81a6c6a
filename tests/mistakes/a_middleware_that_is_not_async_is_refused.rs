use botroupe::prelude::*;

fn quiet(_event: Event, _next: Next) -> Reply {
    Reply::none()
}

fn main() {
    let _ = Bot::new("bot").middleware(quiet);
}
