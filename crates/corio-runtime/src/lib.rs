//! The corio event loop: it joins the task core, the timer wheel and the reactor.

#![deny(missing_docs)]
#![forbid(unsafe_code)]
