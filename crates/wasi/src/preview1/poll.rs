//! `poll_oneoff`: waiting for clocks and descriptors.

use super::Call;
use super::fds::{Fd, FdTable};
use super::memory::GuestMemory;
use super::types::{Errno, P1Result};
use crate::clocks::Deadline;
use crate::poll::Pollable as _;
use crate::select::{Ready, first_ready};
use std::collections::HashSet;
use std::task::Poll;

const SUBSCRIPTION_SIZE: u32 = 48;
const EVENT_SIZE: u32 = 32;

/// The most subscriptions of one call, a bound on host memory.
const MAX_SUBSCRIPTIONS: u32 = 1 << 16;

/// What a subscription waits for.
#[derive(Copy, Clone, Debug)]
enum Wait {
    /// An instant of the monotonic clock.
    Until(u64),
    Read(u32),
    Write(u32),
}

#[derive(Copy, Clone, Debug)]
struct Subscription {
    userdata: u64,
    tag: u8,
    wait: Result<Wait, Errno>,
}

/// An event without its subscription.
#[derive(Copy, Clone, Debug)]
struct Outcome {
    error: Option<Errno>,
    nbytes: u64,
}

impl Call<'_> {
    pub(super) async fn poll_oneoff(&mut self, subs: u32, events: u32, count: u32, result: u32) -> P1Result {
        if count == 0 || count > MAX_SUBSCRIPTIONS {
            return Err(Errno::INVAL.into());
        }
        self.memory
            .slice(subs, count.checked_mul(SUBSCRIPTION_SIZE).ok_or(Errno::FAULT)?)?;
        self.memory
            .slice(events, count.checked_mul(EVENT_SIZE).ok_or(Errno::FAULT)?)?;
        self.memory.slice(result, 4)?;
        let subscriptions = (0..count)
            .map(|i| self.subscription(subs + i * SUBSCRIPTION_SIZE))
            .collect::<P1Result<Vec<_>>>()?;
        let mut outcomes = self.ready_now(&subscriptions);
        if outcomes.iter().all(Option::is_none) {
            self.wait(&subscriptions).await;
            outcomes = self.ready_now(&subscriptions);
        }
        self.streams_ready(&subscriptions, &mut outcomes).await;
        let mut written = 0;
        for (subscription, outcome) in subscriptions.iter().zip(outcomes) {
            if let Some(outcome) = outcome {
                write_event(
                    &mut self.memory,
                    events + written * EVENT_SIZE,
                    subscription,
                    outcome,
                )?;
                written += 1;
            }
        }
        Ok(self.memory.write_u32(result, written)?)
    }

    fn subscription(&self, at: u32) -> P1Result<Subscription> {
        let memory = &self.memory;
        let tag = memory.read_u8(at + 8)?;
        let wait = match tag {
            0 => {
                let clock = memory.read_u32(at + 16)?;
                let timeout = memory.read_u64(at + 24)?;
                let absolute = memory.read_u16(at + 40)? & 1 != 0;
                let now = self.ctx.monotonic_clock.now();
                match (clock, absolute) {
                    (0 | 1, false) => Ok(Wait::Until(now.saturating_add(timeout))),
                    (1, true) => Ok(Wait::Until(timeout)),
                    (0, true) => {
                        let wall = u64::try_from(self.ctx.wall_clock.now().as_nanos()).unwrap_or(u64::MAX);
                        Ok(Wait::Until(now.saturating_add(timeout.saturating_sub(wall))))
                    }
                    _ => Err(Errno::INVAL),
                }
            }
            1 => Ok(Wait::Read(memory.read_u32(at + 16)?)),
            2 => Ok(Wait::Write(memory.read_u32(at + 16)?)),
            _ => return Err(Errno::INVAL.into()),
        };
        Ok(Subscription {
            userdata: memory.read_u64(at)?,
            tag,
            wait,
        })
    }

    /// What can be said without waiting for a stream: expired clocks, files, mistakes.
    fn ready_now(&mut self, subscriptions: &[Subscription]) -> Vec<Option<Outcome>> {
        let now = self.ctx.monotonic_clock.now();
        let failed = |errno| {
            Some(Outcome {
                error: Some(errno),
                nbytes: 0,
            })
        };
        let fine = |nbytes| Some(Outcome { error: None, nbytes });
        let fds = &mut *self.fds;
        let outcome = |subscription: &Subscription| match subscription.wait {
            Err(errno) => failed(errno),
            Ok(Wait::Until(at)) if at <= now => fine(0),
            Ok(Wait::Until(_)) => None,
            Ok(Wait::Read(fd)) => match fds.get(fd) {
                Ok(Fd::File(file)) => {
                    let size = file.file.metadata().map_or(0, |meta| meta.len());
                    fine(size.saturating_sub(file.position))
                }
                Ok(Fd::Input(_)) => None,
                Ok(Fd::Output(_) | Fd::Dir(_)) => failed(Errno::BADF),
                Err(errno) => failed(errno),
            },
            Ok(Wait::Write(fd)) => match fds.get(fd) {
                Ok(Fd::File(_)) => fine(1 << 16),
                Ok(Fd::Output(_)) => None,
                Ok(Fd::Input(_) | Fd::Dir(_)) => failed(Errno::BADF),
                Err(errno) => failed(errno),
            },
        };
        subscriptions.iter().map(outcome).collect()
    }

    /// Waits until the first of the subscriptions is ready.
    async fn wait(&mut self, subscriptions: &[Subscription]) {
        let deadline = subscriptions
            .iter()
            .filter_map(|s| {
                if let Ok(Wait::Until(at)) = s.wait {
                    Some(at)
                } else {
                    None
                }
            })
            .min();
        let mut timer = deadline.map(|at| Deadline::new(self.ctx.monotonic_clock.clone(), at));
        let mut waits = stream_waits(self.fds, subscriptions);
        if let Some(timer) = &mut timer {
            waits.push((u32::MAX, timer.ready()));
        }
        if !waits.is_empty() {
            first_ready(waits.into_iter().map(|(_, wait)| wait).collect()).await;
        }
    }

    /// Adds the streams that are ready, without waiting.
    async fn streams_ready(&mut self, subscriptions: &[Subscription], outcomes: &mut [Option<Outcome>]) {
        let mut waits = stream_waits(self.fds, subscriptions);
        let ready = std::future::poll_fn(|cx| {
            let ready = |wait: &mut (u32, Ready<'_>)| wait.1.as_mut().poll(cx).is_ready().then_some(wait.0);
            Poll::Ready(waits.iter_mut().filter_map(ready).collect::<HashSet<_>>())
        })
        .await;
        for (subscription, outcome) in subscriptions.iter().zip(outcomes) {
            if outcome.is_none()
                && let Ok(Wait::Read(fd) | Wait::Write(fd)) = subscription.wait
                && ready.contains(&fd)
            {
                *outcome = Some(Outcome {
                    error: None,
                    nbytes: 1,
                });
            }
        }
    }
}

/// A wait for each of the streams subscribed to, with its descriptor.
fn stream_waits<'a>(fds: &'a mut FdTable, subscriptions: &[Subscription]) -> Vec<(u32, Ready<'a>)> {
    let fd = |s: &Subscription| {
        if let Ok(Wait::Read(fd) | Wait::Write(fd)) = s.wait {
            Some(fd)
        } else {
            None
        }
    };
    let wanted: HashSet<u32> = subscriptions.iter().filter_map(fd).collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    fds.iter_mut()
        .filter(|(fd, _)| wanted.contains(fd))
        .filter_map(|(fd, entry)| {
            let wait: Ready<'a> = match entry {
                Fd::Input(input) => input.stream.ready(),
                Fd::Output(output) => output.stream.ready(),
                Fd::File(_) | Fd::Dir(_) => return None,
            };
            Some((fd, wait))
        })
        .collect()
}

fn write_event(
    memory: &mut GuestMemory<'_>,
    at: u32,
    subscription: &Subscription,
    outcome: Outcome,
) -> P1Result {
    let mut bytes = [0; EVENT_SIZE as usize];
    bytes[..8].copy_from_slice(&subscription.userdata.to_le_bytes());
    bytes[8..10].copy_from_slice(&outcome.error.map_or(0, |e| e.0).to_le_bytes());
    bytes[10] = subscription.tag;
    bytes[16..24].copy_from_slice(&outcome.nbytes.to_le_bytes());
    Ok(memory.write(at, &bytes)?)
}
