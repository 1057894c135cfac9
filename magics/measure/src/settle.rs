//! Brings a process into a state in which only the snippet changes its memory.

/// Gives free heap back to the system: free blocks that are still resident would hide memory that a
/// snippet takes.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn trim_heap() {
    // SAFETY: `malloc_trim` may be called at any time.
    unsafe { libc::malloc_trim(0) };
}

/// Maps the code that a snippet is likely to run, so that the pages do not count as the snippet's:
/// in a fork, no page of a library is mapped at first. `cell` is the path of the library that holds
/// the snippet.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn map_code(cell: &str) {
    let mut cell = cell;
    // SAFETY: the callback has the required type and does not unwind, and `cell` outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(map_library), (&raw mut cell).cast()) };
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn trim_heap() {}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn map_code(_cell: &str) {}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
unsafe extern "C" fn map_library(
    info: *mut libc::dl_phdr_info,
    _size: libc::size_t,
    cell: *mut libc::c_void,
) -> libc::c_int {
    // SAFETY: `dl_iterate_phdr` passes a valid description, and `map_code` passes a pointer to a
    // `&str`.
    let (info, cell) = unsafe { (&*info, *cell.cast::<&str>()) };
    // SAFETY: the name is a C string that lives as long as the library, which is never unloaded.
    let name = unsafe { std::ffi::CStr::from_ptr(info.dlpi_name) }.to_bytes();
    // The executable has no name here. It is large, and a snippet runs none of its code. Libraries
    // of earlier cells are many and seldom run again.
    let is_cell = name.windows(9).any(|part| part == b"/libcode_");
    if name.is_empty() || (is_cell && name != cell.as_bytes()) {
        return 0;
    }
    let page = rustix::param::page_size() as u64;
    // SAFETY: `dlpi_phdr` points to `dlpi_phnum` headers of a loaded library.
    let headers =
        unsafe { std::slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)) };
    for header in headers {
        if header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_W == 0 {
            let start = (info.dlpi_addr + header.p_vaddr) & !(page - 1);
            let end = info.dlpi_addr + header.p_vaddr + header.p_memsz;
            // SAFETY: the range is a loaded, read-only segment, and populating it changes no
            // contents. After an error (Linux before 5.14), the system maps each page at its first
            // use.
            unsafe {
                libc::madvise(
                    start as *mut libc::c_void,
                    usize::try_from(end - start).unwrap_or(0),
                    libc::MADV_POPULATE_READ,
                )
            };
        }
    }
    0
}
