//! The attributes `#[corio::main]` and `#[corio::test]`.
//!
//! # What they are for
//!
//! A program has to leave ordinary code and enter the event loop once. These attributes write that one line,
//! so that `main` and each test can be an `async fn`:
//!
//! ```text
//!  #[corio::main]                         fn main() -> R {
//!  async fn main() -> R {      becomes        async fn main() -> R { .. }
//!      ..                                     ::corio::run(main())
//!  }                                      }
//! ```
//!
//! The function keeps its name, its visibility, its doc comments and its other attributes. What it returns is what the
//! new function returns, so `?` and `return` mean what they say, and `main` may return a `Result`.
//!
//! ```
//! # mod facade {
//! # use std::{pin::pin, task::{Context, Poll, Waker}};
//! # pub fn run<F: Future>(main: F) -> F::Output {
//! # match pin!(main).poll(&mut Context::from_waker(Waker::noop())) { Poll::Ready(out) => out, Poll::Pending => panic!() }
//! # }
//! # }
//! #[corio_macros::main(crate = "facade")]
//! async fn main() -> std::io::Result<()> {
//!     let text = async { "hello" }.await;
//!     println!("{text}");
//!     Ok(())
//! }
//! ```
//!
//! # Map
//!
//! | module | what it does |
//! | --- | --- |
//! | `function` | takes the annotated item apart into the pieces of a function |
//! | `options` | reads what stands in the parentheses of the attribute |
//! | `expand` | checks the rules and puts the new function together |
//! | `error` | one message at one place, as a `compile_error!` |
//!
//! # What is promised
//!
//! - No dependency: the token trees are read by hand, so the crate costs a build next to nothing.
//! - Tokens of the body keep their spans: an error in the body points into the body.
//! - A misuse gives one message, at the place to change, and no error that merely follows from it.

#![deny(missing_docs)]
#![forbid(unsafe_code)]

extern crate proc_macro;

mod error;
mod expand;
mod function;
mod options;

use expand::Attribute;
use proc_macro::TokenStream;

/// Runs an `async fn` on an event loop of its own, as `corio::run` does.
///
/// Usually the function is `main`, but any `async fn` without arguments and generics becomes an ordinary function of the
/// same name that enters the loop, runs to the end, and returns what the `async fn` returned.
///
/// # Options
///
/// - `crate = "path"`: where the facade is, if it is not `::corio`, as in `crate = "my::corio"`.
///
/// # Panics
///
/// The written function panics as `corio::run` does: with the panic of the body, or when a loop already runs on this thread.
///
/// # Examples
///
/// ```
/// # mod facade {
/// # use std::{pin::pin, task::{Context, Poll, Waker}};
/// # pub fn run<F: Future>(main: F) -> F::Output {
/// # match pin!(main).poll(&mut Context::from_waker(Waker::noop())) { Poll::Ready(out) => out, Poll::Pending => panic!() }
/// # }
/// # }
/// #[corio_macros::main(crate = "facade")]
/// async fn main() -> Result<(), std::num::ParseIntError> {
///     let number: u32 = "42".parse()?;
///     println!("{number}");
///     Ok(())
/// }
/// ```
///
/// Only an `async fn` can be run:
///
/// ```compile_fail
/// # mod facade { pub fn run<F: Future>(_: F) -> F::Output { loop {} } }
/// #[corio_macros::main(crate = "facade")]
/// fn main() {}
/// ```
///
/// Nobody could pass it arguments or choose its generic parameters:
///
/// ```compile_fail
/// # mod facade { pub fn run<F: Future>(_: F) -> F::Output { loop {} } }
/// #[corio_macros::main(crate = "facade")]
/// async fn start(port: u16) {}
/// # fn main() {}
/// ```
///
/// ```compile_fail
/// # mod facade { pub fn run<F: Future>(_: F) -> F::Output { loop {} } }
/// #[corio_macros::main(crate = "facade")]
/// async fn start<T: Default>() {}
/// # fn main() {}
/// ```
///
/// And it has to be a function:
///
/// ```compile_fail
/// #[corio_macros::main]
/// struct Program;
/// # fn main() {}
/// ```
#[doc(alias = "entry point")]
#[doc(alias = "asyncio.run")]
#[proc_macro_attribute]
pub fn main(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(Attribute::Main, options, item)
}

/// Makes an `async fn` a `#[test]` that runs on an event loop of its own.
///
/// Attributes of ordinary tests, such as `#[should_panic]`, are kept. The function may return anything that an ordinary
/// test may return.
///
/// # Options
///
/// - `crate = "path"`: where the facade is, if it is not `::corio`.
/// - `clock = "virtual"`: the test runs on a clock that jumps to the next deadline whenever nothing else can happen. An
///   hour of `sleep` costs nothing and always takes the same time.
///
/// # Panics
///
/// The test fails, like every test, by a panic of its body; on the virtual clock also when nothing can ever run again.
///
/// # Examples
///
/// ```
/// # mod facade {
/// # use std::{pin::pin, task::{Context, Poll, Waker}};
/// # pub fn run<F: Future>(main: F) -> F::Output {
/// # match pin!(main).poll(&mut Context::from_waker(Waker::noop())) { Poll::Ready(out) => out, Poll::Pending => panic!() }
/// # }
/// # }
/// #[corio_macros::test(crate = "facade")]
/// async fn one_and_one() {
///     assert_eq!(async { 1 + 1 }.await, 2);
/// }
/// # fn main() {
/// # #[corio_macros::main(crate = "facade")] async fn entered() -> u8 { async { 2 }.await }
/// # assert_eq!(entered(), 2);
/// # }
/// ```
///
/// An option that does not exist is an error, which names those that do:
///
/// ```compile_fail
/// # mod facade { pub fn run<F: Future>(_: F) -> F::Output { loop {} } }
/// #[corio_macros::test(crate = "facade", threads = 4)]
/// async fn one_and_one() {}
/// # fn main() {}
/// ```
#[doc(alias = "IsolatedAsyncioTestCase")]
#[proc_macro_attribute]
pub fn test(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(Attribute::Test, options, item)
}
