//! A hierarchical timer wheel that is told the time and never asks.
//!
//! An event loop has many timers and one question, "how long may I sleep?", and most timers are timeouts that are
//! cancelled before they fire. A [`Wheel`] sets, cancels and moves a timer in constant time, whatever their number, and
//! still fires each at its nanosecond, in order. It reads no clock, starts no thread, and runs no code of the values
//! it stores: what comes due is handed to the caller, who may touch the wheel again at once.
//!
//! # How it works
//!
//! Near deadlines lie in fine slots, far ones in coarse slots. When time reaches a coarse slot, its timers move to finer
//! ones; those of the slot of 17 ms that time is in lie sorted in a run, from whose end they fire.
//!
//! ```text
//!  far                                                                                near
//!  level 5 ----> level 4 ----> ... ----> level 2 ----> level 1 ----> run ----+
//!  256 x 2.3 y   256 x 78 h              256 x 4.3 s   256 x 17 ms           +--> expire
//!                                                      level 0 --------------+
//!                                                      256 x 66 us
//! ```
//!
//! # Example
//!
//! The loop decides what time is. This one lets it pass without waiting.
//!
//! ```
//! use corio_timer::Wheel;
//!
//! const MS: u64 = 1_000_000;
//!
//! let mut wheel = Wheel::new();
//! wheel.insert(30 * MS, "tick");
//! let timeout = wheel.insert(50 * MS, "timeout");
//! wheel.insert(40 * MS, "tock");
//!
//! let mut seen = Vec::new();
//! while let Some(now) = wheel.next_wake() {
//!     // Here a loop sleeps until `now`.
//!     while let Some(name) = wheel.expire(now) {
//!         seen.push((now / MS, name));
//!         if name == "tock" {
//!             wheel.cancel(timeout);
//!         }
//!     }
//! }
//! assert_eq!(seen, [(30, "tick"), (40, "tock")]);
//! ```
//!
//! # Guarantees
//!
//! * Never early: a timer fires when the wheel is told its deadline or a later time, compared in nanoseconds.
//! * In order of (deadline, sequence of insertion), and each exactly once, however far time jumps.
//! * What is set while timers fire, and is already due, waits for the next round: timers that set one another cannot
//!   hold the loop. See [`Wheel::expire`].
//! * [`Wheel::insert`], [`Wheel::cancel`] and [`Wheel::reset`] take constant time, and allocate only for more timers
//!   than there ever were: 24 bytes each and the value.
//! * A key that is out of date, or made of arbitrary bits, is not found; no key is given out twice.
//!
//! One call of `expire` may have to sort a whole slot into finer ones: then its time is proportional to the number of
//! timers in that slot, the others' total being the same.
//!
//! # Modules
//!
//! | module | what is in it |
//! | --- | --- |
//! | `wheel` | [`Wheel`]: the operations of the caller, and the search for the next wake |
//! | `round` | how time passes: what moves where when, and what fires next |
//! | `geometry` | ticks, levels, slots: where a deadline belongs |
//! | `slots` | the lists of the slots and the bitmap over them |
//! | `run` | timers taken from their slot and sorted |
//! | `slab` | the entries, the free list, generations |
//! | `key` | [`TimerKey`] |
//! | `outlook` | what is known about the earliest deadline without looking |

#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod geometry;
mod key;
mod outlook;
mod round;
mod run;
mod slab;
mod slots;
mod wheel;

pub use key::TimerKey;
pub use wheel::Wheel;

/// Compiles and runs the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
