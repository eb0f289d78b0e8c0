//! Programs of tasks that are read from a file and played.

#![allow(unreachable_pub, reason = "one test file uses it")]

pub mod meeting;
pub mod op;
pub mod words;
pub mod world;
