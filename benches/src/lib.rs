//! Benchmarks of corio beside its peers.
