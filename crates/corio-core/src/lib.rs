//! The future and task state machine of corio: task cells, wakers, promises, joins and the cancellation tree.

#![deny(missing_docs)]
