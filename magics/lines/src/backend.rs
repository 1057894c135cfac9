//! Which memory is measured.

use std::fmt;
use std::str::FromStr;

/// Which memory is measured.
///
/// The discriminants are the numbers that cross the border between a cell and the runtime, so they
/// must never change. 0 is no backend: there it can stand for a function that does not ask for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "lowercase")
)]
#[repr(u32)]
pub enum Backend {
    /// Live heap above the start of the run, exact to the byte.
    #[default]
    Heap = 1,
    /// Resident set size of the process.
    Rss = 2,
    /// Proportional set size: a shared page is divided among the processes that share the page.
    Pss = 3,
    /// Unique set size: pages that no other process has.
    Uss = 4,
}

impl Backend {
    /// Every backend, the default first, in ascending order of the numbers.
    pub const ALL: [Self; 4] = [Self::Heap, Self::Rss, Self::Pss, Self::Uss];

    /// The name in options, attributes and JSON: `heap`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Heap => "heap",
            Self::Rss => "rss",
            Self::Pss => "pss",
            Self::Uss => "uss",
        }
    }

    /// The number that crosses the border between a cell and the runtime, from 1.
    pub const fn as_number(self) -> u32 {
        self as u32
    }

    /// The position in [`Self::ALL`], for tables with one entry per backend.
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
    /// The name that was asked for.
    pub name: String,
}

impl fmt::Display for UnknownBackend {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = Backend::ALL.map(Backend::name).join(", ");
        write!(out, "no backend `{}`: there are {known}", self.name)
    }
}

impl std::error::Error for UnknownBackend {}

impl FromStr for Backend {
    type Err = UnknownBackend;

    fn from_str(name: &str) -> Result<Self, UnknownBackend> {
        Self::ALL
            .into_iter()
            .find(|backend| backend.name() == name)
            .ok_or_else(|| UnknownBackend {
                name: name.to_owned(),
            })
    }
}

/// No backend has this number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownBackendNumber(pub u32);

impl fmt::Display for UnknownBackendNumber {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "no backend has the number {}", self.0)
    }
}

impl std::error::Error for UnknownBackendNumber {}

impl TryFrom<u32> for Backend {
    type Error = UnknownBackendNumber;

    fn try_from(number: u32) -> Result<Self, UnknownBackendNumber> {
        Ok(match number {
            1 => Self::Heap,
            2 => Self::Rss,
            3 => Self::Pss,
            4 => Self::Uss,
            _ => return Err(UnknownBackendNumber(number)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backends_are_asked_for_by_name() {
        for backend in Backend::ALL {
            assert_eq!(backend.to_string().parse(), Ok(backend));
        }
        let error = "psutil".parse::<Backend>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "no backend `psutil`: there are heap, rss, pss, uss"
        );
    }

    #[cfg(feature = "serde")]
    #[test]
    fn json_has_the_names() {
        for backend in Backend::ALL {
            assert_eq!(serde_json::to_value(backend).unwrap(), backend.name());
        }
    }

    #[test]
    fn numbers_stay_as_compiled_cells_have_them() {
        assert_eq!(Backend::ALL.map(Backend::as_number), [1, 2, 3, 4]);
        for backend in Backend::ALL {
            assert_eq!(Backend::try_from(backend.as_number()), Ok(backend));
            assert_eq!(Backend::ALL[backend.index()], backend);
        }
        for unknown in [0, 5, u32::MAX] {
            let error = Backend::try_from(unknown).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("no backend has the number {unknown}")
            );
        }
    }
}
