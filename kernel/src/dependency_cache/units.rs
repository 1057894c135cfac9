//! The files that cargo makes for a package that is compiled in one way: a unit, in cargo's terms.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::path::{Path, PathBuf};

/// Where cargo keeps what makes a unit fresh.
const FINGERPRINTS: &str = ".fingerprint";
/// Where cargo keeps build scripts and their output.
const BUILD: &str = "build";
/// Where compiled crates are, with the hash of their unit in their names.
const CRATES: &str = "deps";

/// A unit, and its files below the directory in which cargo builds.
pub(super) struct Unit {
    /// The name of the package and a hash.
    pub(super) name: String,
    pub(super) files: Vec<PathBuf>,
}

impl Unit {
    /// Whether two crates differ if this file of theirs differs: cargo's hash of all that makes the unit
    /// fresh, and what the compiler tells other crates.
    pub(super) fn tells_content(&self, file: &Path) -> bool {
        has_ending(file, "rmeta") || self.is_fingerprint(file)
    }

    /// Whether the file is cargo's hash of all that makes the unit fresh.
    fn is_fingerprint(&self, file: &Path) -> bool {
        file.extension().is_none()
            && file
                .parent()
                .is_some_and(|parent| parent.ends_with(Path::new(FINGERPRINTS).join(&self.name)))
            && !starts_with(file, "dep-")
    }

    /// A number for cargo's fingerprint of the unit in `target`, which holds the fingerprints of all units that
    /// the unit depends on.
    pub(super) fn state(&self, target: &Path) -> io::Result<u64> {
        let mut hasher = DefaultHasher::new();
        for file in self.files.iter().filter(|file| self.is_fingerprint(file)) {
            fs::read(target.join(file))?.hash(&mut hasher);
        }
        Ok(hasher.finish())
    }

    /// The variables that are in the fingerprint of the unit in `target`, because a build script has read them,
    /// with their values.
    pub(super) fn variables(&self, target: &Path) -> BTreeMap<String, Option<String>> {
        let files = self.files.iter().filter(|file| is_of_script(file));
        let texts = files.filter_map(|file| fs::read(target.join(file)).ok());
        texts.flat_map(|text| of_script(&text)).collect()
    }
}

/// The variables in what cargo has written about the run of a build script.
fn of_script(json: &[u8]) -> Vec<(String, Option<String>)> {
    let run: serde_json::Value = serde_json::from_slice(json).unwrap_or_default();
    let local = run["local"].as_array().into_iter().flatten();
    let read = local.map(|local| &local["RerunIfEnvChanged"]);
    let named = read.filter_map(|read| {
        let value = read["val"].as_str().map(str::to_owned);
        Some((read["var"].as_str()?.to_owned(), value))
    });
    named.collect()
}

/// Whether this is the file that cargo writes about the run of a build script.
fn is_of_script(file: &Path) -> bool {
    has_ending(file, "json") && starts_with(file, "run-build-script-")
}

fn has_ending(file: &Path, ending: &str) -> bool {
    file.extension().is_some_and(|of_file| of_file == ending)
}

fn starts_with(file: &Path, start: &str) -> bool {
    file.file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with(start))
}

/// Whether this is the name of a unit.
pub(super) fn is_unit(name: &str) -> bool {
    let hash = name.rsplit_once('-').map(|(_, hash)| hash);
    hash.is_some_and(|hash| hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// The hashes of the units that a line of cargo names.
pub(crate) fn hashes(line: &str) -> impl Iterator<Item = String> {
    let words = line.split(['/', '"', '.']).filter(|word| is_unit(word));
    words.map(|word| word[package(word).len() + 1..].to_owned())
}

/// The package of a unit.
pub(super) fn package(unit: &str) -> &str {
    unit.rsplit_once('-').map_or(unit, |(package, _)| package)
}

/// The units in `target`.
pub(super) fn of(target: &Path) -> io::Result<Vec<Unit>> {
    let mut units = Vec::new();
    for profile in profiles(target) {
        let mut crates: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
        for file in files(&target.join(&profile).join(CRATES), Path::new(""))? {
            if let Some(hash) = hash(&file) {
                crates.entry(hash).or_default().push(file);
            }
        }
        for name in names(&target.join(&profile).join(FINGERPRINTS)) {
            if !is_unit(&name) {
                continue;
            }
            let mut of_unit = Vec::new();
            for directory in [FINGERPRINTS, BUILD] {
                let below = profile.join(directory).join(&name);
                of_unit.extend(
                    files(target, &below)?
                        .into_iter()
                        .filter(|file| is_needed(file)),
                );
            }
            let hash = &name[package(&name).len() + 1..];
            let crates = crates.remove(hash).unwrap_or_default().into_iter();
            of_unit.extend(crates.map(|file| profile.join(CRATES).join(file)));
            units.push(Unit {
                name,
                files: of_unit,
            });
        }
    }
    Ok(units)
}

/// Whether cargo has files of the unit.
pub(super) fn is_in(target: &Path, unit: &str) -> bool {
    let is_in = |profile: PathBuf| target.join(profile).join(FINGERPRINTS).join(unit).exists();
    profiles(target).into_iter().any(is_in)
}

/// Makes cargo build the unit.
pub(super) fn remove(target: &Path, unit: &str) {
    for profile in profiles(target) {
        let _ = fs::remove_dir_all(target.join(profile).join(FINGERPRINTS).join(unit));
    }
}

/// The directories for the machine itself and for the target of the cells.
fn profiles(target: &Path) -> Vec<PathBuf> {
    const PROFILE: &str = "debug";
    let mut profiles = vec![PathBuf::from(PROFILE)];
    profiles.extend(
        names(target)
            .into_iter()
            .map(|name| Path::new(&name).join(PROFILE)),
    );
    profiles.retain(|profile| target.join(profile).join(FINGERPRINTS).is_dir());
    profiles
}

/// Whether cargo reads the file again if the unit is fresh, or [`Unit::variables`] does. Most of the time that
/// a restored unit takes goes into the creation of its files.
fn is_needed(file: &Path) -> bool {
    let is_told = has_ending(file, "json") || has_ending(file, "timestamp");
    !(is_told
        && !is_of_script(file)
        && file
            .components()
            .any(|part| part.as_os_str() == FINGERPRINTS))
}

/// The hash of the unit at the end of the name of a crate's file: `libeither-3cdf5f1596bded6a.rlib`.
fn hash(file: &Path) -> Option<String> {
    let stem = file.file_name()?.to_str()?.split('.').next()?;
    let hash = &stem[package(stem).len()..];
    is_unit(stem).then(|| hash[1..].to_owned())
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect()
}

/// The paths of the files in `base` below `below`, which may not exist, relative to `base`.
pub(super) fn files(base: &Path, below: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![below.to_owned()];
    while let Some(directory) = open.pop() {
        let entries = match fs::read_dir(base.join(&directory)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let path = directory.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                open.push(path);
            } else {
                found.push(path);
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_a_unit_are_found_by_its_hash() {
        let target = tempfile::tempdir().unwrap();
        let unit = "serde-json-3cdf5f1596bded6a";
        let files = [
            "debug/.fingerprint/serde-json-3cdf5f1596bded6a/lib-serde_json",
            "debug/build/serde-json-3cdf5f1596bded6a/out/a.rs",
            "debug/deps/libserde_json-3cdf5f1596bded6a.rlib",
            "debug/deps/serde_json-3cdf5f1596bded6a.d",
            "x86/debug/.fingerprint/ctx-ffffffffffffffff/lib-ctx",
            "x86/debug/deps/libctx.so",
        ];
        let told = "debug/.fingerprint/serde-json-3cdf5f1596bded6a/lib-serde_json.json";
        for file in files.into_iter().chain([told]) {
            let path = target.path().join(file);
            fs::create_dir_all(path.with_file_name("")).unwrap();
            fs::write(path, "").unwrap();
        }
        let mut units = of(target.path()).unwrap();
        units.sort_by(|one, other| other.name.cmp(&one.name));
        assert_eq!(
            (&*units[0].name, package(&units[0].name)),
            (unit, "serde-json")
        );
        units[0].files.sort();
        let found: Vec<_> = units[0]
            .files
            .iter()
            .filter_map(|file| file.to_str())
            .collect();
        assert_eq!(found, files[..4]);
        assert_eq!(units[1].files.len(), 1);
        assert!(is_in(target.path(), unit));
        remove(target.path(), unit);
        assert!(!is_in(target.path(), unit));
        let line = r#"{"filenames":["/t/deps/libserde_json-3cdf5f1596bded6a.rlib"],"out_dir":"/t/build/psm-b92ab3ccb0d2f817/out"}"#;
        let found: Vec<_> = hashes(line).collect();
        assert_eq!(found, ["3cdf5f1596bded6a", "b92ab3ccb0d2f817"]);
        assert!(!is_unit("serde-json") && !is_unit(".new-3cdf5f") && !is_unit("closures"));
    }

    #[test]
    fn a_unit_has_another_state_if_the_fingerprint_differs() {
        const NAME: &str = "dep-3cdf5f1596bded6a";
        let state = |fingerprint: &str, list: &str, script: &str| {
            let target = tempfile::tempdir().unwrap();
            for (file, text) in [
                ("run-build-script-build-script-build", fingerprint),
                ("dep-build-script-build-script-build", list),
                ("run-build-script-build-script-build.json", script),
            ] {
                let path = target.path().join("debug/.fingerprint").join(NAME);
                fs::create_dir_all(&path).unwrap();
                fs::write(path.join(file), text).unwrap();
            }
            let unit = of(target.path()).unwrap().remove(0);
            let variables = unit.variables(target.path());
            (unit.state(target.path()).unwrap(), variables)
        };
        let (first, variables) = state("1", "list", "{}");
        assert!(variables.is_empty());
        assert_eq!(first, state("1", "other list", "no JSON").0);
        assert_ne!(first, state("2", "list", "{}").0);
        let script = r#"{"local":[{"RerunIfChanged":{"paths":[]}},{"RerunIfEnvChanged":{"var":"CC","val":"gcc"}},
            {"RerunIfEnvChanged":{"var":"CXX","val":null}}]}"#;
        let known = [("CC", Some("gcc")), ("CXX", None)];
        let known = known.map(|(name, value)| (name.to_owned(), value.map(str::to_owned)));
        assert_eq!(state("1", "list", script).1, BTreeMap::from(known));
    }
}
