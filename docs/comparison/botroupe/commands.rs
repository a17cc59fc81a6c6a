use botroupe::prelude::*;

pub fn bot() -> Bot {
    let weather = command("weather <city> [days:1..7]")
        .alias("w")
        .about("the weather of a city");
    Bot::new("tools").command(weather, forecast)
}

async fn forecast(Args((city, days)): Args<(String, Option<u8>)>) -> String {
    format!("{city}: sunny for {} days", days.unwrap_or(1))
}
