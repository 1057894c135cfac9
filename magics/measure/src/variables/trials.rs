//! What the copy of the session process does: shows values and drops variables, each in forks of its own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use memit_session::abi::{List, Listed};

use super::figures::{Common, Figures, Number, VALUE};
use super::forks::{self, End};
use crate::board::Board;
use crate::measuring::{self, Measuring};
use crate::shield::{self, Descriptors};
use crate::{heap, panic, requested};

/// Time that a destructor or the text of a value may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);
/// Time that dropping all variables may take.
const PATIENCE_FOR_ALL: Duration = Duration::from_secs(20);
/// Time that finding out who shares heap may take.
const SHARED_PATIENCE: Duration = Duration::from_secs(5);

/// Fills in the figures. The process must be a copy of the session process with one thread, which ends with its
/// effects unread.
pub(super) fn run(list: &List, variables: &[Listed], figures: &Figures) {
    // Panics of destructors are then kept, and not reported.
    if let Ok(board) = Board::new(1) {
        measuring::install(InCopy(Arc::new(board)));
    }
    let not_shielded = |error| {
        let errno = forks::errno(&error);
        figures.set_common(Common::NotShielded, u64::from(errno.unsigned_abs()));
    };
    if let Err(error) = shield::protect_memory(&figures.ranges()) {
        return not_shielded(error);
    }
    show_all(list, variables, figures);
    if let Err(error) = shield::cut_off() {
        return not_shielded(error);
    }
    if !cfg!(heap_hooks) {
        return;
    }
    let trials = Trials {
        list,
        variables,
        figures,
    };
    let dropping: Vec<_> = (0..variables.len())
        .filter(|at| variables[*at].needs_drop)
        .collect();
    if trials.share_nothing(&dropping) {
        return;
    }
    let mut sized = Vec::new();
    for at in dropping {
        if trials.drop_alone(at) == End::Dropped {
            sized.push(at);
        }
    }
    let began = Instant::now();
    let end = trials.drop_all(&sized);
    figures.set_common(Common::End, end.number());
    let alone: u64 = sized.iter().map(|at| figures.get(*at, Number::Own)).sum();
    if figures.freed_together().is_none() {
        return;
    }
    if figures.common(Common::Together) == alone {
        for at in &sized {
            figures.set(*at, Number::Last, figures.get(*at, Number::Own));
            figures.set(*at, Number::LastEnd, End::Dropped.number());
        }
        return;
    }
    let forks = u32::try_from(sized.len()).unwrap_or(u32::MAX);
    if began.elapsed().saturating_mul(forks) > SHARED_PATIENCE {
        return;
    }
    for at in &sized {
        let end = trials.drop_last(*at, &sized);
        figures.set(*at, Number::LastEnd, end.number());
    }
}

/// The variables and where their figures go.
struct Trials<'a> {
    list: &'a List,
    variables: &'a [Listed],
    figures: &'a Figures,
}

impl Trials<'_> {
    /// Drops all variables in one fork and, in the other order, in another. A block that variables share is freed by
    /// the last of them, so the first variable that shares a block frees more in the second fork. If each variable
    /// frees as much in both, no block is shared, and the figures are those of each variable alone.
    fn share_nothing(&self, all: &[usize]) -> bool {
        let backwards: Vec<_> = all.iter().rev().copied().collect();
        let same =
            |at: &usize| self.figures.get(*at, Number::Own) == self.figures.get(*at, Number::Last);
        if !(self.drop_in_order(all, Number::Own)
            && self.drop_in_order(&backwards, Number::Last)
            && all.iter().all(same))
        {
            self.figures.set_common(Common::End, 0);
            return false;
        }
        for at in all {
            for number in [Number::End, Number::LastEnd] {
                self.figures.set(*at, number, End::Dropped.number());
            }
        }
        true
    }

    /// Drops these variables in one fork, one after the other. Notes the bytes that each frees under this number.
    /// False if a destructor fails.
    fn drop_in_order(&self, order: &[usize], bytes: Number) -> bool {
        self.figures.set_common(Common::End, 0);
        self.figures.set_common(Common::Progress, 0);
        let progress = || self.figures.common(Common::Progress);
        let mut seen = 0;
        let end = forks::run(
            PATIENCE,
            Descriptors::CutOff,
            || {
                let mut together = 0;
                for at in order {
                    self.figures.set_common(Common::Progress, progress() + 1);
                    let (freed, blocks, is_well) = self.counted(&[*at]);
                    if !is_well {
                        return;
                    }
                    self.figures.set(*at, bytes, freed);
                    self.figures.set(*at, Number::Blocks, blocks);
                    together += freed;
                }
                self.figures.set_common(Common::Together, together);
                self.figures.set_common(Common::End, End::Dropped.number());
            },
            || End::from_number(self.figures.common(Common::End)),
            || std::mem::replace(&mut seen, progress()) != progress(),
        );
        end == End::Dropped
    }

    /// Drops the variable in a fork.
    fn drop_alone(&self, at: usize) -> End {
        let end = forks::run(
            PATIENCE,
            Descriptors::CutOff,
            || {
                let (freed, blocks, is_well) = self.counted(&[at]);
                self.figures.set(at, Number::Own, freed);
                self.figures.set(at, Number::Blocks, blocks);
                let end = if is_well {
                    End::Dropped
                } else {
                    let panic = panic::take().unwrap_or_default();
                    self.figures.set_message(at, &panic.message);
                    End::Panicked
                };
                self.figures.set(at, Number::End, end.number());
            },
            || self.figures.end(at),
            || false,
        );
        self.figures.set(at, Number::End, end.number());
        end
    }

    /// Drops these variables in one fork.
    fn drop_all(&self, all: &[usize]) -> End {
        forks::run(
            PATIENCE_FOR_ALL,
            Descriptors::CutOff,
            || {
                let (freed, _, is_well) = self.counted(all);
                self.figures.set_common(Common::Together, freed);
                let end = if is_well { End::Dropped } else { End::Panicked };
                self.figures.set_common(Common::End, end.number());
            },
            || End::from_number(self.figures.common(Common::End)),
            || false,
        )
    }

    /// Drops the variable in a fork, after the others.
    fn drop_last(&self, at: usize, all: &[usize]) -> End {
        let others: Vec<_> = all.iter().copied().filter(|other| *other != at).collect();
        forks::run(
            PATIENCE_FOR_ALL,
            Descriptors::CutOff,
            || {
                let (_, _, others_well) = self.counted(&others);
                let (freed, _, is_well) = self.counted(&[at]);
                self.figures.set(at, Number::Last, freed);
                let is_well = is_well && others_well;
                let end = if is_well { End::Dropped } else { End::Panicked };
                self.figures.set(at, Number::LastEnd, end.number());
            },
            || End::from_number(self.figures.get(at, Number::LastEnd)),
            || false,
        )
    }

    /// Drops variables. Returns the bytes and the blocks that are freed, and whether no destructor has
    /// panicked.
    fn counted(&self, all: &[usize]) -> (u64, u64, bool) {
        // A destructor may allocate, for ever or for a moment: what it frees are blocks from before.
        requested::start();
        heap::start(false);
        let mut is_well = true;
        for at in all {
            // SAFETY: the cell that has made the list waits in the session process, and this fork of the process,
            // which drops each variable once, leaves with `_exit`.
            is_well &= unsafe { self.list.drop_in_place(&self.variables[*at]) };
        }
        let counts = heap::counts();
        heap::stop();
        (counts.old_freed, counts.old_frees, is_well)
    }
}

/// Writes the values as text. A value whose text takes too long, or ends the process, has none.
fn show_all(list: &List, variables: &[Listed], figures: &Figures) {
    let mut next = 0;
    while next < figures.count() {
        let showing = || usize::try_from(figures.common(Common::Progress)).unwrap_or(0);
        let mut seen = 0;
        forks::run(
            PATIENCE,
            Descriptors::LookedAt,
            || {
                for (at, variable) in variables.iter().enumerate().skip(next) {
                    figures.set_common(Common::Progress, at as u64 + 1);
                    let mut text = [0; VALUE];
                    // SAFETY: the cell that has made the list waits in the session process, of which this is a
                    // copy.
                    if let Some(length) = unsafe { list.show(variable, &mut text) } {
                        figures.set_value(at, &text[..length]);
                    }
                }
                figures.set_common(Common::Progress, figures.count() as u64 + 1);
            },
            || None,
            || std::mem::replace(&mut seen, showing()) != showing(),
        );
        // If the fork has shown nothing, it could not run.
        next = if showing() > next {
            showing()
        } else {
            figures.count()
        };
    }
}

/// The measurement that is under way in the copy and in its forks.
struct InCopy(Arc<Board>);

impl Measuring for InCopy {
    fn board(&self) -> &Arc<Board> {
        &self.0
    }

    fn is_forked(&self) -> bool {
        true
    }
}

#[cfg(all(test, heap_hooks))]
mod tests {
    use super::*;

    #[test]
    fn what_a_destructor_allocates_is_not_what_it_frees() {
        let old = std::hint::black_box(vec![1_u8; 1000]);
        // SAFETY: the block is alive.
        let size = unsafe { libc::malloc_usable_size(old.as_ptr().cast_mut().cast()) };
        requested::start();
        heap::start(true);
        let new = std::hint::black_box(vec![1_u8; 5000]);
        drop(std::hint::black_box(vec![1_u8; 300]));
        drop(old);
        let counts = heap::counts();
        heap::stop();
        requested::stop();
        drop(new);
        assert_eq!((counts.old_freed, counts.old_frees), (size as u64, 1));
    }
}
