//! Names: the same two methods on every primitive.

/// Adds `named` and `name` to a type with a field `name: Option<Rc<str>>`.
macro_rules! name_methods {
    () => {
        /// Gives the object a name, shown wherever a task is seen waiting for it.
        #[must_use]
        pub fn named(mut self, name: impl Into<std::rc::Rc<str>>) -> Self {
            self.name = Some(name.into());
            self
        }

        /// The name given with [`named`](Self::named).
        pub fn name(&self) -> Option<&str> {
            self.name.as_deref()
        }
    };
}

pub(crate) use name_methods;
