//! How a guard or a future holds on to its object: borrowed, or shared through an `Rc`.

use std::ops::Deref;
use std::rc::Rc;

/// A reference for `'a`, or a share of the object, which fits any `'a`.
pub(crate) enum Handle<'a, L> {
    Borrowed(&'a L),
    Shared(Rc<L>),
}

impl<L> Clone for Handle<'_, L> {
    #[inline]
    fn clone(&self) -> Self {
        match self {
            Handle::Borrowed(object) => Handle::Borrowed(object),
            Handle::Shared(object) => Handle::Shared(Rc::clone(object)),
        }
    }
}

impl<L> Deref for Handle<'_, L> {
    type Target = L;

    #[inline]
    fn deref(&self) -> &L {
        match self {
            Handle::Borrowed(object) => object,
            Handle::Shared(object) => object,
        }
    }
}
