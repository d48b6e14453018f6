//! `wharf serve`, from outside.

mod answers;
mod attacks;
#[path = "../../../wasi-http/tests/common/authority.rs"]
mod authority;
mod bombs;
mod ends;
mod faults;
mod floods;
#[path = "../../../wasi-http/tests/common/frames.rs"]
mod frames;
mod frames2;
mod granted;
mod http2;
mod languages;
mod life;
mod limits;
mod observed;
#[path = "../../../wasi-keyvalue/tests/common/redis.rs"]
#[allow(dead_code, reason = "shared with tests that need more of it")]
mod redis;
mod reused;
mod stores;
mod support;
mod upstream;
