//! Waiting: the trait behind the `pollable` resource.

use async_trait::async_trait;

/// Something that can be waited for.
#[async_trait]
pub trait Pollable: Send + 'static {
    /// Completes when the thing waited for is the case. Dropping the future before it completes loses nothing, and
    /// once complete it stays so until the owner of the pollable does something with it.
    async fn ready(&mut self);
}
