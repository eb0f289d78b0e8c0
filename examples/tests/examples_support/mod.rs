//! Programs, what they promise, and whether they keep it.

pub(crate) mod comparison;
pub(crate) mod process;
pub(crate) mod promises;
