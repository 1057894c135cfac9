//! Phases and timestamps.

use std::borrow::Cow;

#[cfg(all(feature = "enabled", unix))]
use crate::mprof::{self, Span};

/// A phase of the program: from the call of [`phase`] until this value is dropped.
#[derive(Debug)]
#[must_use = "a phase ends when its value is dropped"]
pub struct Phase {
    #[cfg(all(feature = "enabled", unix))]
    span: Option<Span>,
}

/// Begins a phase. The phase lasts until the returned value is dropped. Phases may be nested, overlap,
/// and move from one thread to another.
///
/// With the feature `enabled`, memory and time at the start and at the end of the phase are appended to
/// the file that the environment variable `MEMIT_MPROF_FILE` names. Otherwise a phase does nothing.
///
/// # Examples
///
/// ```
/// let reading = memit::phase("read");
/// let text = "some text".to_owned();
/// drop(reading);
/// let _sorting = memit::phase(format!("sort {} bytes", text.len()));
/// let mut words: Vec<_> = text.split(' ').collect();
/// words.sort();
/// ```
#[inline]
pub fn phase(label: impl Into<Cow<'static, str>>) -> Phase {
    #[cfg(not(all(feature = "enabled", unix)))]
    drop(label);
    Phase {
        #[cfg(all(feature = "enabled", unix))]
        span: mprof::begin(label),
    }
}

impl Drop for Phase {
    // `Drop` is implemented with and without the feature, so enabling it cannot change borrow
    // checking.
    #[inline]
    fn drop(&mut self) {
        #[cfg(all(feature = "enabled", unix))]
        if let Some(span) = self.span.take() {
            mprof::end(&span);
        }
    }
}

/// Marks a moment: a [`phase`] that ends at once.
///
/// Takes a `&str` or a `String`. Without the feature `enabled`, the argument is not evaluated.
///
/// # Examples
///
/// ```
/// memit::timestamp!("everything is loaded");
/// for round in 0..3 {
///     memit::timestamp!(format!("round {round}"));
/// }
/// ```
#[macro_export]
macro_rules! timestamp {
    ($label:expr $(,)?) => {
        if $crate::__private::ENABLED {
            $crate::__private::timestamp($label);
        }
    };
}

/// Whether [`timestamp`] does anything.
#[doc(hidden)]
pub const ENABLED: bool = cfg!(all(feature = "enabled", unix));

/// The function behind `timestamp!`.
#[doc(hidden)]
#[inline]
pub fn timestamp(label: impl AsRef<str>) {
    #[cfg(not(all(feature = "enabled", unix)))]
    drop(label);
    #[cfg(all(feature = "enabled", unix))]
    mprof::mark(label.as_ref());
}
