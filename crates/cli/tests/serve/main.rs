//! `wharf serve`, from outside.

mod answers;
mod attacks;
mod faults;
mod granted;
mod http2;
mod languages;
mod life;
mod limits;
mod observed;
mod support;
mod upstream;
