use botroupe::prelude::*;

fn main() {
    let greeting = String::from("Hello");
    let _ = Bot::new("greeter").on_text(|| {
        let greeting = &greeting;
        async move { greeting.clone() }
    });
}
