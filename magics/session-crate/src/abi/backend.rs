//! The kinds of memory that a measurement can charge.

use std::fmt;
use std::str::FromStr;

/// A kind of memory that a measurement can charge.
#[repr(u32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Backend {
    /// Live heap above the start of the run, exact to the byte.
    #[default]
    Heap = 1,
    /// Resident set size of the process.
    Rss = 2,
    /// Proportional set size: a page that n processes share counts 1/n.
    Pss = 3,
    /// Unique set size: pages that no other process has.
    Uss = 4,
}

impl Backend {
    /// All backends, the default first.
    pub const ALL: [Self; 4] = [Self::Heap, Self::Rss, Self::Pss, Self::Uss];

    /// The name of the backend in options and in JSON: `heap`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Heap => "heap",
            Self::Rss => "rss",
            Self::Pss => "pss",
            Self::Uss => "uss",
        }
    }

    /// The position of the backend in [`Self::ALL`].
    #[inline]
    pub const fn index(self) -> usize {
        self as usize - 1
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

/// No backend has this name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownBackend {
    /// The unknown name.
    pub name: String,
}

impl fmt::Display for UnknownBackend {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = Backend::ALL.map(Backend::name).join(", ");
        write!(out, "unknown backend `{}`: use one of {known}", self.name)
    }
}

impl std::error::Error for UnknownBackend {}

impl FromStr for Backend {
    type Err = UnknownBackend;

    fn from_str(name: &str) -> Result<Self, UnknownBackend> {
        let named = Self::ALL.into_iter().find(|backend| backend.name() == name);
        named.ok_or_else(|| UnknownBackend {
            name: name.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_backend_has_its_name_and_its_index() {
        for (index, backend) in Backend::ALL.into_iter().enumerate() {
            assert_eq!(backend.name().parse(), Ok(backend));
            assert_eq!(backend.index(), index);
        }
        let error = "vms".parse::<Backend>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown backend `vms`: use one of heap, rss, pss, uss"
        );
    }
}
