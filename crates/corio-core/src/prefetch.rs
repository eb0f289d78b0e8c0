//! Asking for memory before it is needed.
//!
//! A hundred thousand tasks do not fit into any cache. What costs most about the step of one of them is then to wait for its first
//! line; asked for some steps ahead, it is there in time. A prefetch is a hint: it reads nothing, and any address is good enough.

/// Asks for the first two lines of a cell: the header and the beginning of the future.
#[inline(always)]
pub(crate) fn cell<T>(address: *const T) {
    line(address);
    line(address.wrapping_byte_add(64));
}

/// Asks for the line that holds this address.
#[inline(always)]
pub(crate) fn line<T>(address: *const T) {
    #[cfg(all(target_arch = "x86_64", target_feature = "sse", not(miri)))]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch does not access memory, so any address will do.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) };
    }
    #[cfg(not(all(target_arch = "x86_64", target_feature = "sse", not(miri))))]
    let _ = address;
}
