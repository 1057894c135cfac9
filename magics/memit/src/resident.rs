//! The resident memory of this process.

/// Resident set size of this process in bytes, code and libraries included. `None` if the system is not
/// Linux or has no `/proc`.
///
/// Takes some microseconds, with or without the feature `enabled`.
pub fn memory_usage() -> Option<u64> {
    #[cfg(target_os = "linux")]
    {
        linux::Statm::open()?.resident()
    }
    #[cfg(not(target_os = "linux"))]
    None
}

#[cfg(target_os = "linux")]
pub(crate) mod linux {
    use std::fs::File;
    use std::os::unix::fs::FileExt as _;
    use std::sync::OnceLock;

    /// The file in which the system counts the pages of this process (`proc_pid_statm(5)`).
    #[derive(Debug)]
    pub(crate) struct Statm(File);

    impl Statm {
        /// Opens the file of the calling process. A fork must open its own.
        pub(crate) fn open() -> Option<Self> {
            File::open("/proc/self/statm").ok().map(Self)
        }

        /// Resident set size in bytes. Does not allocate.
        pub(crate) fn resident(&self) -> Option<u64> {
            let mut text = [0; 128];
            let length = self.0.read_at(&mut text, 0).ok()?;
            let pages = second_number(&text[..length])?;
            pages.checked_mul(page_size())
        }
    }

    fn second_number(text: &[u8]) -> Option<u64> {
        let field = text.split(|byte| *byte == b' ').nth(1)?;
        std::str::from_utf8(field).ok()?.parse().ok()
    }

    /// Bytes of a page.
    fn page_size() -> u64 {
        static SIZE: OnceLock<u64> = OnceLock::new();
        *SIZE.get_or_init(|| from_auxiliary_vector().unwrap_or(4096))
    }

    /// The page size in the auxiliary vector: pairs of words that the system passes to each program
    /// (`getauxval(3)`).
    fn from_auxiliary_vector() -> Option<u64> {
        const AT_PAGESZ: usize = 6;
        const WORD: usize = size_of::<usize>();
        let vector = std::fs::read("/proc/self/auxv").ok()?;
        let word = |bytes: &[u8]| bytes.try_into().map(usize::from_ne_bytes).ok();
        let mut pairs = vector.chunks_exact(2 * WORD);
        let pair = pairs.find(|pair| word(&pair[..WORD]) == Some(AT_PAGESZ))?;
        word(&pair[WORD..])?.try_into().ok()
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn the_second_number_is_the_resident_pages() {
            assert_eq!(second_number(b"803 213 196 5 0 89 0\n"), Some(213));
            assert_eq!(second_number(b"803"), None);
        }

        #[test]
        fn the_system_tells_how_large_a_page_is() {
            let size = from_auxiliary_vector().unwrap();
            assert!(size.is_power_of_two() && size >= 4096, "{size}");
        }

        #[test]
        fn what_is_touched_is_resident() {
            let before = crate::memory_usage().unwrap();
            let touched = std::hint::black_box(vec![1u8; 32 << 20]);
            let after = crate::memory_usage().unwrap();
            assert!(after - before > 31 << 20, "{before} {after}");
            drop(touched);
        }
    }
}
