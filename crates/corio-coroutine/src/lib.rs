//! Generator-style coroutines: next, send, throw, close; and async generators.

#![deny(missing_docs)]
#![forbid(unsafe_code)]
