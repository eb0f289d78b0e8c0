//! The chores of the project, as one program without dependencies.
fn main() {}
