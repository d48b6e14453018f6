//! `wasi:io/streams`.

use super::bindings::wasi::io::streams;
use super::poll::{DynPollable, subscribe};
use crate::ctx::WasiCtxView;
use crate::stream::{
    DynInputStream, DynOutputStream, MAX_BLOCKING_WRITE, MAX_CHUNK, StreamError, StreamResult,
};
use wharf::Result;
use wharf::component::{Resource, ResourceTable, ResourceTableError};

impl From<ResourceTableError> for StreamError {
    fn from(error: ResourceTableError) -> StreamError {
        StreamError::Trap(error.into())
    }
}

/// The length that a guest asks for, bounded.
fn chunk(len: u64) -> usize {
    usize::try_from(len).unwrap_or(usize::MAX).min(MAX_CHUNK)
}

/// Traps unless the stream takes `len` bytes now, which the guest has to find out first.
fn check_permit(stream: &mut DynOutputStream, len: u64) -> StreamResult<()> {
    let permit = stream.check_write()?;
    if len <= permit as u64 {
        Ok(())
    } else {
        Err(StreamError::trap(&format!(
            "a write of {len} bytes where check-write permits {permit}"
        )))
    }
}

impl streams::Host for WasiCtxView<'_> {
    fn convert_stream_error(&mut self, error: StreamError) -> Result<streams::StreamError> {
        match error {
            StreamError::Closed => Ok(streams::StreamError::Closed),
            StreamError::LastOperationFailed(error) => {
                Ok(streams::StreamError::LastOperationFailed(self.table.push(error)?))
            }
            StreamError::Trap(error) => Err(error),
        }
    }
}

impl streams::HostInputStream for WasiCtxView<'_> {
    fn read(&mut self, stream: Resource<DynInputStream>, len: u64) -> StreamResult<Vec<u8>> {
        Ok(self.table.get_mut(&stream)?.read(chunk(len))?.into())
    }

    async fn blocking_read(&mut self, stream: Resource<DynInputStream>, len: u64) -> StreamResult<Vec<u8>> {
        Ok(self
            .table
            .get_mut(&stream)?
            .blocking_read(chunk(len))
            .await?
            .into())
    }

    fn skip(&mut self, stream: Resource<DynInputStream>, len: u64) -> StreamResult<u64> {
        Ok(self.table.get_mut(&stream)?.skip(chunk(len))? as u64)
    }

    async fn blocking_skip(&mut self, stream: Resource<DynInputStream>, len: u64) -> StreamResult<u64> {
        Ok(self.table.get_mut(&stream)?.blocking_skip(chunk(len)).await? as u64)
    }

    fn subscribe(&mut self, stream: Resource<DynInputStream>) -> Result<Resource<DynPollable>> {
        subscribe(self.table, stream)
    }

    fn drop(&mut self, stream: Resource<DynInputStream>) -> Result<()> {
        self.table.delete(stream)?;
        Ok(())
    }
}

impl streams::HostOutputStream for WasiCtxView<'_> {
    fn check_write(&mut self, stream: Resource<DynOutputStream>) -> StreamResult<u64> {
        Ok(self.table.get_mut(&stream)?.check_write()? as u64)
    }

    fn write(&mut self, stream: Resource<DynOutputStream>, contents: Vec<u8>) -> StreamResult<()> {
        let stream = self.table.get_mut(&stream)?;
        check_permit(stream, contents.len() as u64)?;
        stream.write(contents.into())
    }

    async fn blocking_write_and_flush(
        &mut self,
        stream: Resource<DynOutputStream>,
        contents: Vec<u8>,
    ) -> StreamResult<()> {
        let stream = self.table.get_mut(&stream)?;
        if contents.len() > MAX_BLOCKING_WRITE {
            return Err(StreamError::trap(
                "blocking-write-and-flush takes at most 4096 bytes",
            ));
        }
        stream.blocking_write_and_flush(contents.into()).await
    }

    fn flush(&mut self, stream: Resource<DynOutputStream>) -> StreamResult<()> {
        self.table.get_mut(&stream)?.flush()
    }

    async fn blocking_flush(&mut self, stream: Resource<DynOutputStream>) -> StreamResult<()> {
        self.table.get_mut(&stream)?.blocking_flush().await
    }

    fn subscribe(&mut self, stream: Resource<DynOutputStream>) -> Result<Resource<DynPollable>> {
        subscribe(self.table, stream)
    }

    fn write_zeroes(&mut self, stream: Resource<DynOutputStream>, len: u64) -> StreamResult<()> {
        let stream = self.table.get_mut(&stream)?;
        check_permit(stream, len)?;
        // What is permitted fits.
        stream.write_zeroes(usize::try_from(len).unwrap_or(usize::MAX))
    }

    async fn blocking_write_zeroes_and_flush(
        &mut self,
        stream: Resource<DynOutputStream>,
        len: u64,
    ) -> StreamResult<()> {
        let stream = self.table.get_mut(&stream)?;
        match usize::try_from(len) {
            Ok(len) if len <= MAX_BLOCKING_WRITE => stream.blocking_write_zeroes_and_flush(len).await,
            _ => Err(StreamError::trap(
                "blocking-write-zeroes-and-flush takes at most 4096 bytes",
            )),
        }
    }

    fn splice(
        &mut self,
        stream: Resource<DynOutputStream>,
        src: Resource<DynInputStream>,
        len: u64,
    ) -> StreamResult<u64> {
        let permit = self.table.get_mut(&stream)?.check_write()?;
        splice_up_to(self.table, &stream, &src, permit.min(chunk(len)))
    }

    async fn blocking_splice(
        &mut self,
        stream: Resource<DynOutputStream>,
        src: Resource<DynInputStream>,
        len: u64,
    ) -> StreamResult<u64> {
        let permit = self.table.get_mut(&stream)?.write_ready().await?;
        crate::poll::Pollable::ready(self.table.get_mut(&src)?).await;
        splice_up_to(self.table, &stream, &src, permit.min(chunk(len)))
    }

    fn drop(&mut self, stream: Resource<DynOutputStream>) -> Result<()> {
        self.table.delete(stream)?;
        Ok(())
    }
}

/// Moves what can be read without waiting, at most `len` bytes, which must be permitted.
fn splice_up_to(
    table: &mut ResourceTable,
    stream: &Resource<DynOutputStream>,
    src: &Resource<DynInputStream>,
    len: usize,
) -> StreamResult<u64> {
    // Even if nothing can be moved: the end of the source, or its failure, is told.
    let bytes = table.get_mut(src)?.read(len)?;
    let moved = bytes.len() as u64;
    if moved > 0 {
        table.get_mut(stream)?.write(bytes)?;
    }
    Ok(moved)
}

#[cfg(test)]
mod tests {
    use super::streams::{Host as _, HostInputStream as _, HostOutputStream as _};
    use super::*;
    use crate::pipe::{ClosedInputStream, MemoryInputPipe, MemoryOutputPipe};
    use crate::test_util::now;

    struct Streams {
        table: ResourceTable,
        ctx: crate::WasiCtx,
        src: u32,
        dst: u32,
        out: MemoryOutputPipe,
    }

    impl Streams {
        fn new(input: &'static str, capacity: usize) -> Streams {
            let mut table = ResourceTable::new();
            let out = MemoryOutputPipe::new(capacity);
            let src = table
                .push(Box::new(MemoryInputPipe::new(input)) as DynInputStream)
                .unwrap()
                .rep();
            let dst = table
                .push(Box::new(out.clone()) as DynOutputStream)
                .unwrap()
                .rep();
            Streams {
                table,
                ctx: crate::WasiCtx::builder().build(),
                src,
                dst,
                out,
            }
        }
        fn view(&mut self) -> WasiCtxView<'_> {
            WasiCtxView {
                ctx: &mut self.ctx,
                table: &mut self.table,
            }
        }
        fn src(&self) -> Resource<DynInputStream> {
            Resource::new_borrow(self.src)
        }
        fn dst(&self) -> Resource<DynOutputStream> {
            Resource::new_borrow(self.dst)
        }
    }

    #[test]
    fn splicing_respects_both_sides() {
        let mut s = Streams::new("hello world", 7);
        let (src, dst) = (s.src(), s.dst());
        assert_eq!(s.view().splice(dst, src, 5).unwrap(), 5);
        let (src, dst) = (s.src(), s.dst());
        assert_eq!(now(s.view().blocking_splice(dst, src, u64::MAX)).unwrap(), 2);
        assert_eq!(s.out.contents(), "hello w");
        let (src, dst) = (s.src(), s.dst());
        assert!(matches!(s.view().splice(dst, src, 1), Err(StreamError::Closed)));
        let src = s.src();
        assert_eq!(s.view().read(src, u64::MAX).unwrap(), b"orld");
        let src = s.src();
        assert!(matches!(s.view().skip(src, 1), Err(StreamError::Closed)));
    }

    /// Takes four bytes, and four again each time that it is waited for.
    struct Narrow {
        room: usize,
        out: MemoryOutputPipe,
    }

    #[async_trait::async_trait]
    impl crate::Pollable for Narrow {
        async fn ready(&mut self) {
            self.room = 4;
        }
    }

    impl crate::OutputStream for Narrow {
        fn write(&mut self, bytes: bytes::Bytes) -> StreamResult<()> {
            self.room -= bytes.len();
            self.out.write(bytes)
        }
        fn flush(&mut self) -> StreamResult<()> {
            Ok(())
        }
        fn check_write(&mut self) -> StreamResult<usize> {
            Ok(self.room)
        }
    }

    #[test]
    fn splicing_waits_for_room() {
        use crate::OutputStream as _;
        let mut s = Streams::new("hello world", 100);
        let out = s.out.clone();
        let narrow = Box::new(Narrow { room: 0, out }) as DynOutputStream;
        let dst = s.table.push(narrow).unwrap().rep();
        let dst = || Resource::<DynOutputStream>::new_borrow(dst);
        let src = s.src();
        assert_eq!(s.view().splice(dst(), src, 100).unwrap(), 0);
        for (moved, contents) in [(4, "hell"), (4, "hello wo"), (3, "hello world")] {
            let src = s.src();
            assert_eq!(now(s.view().blocking_splice(dst(), src, 100)).unwrap(), moved);
            assert_eq!(s.out.contents(), contents);
        }
        // The end of the source is told even if nothing would be moved.
        for len in [0, 1] {
            let src = s.src();
            assert!(matches!(
                s.view().splice(dst(), src, len),
                Err(StreamError::Closed)
            ));
        }
        assert_eq!(s.out.check_write().unwrap(), 89);
    }

    #[test]
    fn writing_more_than_permitted_traps() {
        let mut s = Streams::new("", 10);
        let dst = s.dst();
        assert!(matches!(
            s.view().write(dst, vec![0; 11]),
            Err(StreamError::Trap(_))
        ));
        let dst = s.dst();
        assert!(matches!(
            s.view().write_zeroes(dst, u64::MAX),
            Err(StreamError::Trap(_))
        ));
        let dst = s.dst();
        assert!(matches!(
            now(s.view().blocking_write_and_flush(dst, vec![0; 4097])),
            Err(StreamError::Trap(_))
        ));
        let dst = s.dst();
        assert!(matches!(
            now(s.view().blocking_write_zeroes_and_flush(dst, 4097)),
            Err(StreamError::Trap(_))
        ));
        let dst = s.dst();
        s.view().write_zeroes(dst, 3).unwrap();
        let dst = s.dst();
        now(s.view().blocking_write_and_flush(dst, b"ab".to_vec())).unwrap();
        assert_eq!(s.out.contents(), &b"\0\0\0ab"[..]);
        let dst = s.dst();
        assert_eq!(s.view().check_write(dst).unwrap(), 5);
    }

    #[test]
    fn errors_become_values_or_traps() {
        let mut s = Streams::new("", 1);
        let mut view = s.view();
        assert!(matches!(
            view.convert_stream_error(StreamError::Closed),
            Ok(streams::StreamError::Closed)
        ));
        let failed = StreamError::from(std::io::Error::other("reason"));
        let Ok(streams::StreamError::LastOperationFailed(error)) = view.convert_stream_error(failed) else {
            panic!()
        };
        let text =
            super::super::bindings::wasi::io::error::HostError::to_debug_string(&mut view, error).unwrap();
        assert!(text.contains("reason"), "{text}");
        assert!(view.convert_stream_error(StreamError::trap("x")).is_err());
        let closed = view
            .table
            .push(Box::new(ClosedInputStream) as DynInputStream)
            .unwrap();
        assert!(matches!(
            now(view.blocking_read(closed, 1)),
            Err(StreamError::Closed)
        ));
    }
}
