//! The memory of an instance. Nothing is freed: a host makes an instance for each request and throws it away
//! with all its memory.

#![expect(
    unsafe_code,
    reason = "an allocator hands out memory, and the C library finds its own by their names"
)]

use std::alloc::{Layout, alloc};
use std::ptr::null_mut;

use lol_alloc::{AssumeSingleThreaded, LeakingAllocator};

// SAFETY: the module has one thread.
#[global_allocator]
static MEMORY: AssumeSingleThreaded<LeakingAllocator> =
    unsafe { AssumeSingleThreaded::new(LeakingAllocator::new()) };

/// What C aligns memory to.
const ALIGNMENT: usize = 16;

// The standard library asks the C library of WASI for memory when it sets up a thread and when it says
// where it panicked. Without these three that brings along an allocator of its own, eight kilobytes. Nothing
// asks for more than these: `realloc` would bring that allocator back.

#[unsafe(no_mangle)]
extern "C" fn malloc(size: usize) -> *mut u8 {
    match Layout::from_size_align(size.max(1), ALIGNMENT) {
        // SAFETY: the size is not zero.
        Ok(layout) => unsafe { alloc(layout) },
        Err(_) => null_mut(),
    }
}

#[unsafe(no_mangle)]
extern "C" fn calloc(count: usize, size: usize) -> *mut u8 {
    // What has never been used is zero.
    count
        .checked_mul(size)
        .map_or(null_mut(), |size| malloc(size))
}

#[unsafe(no_mangle)]
const extern "C" fn free(_: *mut u8) {}
