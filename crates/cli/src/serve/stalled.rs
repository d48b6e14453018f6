//! Streams of HTTP/2 whose client does not take what it asked for.
//!
//! The connection works all the while, so that nobody notices who does not look at each stream by itself.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;

use hyper::rt::Executor;
use tokio::time::Sleep;

/// The client has something to take.
const CLIENT: u32 = 1;
/// It did not take it in time.
const GIVEN_UP: u32 = 2;
/// One part that was given to it.
const PART: u32 = 4;

tokio::task_local! {
    static STALL: Stall;
}

/// Who has to do something for a stream to go on.
#[derive(Clone, Debug, Default)]
pub struct Stall(Arc<AtomicU32>);

impl Stall {
    /// That of the stream that is worked on; `None` for HTTP/1.1, where the client's turn is that of the connection.
    pub fn current() -> Option<Stall> {
        STALL.try_with(Stall::clone).ok()
    }

    /// The client has been given something.
    pub fn give(&self) {
        let state = self.0.load(Ordering::Relaxed);
        self.0.store(state.wrapping_add(PART) | CLIENT, Ordering::Relaxed);
    }

    /// The client has everything that there is.
    pub fn wait(&self) {
        self.0.fetch_and(!CLIENT, Ordering::Relaxed);
    }

    /// Whether the stream ends because the client takes nothing.
    pub fn is_given_up(&self) -> bool {
        self.0.load(Ordering::Relaxed) & GIVEN_UP != 0
    }
}

/// Runs streams, and gives those up whose client takes nothing for so long.
#[derive(Clone, Debug)]
pub struct StreamExecutor {
    pub limit: Duration,
}

impl<F> Executor<F> for StreamExecutor
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: F) {
        let stall = Stall::default();
        let watched = watch(stream, stall.clone(), self.limit);
        tokio::spawn(STALL.scope(stall, watched));
    }
}

async fn watch(stream: impl Future<Output = ()>, stall: Stall, limit: Duration) {
    let mut stream = pin!(stream);
    let mut timer: Option<(u32, Pin<Box<Sleep>>)> = None;
    std::future::poll_fn(|cx| {
        if stream.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let state = stall.0.load(Ordering::Relaxed);
        if state & CLIENT == 0 {
            timer = None;
            return Poll::Pending;
        }
        if timer.as_ref().is_none_or(|(begun, _)| *begun != state) {
            timer = Some((state, Box::pin(tokio::time::sleep(limit))));
        }
        let Some((_, timer)) = &mut timer else {
            return Poll::Pending;
        };
        std::task::ready!(timer.as_mut().poll(cx));
        // What is dropped now is reset by the library.
        stall.0.fetch_or(GIVEN_UP, Ordering::Relaxed);
        Poll::Ready(())
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Context;

    /// Does as it is told, and tells when it is dropped.
    struct Stream<F: FnMut(&mut Context<'_>) -> Poll<()> + Unpin>(
        F,
        Option<tokio::sync::oneshot::Sender<bool>>,
    );

    impl<F: FnMut(&mut Context<'_>) -> Poll<()> + Unpin> Future for Stream<F> {
        type Output = ();
        fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
            (self.0)(cx)
        }
    }

    impl<F: FnMut(&mut Context<'_>) -> Poll<()> + Unpin> Drop for Stream<F> {
        fn drop(&mut self) {
            let given_up = Stall::current().is_some_and(|stall| stall.is_given_up());
            let _ = self.1.take().unwrap().send(given_up);
        }
    }

    #[tokio::test]
    async fn who_takes_nothing_is_given_up() {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let executor = StreamExecutor {
            limit: Duration::from_millis(5),
        };
        let mut polls = 0;
        executor.execute(Stream(
            move |_| {
                polls += 1;
                if polls == 1 {
                    Stall::current().unwrap().give();
                }
                Poll::Pending
            },
            Some(sender),
        ));
        assert!(receiver.await.unwrap());
    }

    #[tokio::test]
    async fn who_waits_for_the_guest_is_not() {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let executor = StreamExecutor {
            limit: Duration::from_millis(5),
        };
        let mut sleep = Box::pin(tokio::time::sleep(Duration::from_millis(50)));
        executor.execute(Stream(
            move |cx| {
                Stall::current().unwrap().give();
                Stall::current().unwrap().wait();
                sleep.as_mut().poll(cx)
            },
            Some(sender),
        ));
        assert!(!receiver.await.unwrap());
    }
}
