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

/// The same for a type that shares its object: `$name` leads to a `OnceCell<Rc<str>>`.
macro_rules! shared_name_methods {
    ($($name:tt)+) => {
        /// Gives the object a name, shown wherever a task is seen waiting for it. The first name stays.
        #[must_use = "the end comes back"]
        pub fn named(self, name: impl Into<std::rc::Rc<str>>) -> Self {
            let _ = self.$($name)+.set(name.into());
            self
        }

        /// The name given with [`named`](Self::named).
        pub fn name(&self) -> Option<&str> {
            self.$($name)+.get().map(|name| &**name)
        }
    };
}

pub(crate) use name_methods;
pub(crate) use shared_name_methods;
