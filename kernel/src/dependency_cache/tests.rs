//! What a session gets from the cache, and what the cache keeps of a session.

use super::*;

const UNIT: &str = "dep-3cdf5f1596bded6a";

/// A directory in which cargo has built a unit.
fn built(fingerprint: &str, metadata: &str, code: &str) -> tempfile::TempDir {
    let target = tempfile::tempdir().unwrap();
    let files = [
        (format!("debug/.fingerprint/{UNIT}/lib-dep"), fingerprint),
        (format!("debug/deps/lib{UNIT}.rmeta"), metadata),
        (format!("debug/deps/lib{UNIT}.rlib"), code),
    ];
    for (file, text) in files {
        let path = target.path().join(file);
        fs::create_dir_all(path.with_file_name("")).unwrap();
        fs::write(path, text).unwrap();
    }
    target
}

struct Place {
    directory: tempfile::TempDir,
    lock: Lock,
}

impl Place {
    fn new() -> Self {
        let lock = tempfile::NamedTempFile::new().unwrap();
        let text = "[[package]]\nname = \"dep\"\nversion = \"1.0.0\"\nsource = \"registry\"\n";
        fs::write(lock.path(), text).unwrap();
        Self {
            directory: tempfile::tempdir().unwrap(),
            lock: Lock::read(lock.path()).unwrap(),
        }
    }

    fn cache(&self) -> DependencyCache {
        DependencyCache {
            directory: self.directory.path().to_owned(),
            limit: u64::MAX,
        }
    }

    /// Keeps what a session has built, which has got the unit from the cache if `is_restored`. Returns the
    /// code that the cache then has.
    fn keep(&self, target: &Path, settings: u64, is_restored: bool) -> String {
        let unit = units::of(target).unwrap().remove(0);
        let name = format!("{UNIT}.{:016x}", unit.state(target).unwrap());
        let restored = is_restored.then(|| name.clone()).into_iter().collect();
        let cache = self.cache();
        cache.keep(&self.lock, target, &restored, settings).unwrap();
        code(&self.directory.path().join(UNITS).join(name))
    }

    /// The code that a new session gets.
    fn restore(&self, settings: u64) -> String {
        let target = empty();
        let cache = self.cache();
        let given = cache.restore(&self.lock, target.path(), None, settings);
        assert_eq!(given.len(), 1);
        // A second time, the session has the unit.
        let again = cache.restore(&self.lock, target.path(), None, settings);
        assert!(again.is_empty());
        code(target.path())
    }
}

fn code(directory: &Path) -> String {
    fs::read_to_string(directory.join(format!("debug/deps/lib{UNIT}.rlib"))).unwrap()
}

fn empty() -> tempfile::TempDir {
    let target = tempfile::tempdir().unwrap();
    fs::create_dir_all(target.path().join("debug/.fingerprint")).unwrap();
    target
}

#[test]
fn a_unit_of_another_session_stays_unless_it_is_another_or_stale() {
    let place = Place::new();
    let keep = |fingerprint, metadata, code, is_restored| {
        let target = built(fingerprint, metadata, code);
        place.keep(target.path(), 0, is_restored)
    };
    assert_eq!(keep("1", "m", "first", false), "first");
    // Another session has compiled the same at the same time.
    assert_eq!(keep("1", "m", "second", false), "first");
    // cargo has compiled again what the cache had given.
    assert_eq!(keep("1", "m", "third", true), "third");
    assert_eq!(keep("1", "other", "fourth", false), "fourth");
}

#[test]
fn a_session_gets_the_units_that_it_needs() {
    let place = Place::new();
    place.keep(built("1", "m", "code").path(), 0, false);
    let target = empty();
    let restore = |hash: &str| {
        let hashes = BTreeSet::from([hash.to_owned()]);
        let cache = place.cache();
        cache.restore(&place.lock, target.path(), Some(&hashes), 0)
    };
    assert!(restore("0000000000000000").is_empty());
    let given = restore("3cdf5f1596bded6a");
    assert!(given.len() == 1 && given[0].starts_with(UNIT), "{given:?}");
}

#[test]
fn a_session_gets_the_state_of_its_conditions() {
    let place = Place::new();
    for (fingerprint, settings) in [("one", 1), ("two", 2), ("three", 3)] {
        let target = built(fingerprint, "m", fingerprint);
        place.keep(target.path(), settings, false);
    }
    assert_eq!(place.restore(1), "one");
    assert_eq!(place.restore(3), "three");
    // Under other conditions, the state that was used last is the best guess.
    assert_eq!(place.restore(4), "three");
    assert_eq!(place.restore(2), "two");
    assert_eq!(place.restore(4), "two");
    // The session has got the state and has compiled another unit.
    place.keep(built("one", "m", "one").path(), 4, true);
    assert_eq!(place.restore(4), "two");
    // Other settings may make the same unit.
    place.keep(built("one", "m", "one").path(), 4, false);
    assert_eq!(place.restore(4), "one");
}

#[test]
fn a_unit_in_the_layout_of_the_first_caches_is_used_and_counted() {
    let place = Place::new();
    let target = built("1", "m", "old");
    let unit = units::of(target.path()).unwrap().remove(0);
    let entry = Entry::new(place.directory.path().join(UNITS).join(UNIT));
    entry.keep(target.path(), &unit.files).unwrap();
    assert_eq!(place.restore(1), "old");
    place.keep(built("2", "m", "new").path(), 1, false);
    assert_eq!(place.restore(1), "new");
    let usage = place.cache().usage();
    assert_eq!(usage.packages, 2);
    let limit = usage.bytes - 1;
    let cache = DependencyCache {
        limit,
        ..place.cache()
    };
    cache.prune();
    assert_eq!(cache.usage().packages, 1);
    assert_eq!(place.restore(1), "new");
}
