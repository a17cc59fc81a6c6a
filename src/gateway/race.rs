//! Several addresses of one host, and the first that answers (Happy Eyeballs, RFC 8305).

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

/// How long the last address has for itself before the next one is tried beside it.
const NEXT_AFTER: Duration = Duration::from_millis(250);

/// What came of a race.
#[derive(Debug)]
pub(super) struct Race<T> {
    /// The first connection, or the last error.
    pub(super) outcome: io::Result<T>,
    /// Addresses that failed, or that were tried before the winner and have not answered.
    pub(super) behind: Vec<SocketAddr>,
}

/// Connects to the addresses in their order, each a little after the one before it or as soon as that one fails.
/// What is still connecting when the first one answers is dropped.
pub(super) async fn race<T, F>(
    addresses: Vec<SocketAddr>,
    connect: impl Fn(SocketAddr) -> F,
) -> Race<T>
where
    F: Future<Output = io::Result<T>>,
{
    let attempt = |address| {
        let connecting = connect(address);
        async move { (address, connecting.await) }
    };
    let mut behind = Vec::new();
    let mut error = io::Error::new(io::ErrorKind::NotFound, "no address");
    let mut waiting = addresses.into_iter();
    let mut attempts = FuturesUnordered::new();
    loop {
        if let Some(address) = waiting.next() {
            attempts.push(attempt(address));
            behind.push(address);
        }
        let mut pause = pin!(tokio::time::sleep(NEXT_AFTER));
        tokio::select! {
            biased;
            finished = attempts.next() => match finished {
                Some((address, Ok(connection))) => {
                    behind.retain(|tried| *tried != address);
                    return Race { outcome: Ok(connection), behind };
                }
                Some((_, Err(failed))) => error = failed,
                None => return Race { outcome: Err(error), behind },
            },
            () = &mut pause, if waiting.len() > 0 => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use tokio::time::{Instant, sleep};

    /// How an address behaves: connects or fails after so many milliseconds.
    type Plan = (u64, bool);

    async fn run(plans: &[Plan]) -> (Option<usize>, Vec<usize>, Vec<u64>, u64) {
        let addresses = (0..plans.len()).map(|at| SocketAddr::from(([10, 0, 0, 1], at as u16)));
        let begun = RefCell::new(Vec::new());
        let start = Instant::now();
        let passed = || u64::try_from(start.elapsed().as_millis()).unwrap();
        let race = race(addresses.collect(), |address| {
            begun.borrow_mut().push(passed());
            let at = usize::from(address.port());
            let (wait, connects) = plans[at];
            async move {
                sleep(Duration::from_millis(wait)).await;
                if connects {
                    Ok(at)
                } else {
                    Err(io::ErrorKind::ConnectionRefused.into())
                }
            }
        })
        .await;
        let behind = race
            .behind
            .iter()
            .map(|address| usize::from(address.port()));
        (race.outcome.ok(), behind.collect(), begun.take(), passed())
    }

    const NEVER: u64 = 1_000_000;

    #[tokio::test(start_paused = true)]
    async fn the_first_address_that_answers_wins() {
        // Plans; who wins, who is behind, when each began, when it was over.
        type Row<'a> = (&'a [Plan], Option<usize>, &'a [usize], &'a [u64], u64);
        let table: [Row<'_>; 7] = [
            (&[(10, true), (10, true)], Some(0), &[], &[0], 10),
            // A failure does not wait for the next one's turn.
            (&[(10, false), (10, true)], Some(1), &[0], &[0, 10], 20),
            // Silence does.
            (&[(NEVER, true), (10, true)], Some(1), &[0], &[0, 250], 260),
            // A slow one may still win against those that were begun after it.
            (
                &[(300, true), (NEVER, true), (1, true)],
                Some(0),
                &[1],
                &[0, 250],
                300,
            ),
            (
                &[(NEVER, true), (NEVER, true), (5, true)],
                Some(2),
                &[0, 1],
                &[0, 250, 500],
                505,
            ),
            (&[(10, false), (20, false)], None, &[0, 1], &[0, 10], 30),
            (&[], None, &[], &[], 0),
        ];
        for (plans, wins, behind, begun, over) in table {
            let expected = (wins, behind.to_vec(), begun.to_vec(), over);
            assert_eq!(run(plans).await, expected, "{plans:?}");
        }
    }
}
