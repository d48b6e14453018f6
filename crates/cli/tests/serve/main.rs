//! `wharf serve`, from outside.

mod answers;
mod attacks;
mod http2;
mod life;
mod limits;
mod observed;
mod support;
