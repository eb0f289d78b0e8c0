//! Context variables: values that follow a task, its children, its callbacks.
//!
//! A context is an immutable map behind an `Arc`. A task, a callback and a done callback take a copy when they are created, by
//! cloning the `Arc`; to set a variable is to replace the map. Code that is awaited directly shares the context of its task.

use std::any::Any;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use corio_core::{ContextMap, Scheduler};

type Value = Arc<dyn Any + Send + Sync>;
type Map = BTreeMap<usize, Value>;

thread_local! {
    /// The context outside of any loop.
    static OUTSIDE: RefCell<Option<ContextMap>> = const { RefCell::new(None) };
}

/// Declares context variables.
///
/// ```
/// # use corio_runtime as corio;
/// corio::context! {
///     /// Who asked.
///     pub static REQUEST: u32 = 0;
/// }
///
/// corio::run(async {
///     REQUEST.set(7);
///     let child = corio::create_task(async { REQUEST.get() });
///     REQUEST.set(8);
///     assert_eq!(child.await.unwrap(), 7);
///     assert_eq!(REQUEST.get(), 8);
/// });
/// ```
#[macro_export]
macro_rules! context {
    ($($(#[$attribute:meta])* $visibility:vis static $name:ident: $type:ty = $init:expr);* $(;)?) => {
        $($(#[$attribute])* $visibility static $name: $crate::ContextVar<$type> =
            $crate::ContextVar::new(|| $init);)*
    };
}

/// A context variable, declared with [`context!`](crate::context!).
#[doc(alias = "contextvars")]
#[doc(alias = "task_local")]
pub struct ContextVar<T: 'static> {
    init: fn() -> T,
}

/// What a variable was before it was set, to go back to.
#[derive(Debug)]
pub struct Token<T: 'static> {
    variable: usize,
    before: Option<T>,
}

impl<T: Clone + Send + Sync + 'static> ContextVar<T> {
    /// For the macro: a variable with the value it has where nobody set it.
    #[doc(hidden)]
    pub const fn new(init: fn() -> T) -> ContextVar<T> {
        ContextVar { init }
    }

    /// The value in the current context.
    pub fn get(&'static self) -> T {
        self.find().unwrap_or_else(self.init)
    }

    /// Sets the value in the current context, from here on. The token is for who wants to go back to what it was before.
    pub fn set(&'static self, value: T) -> Token<T> {
        let before = self.find();
        self.put(Some(value));
        Token {
            variable: self.key(),
            before,
        }
    }

    /// Goes back to what the variable was before the `set` that gave the token.
    ///
    /// # Panics
    ///
    /// When the token is of another variable.
    pub fn reset(&'static self, token: Token<T>) {
        assert!(
            token.variable == self.key(),
            "this token was given by another context variable"
        );
        self.put(token.before);
    }

    /// Runs a future in which the variable has this value; around it the variable stays as it is.
    ///
    /// # Cancel safety
    ///
    /// That of the future.
    #[track_caller]
    pub fn with<F: IntoFuture>(&'static self, value: T, future: F) -> With<T, F::IntoFuture> {
        With {
            variable: self,
            value: Some(value),
            future: Box::pin(future.into_future()),
        }
    }

    fn key(&'static self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    fn find(&'static self) -> Option<T> {
        let map = current()?;
        let value = map.downcast_ref::<Map>()?.get(&self.key())?;
        value.downcast_ref::<T>().cloned()
    }

    fn put(&'static self, value: Option<T>) {
        let mut map = current()
            .and_then(|map| map.downcast_ref::<Map>().cloned())
            .unwrap_or_default();
        match value {
            Some(value) => map.insert(self.key(), Arc::new(value)),
            None => map.remove(&self.key()),
        };
        replace((!map.is_empty()).then(|| Arc::new(map) as ContextMap));
    }
}

impl<T> fmt::Debug for ContextVar<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContextVar").finish_non_exhaustive()
    }
}

/// The future of [`ContextVar::with`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct With<T: 'static, F> {
    variable: &'static ContextVar<T>,
    value: Option<T>,
    future: Pin<Box<F>>,
}

impl<T: Clone + Send + Sync + 'static, F: Future> Future for With<T, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let variable = self.variable;
        let outside = variable.find();
        variable.put(self.value.take());
        /// Puts the outer value back, also when the future panics.
        struct Back<T: Clone + Send + Sync + 'static>(&'static ContextVar<T>, Option<T>);
        impl<T: Clone + Send + Sync + 'static> Drop for Back<T> {
            fn drop(&mut self) {
                self.0.put(self.1.take());
            }
        }
        let back = Back(variable, outside);
        let polled = self.future.as_mut().poll(cx);
        let inside = variable.find();
        drop(back);
        self.value = inside;
        polled
    }
}

impl<T, F> Unpin for With<T, F> {}

impl<T, F> fmt::Debug for With<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("With").finish_non_exhaustive()
    }
}

pub(crate) fn current() -> Option<ContextMap> {
    Scheduler::with_current(|scheduler| match scheduler {
        Some(scheduler) => scheduler.context(),
        None => OUTSIDE
            .try_with(|outside| outside.borrow().clone())
            .ok()
            .flatten(),
    })
}

pub(crate) fn replace(context: Option<ContextMap>) {
    Scheduler::with_current(|scheduler| match scheduler {
        Some(scheduler) => scheduler.set_context(context),
        None => {
            let before = OUTSIDE.try_with(|outside| outside.replace(context));
            drop(before);
        }
    });
}
