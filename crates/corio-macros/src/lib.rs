//! The attributes #[corio::main] and #[corio::test].

#![deny(missing_docs)]
#![forbid(unsafe_code)]
