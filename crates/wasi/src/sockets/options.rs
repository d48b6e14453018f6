//! Socket options: from what a guest may ask for to what the system takes.

use super::address::IpFamily;
use super::error::SocketErrorCode;
use super::os::Fd;
use std::time::Duration;

/// The longest times and the largest number for keep-alive probes that Linux takes.
const MAX_KEEP_TIME: u64 = 32767;
const MAX_KEEP_COUNT: u32 = 127;

/// Linux accounts for twice the size that was asked for, and tells the double.
const ACCOUNTED: usize = if cfg!(target_os = "linux") { 2 } else { 1 };

type Result<T> = std::result::Result<T, SocketErrorCode>;

/// Zero is refused everywhere.
fn positive<T: Default + PartialEq>(value: T) -> Result<T> {
    if value == T::default() {
        return Err(SocketErrorCode::InvalidArgument);
    }
    Ok(value)
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Nanoseconds as whole seconds, rounded up, within what the system takes.
fn seconds(nanos: u64) -> Result<Duration> {
    let seconds = positive(nanos)?.div_ceil(1_000_000_000);
    Ok(Duration::from_secs(seconds.min(MAX_KEEP_TIME)))
}

fn buffer_size(size: u64) -> Result<usize> {
    let most = i32::MAX as usize / ACCOUNTED;
    Ok(usize::try_from(positive(size)?).unwrap_or(most).min(most))
}

impl Fd {
    /// `keep-alive-idle-time`, in nanoseconds.
    pub(crate) fn keep_alive_idle_time(&self) -> Result<u64> {
        Ok(nanos(self.keep_idle()?))
    }

    pub(crate) fn set_keep_alive_idle_time(&self, value: u64) -> Result<()> {
        Ok(self.set_keep_idle(seconds(value)?)?)
    }

    /// `keep-alive-interval`, in nanoseconds.
    pub(crate) fn keep_alive_interval(&self) -> Result<u64> {
        Ok(nanos(self.keep_interval()?))
    }

    pub(crate) fn set_keep_alive_interval(&self, value: u64) -> Result<()> {
        Ok(self.set_keep_interval(seconds(value)?)?)
    }

    pub(crate) fn set_keep_alive_count(&self, value: u32) -> Result<()> {
        Ok(self.set_keep_count(positive(value)?.min(MAX_KEEP_COUNT))?)
    }

    /// `hop-limit` and `unicast-hop-limit`.
    pub(crate) fn set_hops(&self, family: IpFamily, value: u8) -> Result<()> {
        Ok(self.set_hop_limit(family, positive(value)?)?)
    }

    pub(crate) fn receive_buffer_size(&self) -> Result<u64> {
        Ok((self.recv_buffer()? / ACCOUNTED) as u64)
    }

    pub(crate) fn set_receive_buffer_size(&self, value: u64) -> Result<()> {
        Ok(self.set_recv_buffer(buffer_size(value)?)?)
    }

    pub(crate) fn send_buffer_size(&self) -> Result<u64> {
        Ok((self.send_buffer()? / ACCOUNTED) as u64)
    }

    pub(crate) fn set_send_buffer_size(&self, value: u64) -> Result<()> {
        Ok(self.set_send_buffer(buffer_size(value)?)?)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::sockets::grants::NetCtx;

    fn sockets() -> Vec<(Fd, IpFamily)> {
        let permit = || NetCtx::default().socket_permit().unwrap();
        let mut all = vec![(Fd::tcp(IpFamily::V4, permit()).unwrap(), IpFamily::V4)];
        // There are machines without IPv6.
        all.extend(Fd::tcp(IpFamily::V6, permit()).map(|fd| (fd, IpFamily::V6)));
        all
    }

    #[test]
    fn zero_is_refused() {
        for (fd, family) in sockets() {
            let invalid = Err(SocketErrorCode::InvalidArgument);
            assert_eq!(fd.set_keep_alive_idle_time(0), invalid);
            assert_eq!(fd.set_keep_alive_interval(0), invalid);
            assert_eq!(fd.set_keep_alive_count(0), invalid);
            assert_eq!(fd.set_hops(family, 0), invalid);
            assert_eq!(fd.set_receive_buffer_size(0), invalid);
            assert_eq!(fd.set_send_buffer_size(0), invalid);
        }
    }

    #[test]
    fn values_are_rounded_and_clamped_but_never_refused() {
        for (fd, family) in sockets() {
            for value in [1, 1_000_000_001, u64::MAX] {
                fd.set_keep_alive_idle_time(value).unwrap();
                fd.set_keep_alive_interval(value).unwrap();
                fd.set_receive_buffer_size(value).unwrap();
                fd.set_send_buffer_size(value).unwrap();
                assert!(fd.receive_buffer_size().unwrap() > 0 && fd.send_buffer_size().unwrap() > 0);
            }
            fd.set_keep_alive_idle_time(1_000_000_001).unwrap();
            assert_eq!(fd.keep_alive_idle_time(), Ok(2_000_000_000));
            for value in [1, u32::MAX] {
                fd.set_keep_alive_count(value).unwrap();
            }
            for value in [1, 64, 255] {
                fd.set_hops(family, value).unwrap();
                assert_eq!(fd.hop_limit(family).unwrap(), value);
            }
            fd.set_receive_buffer_size(0x10000).unwrap();
            assert_eq!(fd.receive_buffer_size(), Ok(0x10000));
            fd.set_send_buffer_size(0x10000).unwrap();
            assert_eq!(fd.send_buffer_size(), Ok(0x10000));
        }
    }
}
