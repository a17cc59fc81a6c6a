use botroupe::prelude::*;

struct City(String);

async fn weather(Args(city): Args<City>) -> String {
    city.0
}

fn main() {
    let _ = Bot::new("weather").command("weather <city>", weather);
}
