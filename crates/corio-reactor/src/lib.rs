//! Readiness of operating-system handles, registered once and edge-triggered, on top of polling.

#![deny(missing_docs)]
