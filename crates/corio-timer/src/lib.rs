//! A hierarchical timer wheel that is told the time and never asks.

#![deny(missing_docs)]
#![forbid(unsafe_code)]
