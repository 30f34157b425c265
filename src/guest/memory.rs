//! The memory of an instance. Nothing is freed: a host makes an instance for each request and throws it away
//! with all its memory. (A host that reused an instance would leak.) The newest block grows in place, so that a list that is filled takes what it holds.

#![expect(
    unsafe_code,
    reason = "an allocator hands out memory, and the C library finds its own by their names"
)]

use std::alloc::{GlobalAlloc, Layout, alloc};
use std::arch::wasm32::{memory_grow, memory_size};
use std::cell::Cell;
use std::ptr::{copy_nonoverlapping, null_mut};

#[global_allocator]
static MEMORY: Memory = Memory {
    used: Cell::new(0),
    size: Cell::new(0),
};

const PAGE: usize = 64 * 1024;

struct Memory {
    /// Where the newest block ends.
    used: Cell<usize>,
    /// Where the memory ends that the host has given.
    size: Cell<usize>,
}

// SAFETY: the module has one thread.
unsafe impl Sync for Memory {}

impl Memory {
    /// Gets a block for which there is no room yet from the host.
    #[cold]
    #[inline(never)]
    fn grow(&self, layout: Layout) -> *mut u8 {
        let end = memory_size::<0>() * PAGE;
        // At first there is nothing of ours, and who else grows the memory leaves a gap.
        if self.size.get() != end {
            self.used.set(end);
        }
        let start = self.used.get().next_multiple_of(layout.align());
        let Some(used) = start.checked_add(layout.size()) else {
            return null_mut();
        };
        if used > end && memory_grow::<0>((used - end).div_ceil(PAGE)) == usize::MAX {
            return null_mut();
        }
        self.used.set(used);
        self.size.set(memory_size::<0>() * PAGE);
        start as *mut u8
    }
}

// SAFETY: blocks do not overlap: each begins where the one before ends, or behind it.
unsafe impl GlobalAlloc for Memory {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let start = self.used.get().next_multiple_of(layout.align());
        match start.checked_add(layout.size()) {
            Some(end) if end <= self.size.get() => {
                self.used.set(end);
                start as *mut u8
            }
            _ => self.grow(layout),
        }
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let (start, used) = (block as usize, self.used.get());
        if start + layout.size() == used
            && let Some(end) = start.checked_add(size)
        {
            if end <= self.size.get() {
                self.used.set(end);
                return block;
            }
            // What is missing is a block behind it.
            let more = Layout::from_size_align(end - used, 1);
            if more.map_or(null_mut(), |more| self.grow(more)) as usize == used {
                return block;
            }
        }
        // SAFETY: the caller answers for the size and the alignment.
        let new = unsafe { self.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
        if !new.is_null() {
            // SAFETY: both blocks have at least so many bytes, and do not overlap.
            unsafe { copy_nonoverlapping(block, new, layout.size().min(size)) };
        }
        new
    }
}

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
