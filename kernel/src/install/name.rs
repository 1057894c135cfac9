//! The name of a kernelspec, as in `jupyter console --kernel NAME`.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use regex::Regex;

/// A name that Jupyter accepts, in lower case, which Jupyter uses to look names up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KernelName(String);

/// A text that cannot name a kernelspec.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` cannot be the name of a kernel; a name consists of ASCII letters, digits and `.`, `_`, \
     `-`, and is not `.` or `..`"
)]
pub(crate) struct BadKernelName(String);

/// The rule of `_is_valid_kernel_name` in `jupyter_client`.
static RULE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^(?i-u:[a-z0-9._-]+)$").expect("a valid pattern"));

impl KernelName {
    /// The name as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KernelName {
    type Err = BadKernelName;

    fn from_str(name: &str) -> Result<Self, BadKernelName> {
        // Jupyter's rule admits `.` and `..`, which would name Jupyter's own directories.
        if RULE.is_match(name) && !matches!(name, "." | "..") {
            Ok(Self(name.to_ascii_lowercase()))
        } else {
            Err(BadKernelName(name.into()))
        }
    }
}

impl fmt::Display for KernelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_jupyter_accepts() {
        for name in ["memit", "memit-0.1_dev", "7"] {
            assert_eq!(name.parse::<KernelName>().unwrap().as_str(), name);
        }
        assert_eq!("MemIt".parse::<KernelName>().unwrap().as_str(), "memit");
        for name in ["", ".", "..", "a/b", "a b", "é", "..\\x", "a\n"] {
            assert!(name.parse::<KernelName>().is_err(), "{name:?} was accepted");
        }
    }
}
