//! `%whos`: what each variable of the session takes, and its value.
//!
//! Only the destructor of a value knows all that the value owns. A copy of the session process therefore makes forks in
//! which values are dropped while the heap is counted. Two forks drop all variables, in both orders. If each variable
//! frees as much in both, no heap is shared. Otherwise, or if a destructor fails, there is a fork for each variable, one
//! that drops all, and one for each variable that drops the variable after the others. The copy and its forks have one
//! thread and a shield around them ([`crate::shield`]).

mod figures;
mod forks;
mod trials;

use std::ffi::c_void;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use memit_measurement::{
    FailureKind, HeapOfVariable, Measured, NoHeap, VariableMeasurement, VariablesMeasurement,
};
use memit_session::abi::{Body, List, Listed};

use crate::copies::NoCopy;
use crate::fork::{self, Limits, ProcessEnd};
use crate::host::Host;
use crate::{heap, run};
use figures::{Figures, Number};
use forks::End;

/// The store of variables, which the cells of the session use.
static STORE: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());

/// Notes the store of variables.
pub(crate) fn set_store(store: *mut c_void) {
    STORE.store(store, Relaxed);
}

/// The store of variables; null if there is none.
pub(crate) fn store() -> *mut c_void {
    STORE.load(Relaxed)
}

/// The list that the cell has made.
static LIST: Mutex<Option<List>> = Mutex::new(None);

/// Takes the list of a cell.
pub(crate) fn set_list(list: List) {
    *LIST.lock().unwrap_or_else(PoisonError::into_inner) = Some(list);
}

/// Measures the variables that `body` lists.
pub(crate) fn measure(host: &'static Host, body: Body) -> Measured {
    // SAFETY: the caller of the entry point has promised that the body may run now.
    let _ = unsafe { body.run() };
    let list = LIST.lock().unwrap_or_else(PoisonError::into_inner).take();
    let nothing = || std::io::Error::other("the cell has listed no variables");
    let measured = match list {
        Some(list) => measure_list(host, list),
        None => Err(run::refused(host, &nothing())),
    };
    measured.map_or_else(Measured::Failed, Measured::Variables)
}

fn measure_list(
    host: &'static Host,
    list: List,
) -> Result<VariablesMeasurement, memit_measurement::Failure> {
    // SAFETY: the cell that has made the list waits for this measurement.
    let variables = unsafe { list.variables() };
    let threads = host.threads();
    let figures = Figures::new(variables.len()).map_err(|error| run::refused(host, &error))?;
    let live_heap = Some(heap::in_use()).filter(|bytes| *bytes > 0);
    let limits = Limits {
        quiet: true,
        alone: true,
        ..Limits::default()
    };
    let forked = fork::run(host.control(), limits, None, || {
        trials::run(&list, variables, &figures);
        0
    });
    let why = match forked {
        Ok(finished) => match finished.ending {
            ProcessEnd::Interrupted => {
                return Err(run::failure(host, FailureKind::Interrupted, None));
            }
            ProcessEnd::Exited(0) => None,
            ProcessEnd::Exited(code) => Some(NoHeap::Exited { code }),
            ProcessEnd::Signalled(number) => Some(NoHeap::Signal { number }),
            ProcessEnd::TimedOut => Some(NoHeap::TimedOut { seconds: 0 }),
        },
        Err(NoCopy::Threads(error)) => Some(NoHeap::CannotFork {
            why: error.to_string(),
        }),
        Err(NoCopy::Refused(error)) => Some(NoHeap::CannotFork {
            why: error.to_string(),
        }),
    };
    let measured = variables.iter().enumerate();
    Ok(VariablesMeasurement {
        variables: measured
            .map(|(at, variable)| of_variable(at, variable, &figures, why.as_ref()))
            .collect(),
        freed_together: figures.freed_together(),
        live_heap,
        threads,
    })
}

/// The measurement of a variable. `why` says why there was no copy, if there was none.
fn of_variable(
    at: usize,
    variable: &Listed,
    figures: &Figures,
    why: Option<&NoHeap>,
) -> VariableMeasurement {
    let heap = heap_of(at, variable, figures, why);
    VariableMeasurement {
        size: variable.size,
        value: figures.value(at).filter(|_| variable.has_text()),
        no_heap: heap.as_ref().err().cloned(),
        heap: heap.ok(),
    }
}

fn heap_of(
    at: usize,
    variable: &Listed,
    figures: &Figures,
    why: Option<&NoHeap>,
) -> Result<HeapOfVariable, NoHeap> {
    if !variable.is_there() {
        return Err(NoHeap::Missing);
    }
    if !variable.needs_drop {
        return Ok(HeapOfVariable {
            shared: Some(0),
            ..HeapOfVariable::default()
        });
    }
    if !cfg!(heap_hooks) {
        return Err(NoHeap::NotCounted);
    }
    let message = |errno: i32| std::io::Error::from_raw_os_error(errno).to_string();
    match figures.end(at) {
        Some(End::Dropped) => Ok(HeapOfVariable {
            own: figures.get(at, Number::Own),
            blocks: figures.get(at, Number::Blocks),
            shared: figures.shared(at),
        }),
        Some(End::Panicked) => Err(NoHeap::Panicked {
            message: figures.message(at),
        }),
        Some(End::TimedOut) => Err(NoHeap::TimedOut {
            seconds: trials::PATIENCE.as_secs(),
        }),
        Some(End::Signalled(number)) => Err(NoHeap::Signal { number }),
        Some(End::Exited(code)) => Err(NoHeap::Exited { code }),
        Some(End::NotShielded(errno)) => Err(NoHeap::NotShielded {
            message: message(errno),
        }),
        Some(End::Refused(errno)) => Err(NoHeap::Refused {
            message: message(errno),
        }),
        None => Err(why.cloned().unwrap_or_else(|| NoHeap::NotShielded {
            message: message(figures.not_shielded()),
        })),
    }
}
