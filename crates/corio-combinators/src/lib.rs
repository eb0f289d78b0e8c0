//! gather, wait, as_completed, shield, timeouts and task groups for corio tasks.

#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod error;

pub use error::TimeoutError;
