//! How much memory checkpoints hold at most, found without a look at any page.
//!
//! A checkpoint alone holds a page that the session process has given up: the session process has written to
//! the page, and so got its own copy, or has returned the page to the system. Each fault gives the process a
//! page, and either the page is one more that the process holds, or the process has given up another:
//!
//! ```text
//! given up = faults - growth of the resident set, in pages
//! ```
//!
//! Where a fault brings several pages, as with huge pages, this does not hold. Memory that the process has
//! filled without a fault (`MAP_POPULATE`) is missed until the exact size is read again.

use std::cell::OnceCell;

use memit_process::process;

/// What the session process has given up since a moment at which the exact size was known.
#[derive(Default)]
pub(super) struct GivenUp {
    then: Option<Then>,
    are_pages_huge: OnceCell<bool>,
}

struct Then {
    session: u32,
    use_of_pages: UseOfPages,
    /// What checkpoints held alone, in bytes.
    held: u64,
}

#[derive(Clone, Copy)]
struct UseOfPages {
    faults: u64,
    /// In bytes.
    resident: u64,
}

impl UseOfPages {
    fn of(pid: u32) -> Option<Self> {
        Some(Self {
            faults: process::faults(pid)?,
            resident: process::resident(pid)?,
        })
    }

    /// Bytes that the process has given up since `then`.
    fn given_up_since(self, then: Self) -> u64 {
        let faults = self.faults.saturating_sub(then.faults);
        let got = faults.saturating_mul(rustix::param::page_size() as u64);
        (got + then.resident).saturating_sub(self.resident)
    }
}

impl GivenUp {
    /// Counts from now, when the session process is `session` and checkpoints hold `held` bytes alone.
    pub(super) fn since(&mut self, session: u32, held: u64) {
        self.then = UseOfPages::of(session).map(|use_of_pages| Then {
            session,
            use_of_pages,
            held,
        });
    }

    /// The most bytes that checkpoints can hold alone. `None` if the exact size must be read.
    pub(super) fn at_most(&self, session: u32) -> Option<u64> {
        let then = self.then.as_ref().filter(|then| then.session == session)?;
        if *self.are_pages_huge.get_or_init(process::are_pages_huge) {
            return None;
        }
        let given_up = UseOfPages::of(session)?.given_up_since(then.use_of_pages);
        Some(then.held.saturating_add(given_up))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: u64 = 4096;

    fn given_up(faults: u64, growth: i64) -> u64 {
        let then = UseOfPages {
            faults: 1000,
            resident: 1 << 30,
        };
        let now = UseOfPages {
            faults: 1000 + faults,
            resident: (1_u64 << 30).saturating_add_signed(growth),
        };
        now.given_up_since(then) / rustix::param::page_size() as u64 * PAGE
    }

    #[test]
    fn what_grows_gives_nothing_up() {
        assert_eq!(given_up(100, 100 * PAGE.cast_signed()), 0);
        // Pages of a file come several at a time.
        assert_eq!(given_up(10, 160 * PAGE.cast_signed()), 0);
    }

    #[test]
    fn what_is_written_or_returned_is_given_up() {
        assert_eq!(given_up(100, 0), 100 * PAGE);
        assert_eq!(given_up(0, -100 * PAGE.cast_signed()), 100 * PAGE);
        assert_eq!(given_up(300, -100 * PAGE.cast_signed()), 400 * PAGE);
    }

    #[test]
    fn what_a_copy_holds_alone_is_within_the_bound() {
        const HALF: usize = 16 << 20;
        if process::are_pages_huge() {
            return;
        }
        let pid = std::process::id();
        let mut block = std::hint::black_box(vec![1_u8; 2 * HALF]);
        let mut given_up = GivenUp::default();
        given_up.since(pid, 0);
        // SAFETY: the copy calls nothing but `pause`, which takes no lock.
        let copy = unsafe { libc::fork() };
        if copy == 0 {
            loop {
                // SAFETY: no preconditions.
                unsafe { libc::pause() };
            }
        }
        for byte in block[..HALF].iter_mut().step_by(64) {
            *byte = 2;
        }
        std::hint::black_box(&block);
        let proportional = |pid| process::proportional(pid).unwrap();
        let both = proportional(pid) + proportional(copy.cast_unsigned());
        let held = both - process::resident(pid).unwrap();
        let most = given_up.at_most(pid).unwrap();
        process::end(copy.cast_unsigned());
        // The proportional size has less of the pages of libraries, which other programs have, too.
        let slack = 4 << 20;
        assert!(held + slack >= HALF as u64, "{held}");
        assert!(most >= HALF as u64 && most + slack >= held, "{most} {held}");
        // SAFETY: the child is ours, and nobody else waits for it.
        unsafe { libc::waitpid(copy, std::ptr::null_mut(), 0) };
    }
}
