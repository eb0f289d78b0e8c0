//! The traits of other runtimes, on the streams of this crate and on any stream with those of futures-io.
