//! The traits of other libraries, on the streams of this crate and on any stream with those of futures-io.
//!
//! | feature | what there is |
//! | --- | --- |
//! | `hyper` | `hyper::rt::Read` and `Write` on the streams, `Hyper` around others, [`HyperExecutor`], [`HyperTimer`] |
//! | `tokio-io` | tokio's `AsyncRead` and `AsyncWrite` on the streams, `Tokio` around others; no runtime of tokio |

#[cfg(feature = "hyper")]
mod hyper;
#[cfg(feature = "tokio-io")]
mod tokio;

#[cfg(feature = "hyper")]
pub use self::hyper::{Hyper, HyperExecutor, HyperTimer};
#[cfg(feature = "tokio-io")]
pub use self::tokio::Tokio;
