//! What cargo looks at besides packages, features and profile. Units that differ in these conditions only may
//! have one name.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::units::Unit;

/// The file of the conditions, in the directory of a unit in the cache.
const FILE: &str = "conditions.json";

/// The conditions under which a session compiles, or has compiled, its units.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Conditions {
    /// A number for the compiler and for cargo's settings.
    settings: u64,
    /// The variables that build scripts of the session have read, with their values.
    variables: BTreeMap<String, Option<String>>,
}

impl Conditions {
    /// The conditions under which cargo has compiled the units in `target`.
    pub(super) fn of(settings: u64, target: &Path, units: &[Unit]) -> Self {
        let variables = units.iter().flat_map(|unit| unit.variables(target));
        Self {
            settings,
            variables: variables.collect(),
        }
    }

    /// The conditions of a unit whose files are in `directory`; none if they are not known.
    pub(super) fn read(directory: &Path) -> Self {
        let text = fs::read(directory.join(FILE)).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// Writes the conditions of a unit whose files are in `directory`.
    pub(super) fn write(&self, directory: &Path) -> io::Result<()> {
        if Self::read(directory) == *self {
            return Ok(());
        }
        // Other kernels see all of the file or nothing.
        let mut incomplete = tempfile::NamedTempFile::new_in(directory)?;
        incomplete.write_all(&serde_json::to_vec(self)?)?;
        incomplete.persist(directory.join(FILE))?;
        Ok(())
    }

    /// How well the conditions fit this process and the settings: the greatest value fits best.
    pub(super) fn fit(&self, settings: u64) -> impl Ord + use<> {
        let others = self.variables.iter().filter(|(name, value)| {
            let now = env::var_os(name).map(|now| now.to_string_lossy().into_owned());
            now != **value
        });
        (self.settings == settings, Reverse(others.count()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_count_more_than_variables() {
        let path = env::var("PATH").unwrap();
        let conditions = |settings, variables: &[(&str, Option<&str>)]| {
            let owned = |(name, value): &(&str, Option<&str>)| {
                ((*name).to_owned(), value.map(str::to_owned))
            };
            let variables = variables.iter().map(owned).collect();
            Conditions {
                settings,
                variables,
            }
        };
        let none = conditions(1, &[]);
        let same = conditions(1, &[("PATH", Some(&path)), ("MEMIT_NO_SUCH", None)]);
        let other = conditions(1, &[("PATH", Some("other"))]);
        let others = conditions(1, &[("PATH", None), ("MEMIT_NO_SUCH", Some("other"))]);
        assert!(none.fit(1) == same.fit(1));
        assert!(same.fit(1) > other.fit(1) && other.fit(1) > others.fit(1));
        assert!(others.fit(1) > same.fit(2));
    }

    #[test]
    fn a_damaged_file_holds_no_conditions() {
        let directory = tempfile::tempdir().unwrap();
        let conditions = Conditions {
            settings: u64::MAX,
            variables: BTreeMap::from([("A".to_owned(), None)]),
        };
        conditions.write(directory.path()).unwrap();
        assert_eq!(Conditions::read(directory.path()), conditions);
        fs::write(directory.path().join(FILE), "{").unwrap();
        assert_eq!(Conditions::read(directory.path()), Conditions::default());
        conditions.write(directory.path()).unwrap();
        assert_eq!(Conditions::read(directory.path()), conditions);
    }
}
