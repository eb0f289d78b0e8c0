//! What a yield may be interrupted by: something thrown in, or the close.

use std::error::Error;
use std::fmt;

type Inner = Box<dyn Error + Send + Sync>;

/// What a yield point can fail with instead of being resumed with a value.
///
/// A body meets it only where it asked to, in [`try_yield`](crate::Yielder::try_yield) and
/// [`try_delegate`](crate::Yielder::try_delegate). Everywhere else it ends the body.
#[doc(alias = "GeneratorExit")]
#[derive(Debug)]
pub enum Interrupt {
    /// Somebody called `throw` with this error.
    Thrown(Thrown),
    /// Somebody called `close`: the body may finish its work, await and return, but not yield.
    Closed,
}

/// An error on its way into or out of a coroutine's body.
///
/// It holds any `Error + Send + Sync + 'static`, or a text, and prints as what it holds.
///
/// ```
/// use corio_coroutine::Thrown;
///
/// let thrown = Thrown::new(std::fmt::Error);
/// assert!(thrown.is::<std::fmt::Error>());
/// assert_eq!(Thrown::new("out of paper").to_string(), "out of paper");
/// ```
pub struct Thrown(Inner);

impl Thrown {
    /// Wraps an error, or a text. A `Thrown` is not wrapped a second time.
    pub fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        match error.into().downcast::<Thrown>() {
            Ok(thrown) => *thrown,
            Err(error) => Thrown(error),
        }
    }

    /// Whether the error inside is an `E`.
    pub fn is<E: Error + 'static>(&self) -> bool {
        self.0.is::<E>()
    }

    /// The error inside, if it is an `E`.
    pub fn downcast_ref<E: Error + 'static>(&self) -> Option<&E> {
        self.0.downcast_ref()
    }

    /// Takes the error out, if it is an `E`.
    ///
    /// # Errors
    ///
    /// Gives the whole back if it holds something else.
    pub fn downcast<E: Error + 'static>(self) -> Result<E, Thrown> {
        match self.0.downcast() {
            Ok(error) => Ok(*error),
            Err(inner) => Err(Thrown(inner)),
        }
    }

    /// Takes the error out, whatever it is.
    pub fn into_inner(self) -> Box<dyn Error + Send + Sync> {
        self.0
    }
}

impl From<Thrown> for Interrupt {
    fn from(thrown: Thrown) -> Self {
        Interrupt::Thrown(thrown)
    }
}

impl fmt::Debug for Thrown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Thrown").field(&self.0).finish()
    }
}

impl fmt::Display for Thrown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Thrown {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

impl fmt::Display for Interrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Interrupt::Thrown(thrown) => thrown.fmt(f),
            Interrupt::Closed => f.write_str("the coroutine was closed"),
        }
    }
}

impl Error for Interrupt {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Interrupt::Thrown(thrown) => thrown.source(),
            Interrupt::Closed => None,
        }
    }
}
