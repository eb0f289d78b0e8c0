//! Programs of tasks that are read from a file and played, and what they log under asyncio.
//!
//! A `~` before a program says that only what each task logs is the same, and not the order among tasks; a `!`, that it only has to
//! end. The files were written by `programs.py`. `CORIO_ASYNCIO_PROGRAMS` names another one to be played.

#![allow(unreachable_pub, reason = "each test file uses it")]

pub mod calls;
pub mod futures;
pub mod handles;
pub mod meeting;
pub mod op;
pub mod recorded;
pub mod words;
pub mod world;
