//! Random programs that are run as they are, and with everything in the tree from the start.

#![allow(unreachable_pub, reason = "one test file uses it")]

pub mod foreign;
pub mod op;
pub mod run;
pub mod world;
