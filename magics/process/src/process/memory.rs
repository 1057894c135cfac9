//! The memory of a process, as files of `/proc` tell it.
//!
//! memit counts as psutil does:
//!
//! | size | pages | read from |
//! |---|---|---|
//! | RSS, resident set size | in memory, whoever else has them | `statm`, or `VmRSS` of `status` |
//! | PSS, proportional set size | as RSS, but a page of n processes counts 1/n | `Pss` of `smaps_rollup` |
//! | USS, unique set size | that no other process has | `Private_Clean`, `Private_Dirty` and `Private_Hugetlb` of `smaps_rollup` |
//!
//! Linux counts the huge pages of hugetlbfs neither in RSS nor in PSS, so that USS alone contains
//! them. Transparent huge pages are in all three.
//!
//! Each file is opened once and read as often as wanted. Reading allocates nothing, takes no lock
//! and calls nothing but `pread`: it may be done in a heap hook, in a signal handler and between
//! `fork` and `exec`. A file belongs to the process that it was opened for, not to the number: once
//! the process is gone, reading is an error, even if another process has the number by then. A fork
//! needs files of its own.

use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::AsFd;

use super::text::{bytes, kibibytes, number, numbers, read};

/// Sizes in pages (`proc_pid_statm(5)`). Takes a fifth of the time that [`StatusFile`] takes.
#[derive(Debug)]
pub struct StatmFile {
    file: File,
    page: u64,
}

impl StatmFile {
    /// Opens the file of the process `pid`.
    pub fn of(pid: u32) -> io::Result<Self> {
        Self::open(&format!("/proc/{pid}/statm"))
    }

    /// Opens the file of the calling process.
    pub fn of_this_process() -> io::Result<Self> {
        Self::open("/proc/self/statm")
    }

    fn open(path: &str) -> io::Result<Self> {
        Ok(Self {
            file: File::open(path)?,
            page: rustix::param::page_size() as u64,
        })
    }

    /// Resident set size in bytes. `None` if the process has no memory: it has ended and nobody has
    /// waited for it, or it is a thread of the kernel.
    ///
    /// # Errors
    ///
    /// If the process is gone.
    pub fn resident(&self) -> io::Result<Option<u64>> {
        let mut room = [MaybeUninit::uninit(); 128];
        let pages = resident_pages(read(&self.file, &mut room)?);
        Ok(pages.map(|pages| pages * self.page))
    }
}

/// What `status` tells (`proc_pid_status(5)`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Status {
    /// Resident set size in bytes. `None` if the process has no memory: it has ended and nobody has
    /// waited for it, or it is a thread of the kernel.
    pub resident: Option<u64>,
    /// Highest resident set size in bytes since the process got its memory by `fork` or `exec`, or
    /// since the mark was reset.
    pub peak: Option<u64>,
    /// Number of threads.
    pub threads: Option<u32>,
}

impl Status {
    fn parse(text: &[u8]) -> Self {
        let [peak, resident, threads] = numbers(text, [b"VmHWM:", b"VmRSS:", b"Threads:"]);
        Self {
            resident: resident.map(bytes),
            peak: peak.map(bytes),
            threads: threads.and_then(|threads| threads.try_into().ok()),
        }
    }
}

/// The file of a [`Status`].
#[derive(Debug)]
pub struct StatusFile(File);

impl StatusFile {
    /// Opens the file of the process `pid`.
    pub fn of(pid: u32) -> io::Result<Self> {
        File::open(format!("/proc/{pid}/status")).map(Self)
    }

    /// Opens the file of the calling process.
    pub fn of_this_process() -> io::Result<Self> {
        File::open("/proc/self/status").map(Self)
    }

    /// Reads the file.
    ///
    /// # Errors
    ///
    /// If the process is gone.
    pub fn read(&self) -> io::Result<Status> {
        Self::read_from(&self.0)
    }

    /// Reads a file that somebody else keeps open, as for a heap hook that only knows a descriptor.
    ///
    /// # Errors
    ///
    /// If the process is gone.
    pub fn read_from(file: impl AsFd) -> io::Result<Status> {
        // What does not find room lists processors, and grows with their number.
        let mut room = [MaybeUninit::uninit(); 4096];
        Ok(Status::parse(read(file, &mut room)?))
    }
}

impl AsFd for StatusFile {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// What `smaps_rollup` tells (`proc_pid_smaps(5)`), in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Smaps {
    /// Proportional set size.
    pub pss: u64,
    /// Unique set size, the only size that contains huge pages of hugetlbfs.
    pub uss: u64,
}

impl Smaps {
    /// `None` if `text` is of a process that has no memory.
    fn parse(text: &[u8]) -> Option<Self> {
        let [pss, clean, dirty, huge] = numbers(
            text,
            [
                b"Pss:",
                b"Private_Clean:",
                b"Private_Dirty:",
                b"Private_Hugetlb:",
            ],
        );
        let private = [clean, dirty, huge].into_iter().flatten();
        Some(Self {
            pss: bytes(pss?),
            uss: private.map(bytes).fold(0, u64::saturating_add),
        })
    }
}

/// The file of [`Smaps`]. Reading takes a time that grows with the memory of the process.
///
/// Unlike the other files, it belongs to the memory that the process had when it was opened: after
/// an `exec` it has nothing to tell, and must be opened again.
#[derive(Debug)]
pub struct SmapsFile(File);

impl SmapsFile {
    /// Opens the file of the process `pid`.
    pub fn of(pid: u32) -> io::Result<Self> {
        File::open(format!("/proc/{pid}/smaps_rollup")).map(Self)
    }

    /// Opens the file of the calling process.
    pub fn of_this_process() -> io::Result<Self> {
        File::open("/proc/self/smaps_rollup").map(Self)
    }

    /// Reads the file. `None` if the memory is gone.
    ///
    /// # Errors
    ///
    /// If the process is gone.
    pub fn read(&self) -> io::Result<Option<Smaps>> {
        let mut room = [MaybeUninit::uninit(); 2048];
        Ok(Smaps::parse(read(&self.0, &mut room)?))
    }
}

/// Threads of the process `pid`; `None` if it is gone or the system has no `/proc`.
pub fn threads(pid: u32) -> Option<u32> {
    StatusFile::of(pid).ok()?.read().ok()?.threads
}

/// Size of all mappings of the process `pid` in bytes, whether they are in memory or not; `None` if it
/// has ended.
pub fn mapped(pid: u32) -> Option<u64> {
    let statm = std::fs::read(format!("/proc/{pid}/statm")).ok()?;
    let pages = number(&statm)?;
    pages.checked_mul(rustix::param::page_size() as u64)
}

/// Resident set size of the process `pid` in bytes; `None` if it has ended.
pub fn resident(pid: u32) -> Option<u64> {
    StatmFile::of(pid).ok()?.resident().ok()?
}

/// Highest resident set size of the process `pid` in bytes, see [`Status::peak`].
pub fn peak_resident(pid: u32) -> Option<u64> {
    StatusFile::of(pid).ok()?.read().ok()?.peak
}

/// Proportional set size of the process `pid` in bytes.
pub fn proportional(pid: u32) -> Option<u64> {
    let smaps = SmapsFile::of(pid).ok()?.read().ok()??;
    Some(smaps.pss)
}

/// How many times the process `pid` has got a page without reading a file: a page that is new to the process,
/// or its own copy of a page that another process has too. `None` if the process is gone.
pub fn faults(pid: u32) -> Option<u64> {
    minor_faults(&std::fs::read(format!("/proc/{pid}/stat")).ok()?)
}

/// Whether a program gets more than one page at a time without asking for this.
pub fn are_pages_huge() -> bool {
    const DIRECTORY: &str = "/sys/kernel/mm/transparent_hugepage";
    let sizes = std::fs::read_dir(DIRECTORY).into_iter().flatten().flatten();
    let settings = sizes.map(|size| size.path()).chain([DIRECTORY.into()]);
    let settings = settings.filter_map(|path| std::fs::read_to_string(path.join("enabled")).ok());
    settings
        .into_iter()
        .any(|setting| setting.contains("[always]"))
}

/// Memory in bytes that programs could get without swapping; unlimited if the system does not say.
pub fn available_memory() -> u64 {
    let text = std::fs::read("/proc/meminfo").unwrap_or_default();
    kibibytes(&text, b"MemAvailable:").unwrap_or(u64::MAX)
}

/// The tenth field of `stat`. The second is a name in parentheses, which may contain anything.
fn minor_faults(stat: &[u8]) -> Option<u64> {
    let name_end = stat.iter().rposition(|byte| *byte == b')')?;
    let mut fields = stat[name_end..].split(|byte| *byte == b' ');
    number(fields.nth(8)?)
}

/// The second number of `statm`; nothing if the first, the size of all mappings, is 0.
fn resident_pages(statm: &[u8]) -> Option<u64> {
    let mut numbers = statm.split(|byte| *byte == b' ').map(number);
    let mapped = numbers.next()??;
    let resident = numbers.next()??;
    (mapped > 0).then_some(resident)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_status_has_the_sizes_and_the_threads() {
        let text = b"Name:\tmemit\nVmPeak:\t  99999 kB\nVmHWM:\t   12345 kB\nVmRSS:\t    1000 kB\n\
            RssAnon:\t     900 kB\nThreads:\t7\nSigQ:\t0/63434\n";
        let status = Status::parse(text);
        assert_eq!(status.peak, Some(12345 << 10));
        assert_eq!(status.resident, Some(1000 << 10));
        assert_eq!(status.threads, Some(7));
    }

    #[test]
    fn a_process_without_memory_has_a_status_without_sizes() {
        let status = Status::parse(b"Name:\tsleep\nState:\tZ (zombie)\nThreads:\t1\n");
        assert_eq!((status.resident, status.peak), (None, None));
        assert_eq!(status.threads, Some(1));
        assert_eq!(resident_pages(b"0 0 0 0 0 0 0\n"), None);
        assert_eq!(Smaps::parse(b""), None);
    }

    #[test]
    fn the_second_number_of_statm_is_the_resident_pages() {
        assert_eq!(resident_pages(b"803 213 196 5 0 89 0\n"), Some(213));
        assert_eq!(resident_pages(b"803"), None);
        assert_eq!(resident_pages(b"803 x"), None);
    }

    #[test]
    fn faults_are_found_behind_any_name() {
        let stat = b"4242 (a ) 7 b) S 1 4242 4242 0 -1 4194304 321 12 3 0 5 6 7 8 20 0 1 0 99\n";
        assert_eq!(minor_faults(stat), Some(321));
        assert_eq!(minor_faults(b"4242 (a) S 1 4242"), None);
    }

    #[test]
    fn huge_pages_of_hugetlbfs_are_unique_but_not_proportional() {
        let text = b"55d0a8a00000-7fff2b1fe000 ---p 00000000 00:00 0    [rollup]\n\
            Rss:                5000 kB\nPss:                3000 kB\nPss_Dirty:          2900 kB\n\
            Shared_Clean:       1000 kB\nPrivate_Clean:       100 kB\nPrivate_Dirty:      2000 kB\n\
            Shared_Hugetlb:     8192 kB\nPrivate_Hugetlb:    4096 kB\nSwap:                  0 kB\n";
        let smaps = Smaps::parse(text).unwrap();
        assert_eq!(smaps.pss, 3000 << 10);
        assert_eq!(smaps.uss, (100 + 2000 + 4096) << 10);
    }

    proptest! {
        #[test]
        fn no_text_breaks_a_reader(text: Vec<u8>) {
            let _ = (Status::parse(&text), Smaps::parse(&text), resident_pages(&text), minor_faults(&text));
        }

        #[test]
        fn other_lines_and_the_order_do_not_matter(
            (peak, resident, threads) in (0..1_u64 << 40, 0..1_u64 << 40, 1..1_u32 << 20),
            others in prop::collection::vec("[A-U][a-z_]{1,12}:\t[ -~]{0,20}\n", 0..20),
            places in prop::array::uniform3(any::<prop::sample::Index>()),
        ) {
            let mut lines = others;
            let known = [
                format!("VmHWM:\t{peak:8} kB\n"),
                format!("VmRSS:\t{resident:8} kB\n"),
                format!("Threads:\t{threads}\n"),
            ];
            for (line, place) in known.into_iter().zip(places) {
                lines.insert(place.index(lines.len() + 1), line);
            }
            let status = Status::parse(lines.concat().as_bytes());
            prop_assert_eq!(status.peak, Some(peak << 10));
            prop_assert_eq!(status.resident, Some(resident << 10));
            prop_assert_eq!(status.threads, Some(threads));
        }

        #[test]
        fn no_torn_text_has_larger_numbers(length in 0_usize..120) {
            let text = b"VmHWM:\t   12345 kB\nVmRSS:\t    1000 kB\nThreads:\t7\n";
            let status = Status::parse(&text[..length.min(text.len())]);
            prop_assert!(status.peak.unwrap_or(0) <= 12345 << 10);
            prop_assert!(status.resident.unwrap_or(0) <= 1000 << 10);
        }
    }

    #[cfg(target_os = "linux")]
    mod linux {
        use std::process::{Child, Command};

        use super::super::*;

        /// A process whose peak, unlike our own, no other test resets meanwhile.
        fn with_child(look: impl FnOnce(&Child)) {
            let mut child = Command::new("sleep").arg("60").spawn().unwrap();
            look(&child);
            child.kill().unwrap();
            child.wait().unwrap();
        }

        #[test]
        fn the_files_of_a_process_agree() {
            with_child(|child| {
                let pid = child.id();
                let statm = StatmFile::of(pid).unwrap().resident().unwrap().unwrap();
                let smaps = SmapsFile::of(pid).unwrap().read().unwrap().unwrap();
                // Last, because the child may still be growing.
                let status = StatusFile::of(pid).unwrap().read().unwrap();
                assert!(statm > 0 && status.threads == Some(1), "{status:?}");
                assert!(statm <= status.peak.unwrap(), "{statm} {status:?}");
                assert!(smaps.uss <= smaps.pss && smaps.uss > 0, "{smaps:?}");
                assert!(smaps.pss <= status.peak.unwrap(), "{smaps:?} {status:?}");
            });
        }

        #[test]
        fn touched_memory_is_resident() {
            let file = StatmFile::of_this_process().unwrap();
            let before = file.resident().unwrap().unwrap();
            let touched = std::hint::black_box(vec![1u8; 32 << 20]);
            let after = file.resident().unwrap().unwrap();
            // Other tests may give memory back meanwhile.
            assert!(after.saturating_sub(before) > 16 << 20, "{before} {after}");
            drop(touched);
        }

        #[test]
        fn what_is_resident_is_mapped() {
            let own = std::process::id();
            assert!(mapped(own) >= resident(own) && resident(own).is_some());
        }

        #[test]
        fn a_process_that_is_gone_is_an_error() {
            let mut files = None;
            with_child(|child| {
                let files_of = |pid| (StatmFile::of(pid).unwrap(), StatusFile::of(pid).unwrap());
                files = Some(files_of(child.id()));
            });
            let (statm, status) = files.unwrap();
            assert!(statm.resident().is_err() && status.read().is_err());
        }
    }
}
