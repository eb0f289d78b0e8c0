//! asyncio for Rust: one event loop, and tasks that you can name, await, cancel and look inside.

#![deny(missing_docs)]
#![forbid(unsafe_code)]
