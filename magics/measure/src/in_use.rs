//! The memory that the allocator has handed out, as the allocator itself tells.

/// Bytes that the allocator of this process has handed out; 0 if they are unknown.
#[cfg(heap_hooks)]
pub(crate) fn in_use() -> u64 {
    type Mallinfo2 = unsafe extern "C" fn() -> libc::mallinfo2;
    // The function is looked up at run time, because older versions of glibc than 2.33 lack it.
    // SAFETY: the name is a C string.
    let function = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"mallinfo2".as_ptr()) };
    // SAFETY: a function of this name has this type, and a null pointer is `None`.
    let function = unsafe { std::mem::transmute::<*mut libc::c_void, Option<Mallinfo2>>(function) };
    // SAFETY: `mallinfo2` has no preconditions.
    let info = function.map(|mallinfo2| unsafe { mallinfo2() });
    info.map_or(0, |info| info.uordblks as u64 + info.hblkhd as u64)
}

/// Always 0, because only glibc tells.
#[cfg(not(heap_hooks))]
pub(crate) fn in_use() -> u64 {
    0
}
