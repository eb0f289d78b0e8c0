//! What the two attributes make of a function.

mod fake;
mod main_runs;
mod test_runs;
