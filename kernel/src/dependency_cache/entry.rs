//! A unit in the cache.

use std::fs::{self, File, FileTimes};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::conditions::Conditions;
use super::units::Unit;

/// The list of the files of a unit, which is written last and touched at each use.
const LIST: &str = "files.json";

/// The endings of files that nobody writes in place: these files and programs are shared, others are copied.
const SHARED: [&str; 3] = ["rlib", "rmeta", "so"];

/// How the names of directories start that are becoming units, and of those that no longer are.
const NEW: &str = ".new-";
const OLD: &str = ".old-";
/// No kernel takes so long for one unit.
const LONG_AGO: Duration = Duration::from_hours(24);

/// A unit in the cache, which may not exist.
pub(super) struct Entry {
    directory: PathBuf,
}

/// A file of a unit.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Listed {
    path: PathBuf,
    bytes: u64,
    /// CRC-32 of the contents: a damaged disk, not an attacker, changes files.
    checksum: u32,
}

impl Entry {
    pub(super) fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(super) fn name(&self) -> &str {
        let name = self.directory.file_name().and_then(|name| name.to_str());
        name.unwrap_or_default()
    }

    /// The name of the unit. The first caches kept one state of a unit, under this name alone.
    pub(super) fn unit(&self) -> &str {
        let name = self.name();
        name.split_once('.').map_or(name, |(unit, _state)| unit)
    }

    /// The conditions under which the unit was compiled.
    pub(super) fn conditions(&self) -> Conditions {
        Conditions::read(&self.directory)
    }

    /// Notes the conditions under which the unit was compiled.
    pub(super) fn note(&self, conditions: &Conditions) -> io::Result<()> {
        conditions.write(&self.directory)
    }

    /// Puts the files of the unit into `target`.
    ///
    /// # Errors
    ///
    /// If the entry is damaged or a file cannot be written. Some files may have been put then.
    pub(super) fn restore(&self, target: &Path) -> io::Result<()> {
        for listed in self.list()? {
            let (kept, restored) = (self.directory.join(&listed.path), target.join(&listed.path));
            if checksum(&kept)? != (listed.bytes, listed.checksum) {
                let damaged = format!("{} is damaged", listed.path.display());
                return Err(io::Error::new(io::ErrorKind::InvalidData, damaged));
            }
            fs::create_dir_all(restored.with_file_name(""))?;
            transfer(&kept, &restored)?;
        }
        let times = FileTimes::new().set_modified(SystemTime::now());
        // Only the order in which units are removed depends on this time.
        let _ = File::open(self.directory.join(LIST)).and_then(|list| list.set_times(times));
        Ok(())
    }

    /// Whether the entry is the same crate as the unit in `target`: cargo's fingerprints and what the
    /// compiler tells of the crate are equal.
    pub(super) fn is_same(&self, target: &Path, unit: &Unit) -> bool {
        let Ok(list) = self.list() else {
            return false;
        };
        let mut decisive = unit.files.iter().filter(|file| unit.tells_content(file));
        decisive.all(|path| {
            let known = list.iter().find(|known| known.path == *path);
            let content = checksum(&target.join(path)).ok();
            known.is_some_and(|known| content == Some((known.bytes, known.checksum)))
        })
    }

    /// Keeps the files of a unit, which are in `target`, unless the cache has the same files. Returns whether the
    /// entry is new.
    pub(super) fn keep(&self, target: &Path, files: &[PathBuf]) -> io::Result<bool> {
        let before = self.list().unwrap_or_default();
        let mut listed = Vec::new();
        for path in files {
            let file = target.join(path);
            let known = before.iter().find(|known| known.path == *path);
            // A file that was restored and not built anew need not be read.
            let known = known.filter(|_| are_one_file(&file, &self.directory.join(path)));
            let (bytes, checksum) = match known {
                Some(known) => (known.bytes, known.checksum),
                None => checksum(&file)?,
            };
            listed.push(Listed {
                path: path.clone(),
                bytes,
                checksum,
            });
        }
        listed.sort_by(|one, other| one.path.cmp(&other.path));
        if before == listed {
            return Ok(false);
        }
        let units = self.directory.with_file_name("");
        fs::create_dir_all(&units)?;
        let incomplete = tempfile::Builder::new().prefix(NEW).tempdir_in(&units)?;
        for file in &listed {
            let kept = incomplete.path().join(&file.path);
            fs::create_dir_all(kept.with_file_name(""))?;
            transfer(&target.join(&file.path), &kept)?;
        }
        fs::write(incomplete.path().join(LIST), serde_json::to_vec(&listed)?)?;
        self.remove();
        match fs::rename(incomplete.path(), &self.directory) {
            // Another kernel has kept the unit meanwhile.
            Err(_) if self.directory.exists() => Ok(false),
            renamed => renamed.map(|()| true),
        }
    }

    pub(super) fn last_used(&self) -> SystemTime {
        let list = fs::metadata(self.directory.join(LIST));
        list.and_then(|list| list.modified())
            .unwrap_or(SystemTime::UNIX_EPOCH)
    }

    /// Removes the entry. Other kernels see all of the entry or nothing.
    pub(super) fn remove(&self) {
        // A full disk has no room for another directory.
        let removed = format!("{OLD}{}-{}", std::process::id(), self.name());
        let removed = self.directory.with_file_name(removed);
        if fs::rename(&self.directory, &removed).is_ok() {
            let _ = fs::remove_dir_all(removed);
        }
    }

    fn list(&self) -> io::Result<Vec<Listed>> {
        let list = fs::read(self.directory.join(LIST))?;
        serde_json::from_slice(&list).map_err(io::Error::other)
    }
}

/// Removes what kernels have left behind that were killed while they kept or removed a unit.
pub(super) fn remove_remains(units: &Path) {
    let entries = fs::read_dir(units).into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name();
        let is_unfinished = [NEW, OLD]
            .iter()
            .any(|start| name.to_string_lossy().starts_with(start));
        let age = entry.metadata().and_then(|metadata| metadata.modified());
        let age = age.ok().and_then(|modified| modified.elapsed().ok());
        if is_unfinished && age.is_some_and(|age| age > LONG_AGO) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Whether both names are those of one file.
fn are_one_file(one: &Path, other: &Path) -> bool {
    let identity = |path| fs::metadata(path).map(|file| (file.dev(), file.ino())).ok();
    identity(one).is_some_and(|of_one| identity(other) == Some(of_one))
}

/// The length and the checksum of a file.
fn checksum(path: &Path) -> io::Result<(u64, u32)> {
    let mut file = File::open(path)?;
    let mut hasher = crc32fast::Hasher::new();
    let mut buffer = vec![0; 1 << 16];
    let mut bytes = 0;
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((bytes, hasher.finalize())),
            read => {
                hasher.update(&buffer[..read]);
                bytes += read as u64;
            }
        }
    }
}

/// Makes `to` the same file as `from`, or a copy with the same times.
fn transfer(from: &Path, to: &Path) -> io::Result<()> {
    // Writing to a name of another file would change that file.
    let _ = fs::remove_file(to);
    let metadata = fs::metadata(from)?;
    let is_program = metadata.permissions().mode() & 0o111 != 0;
    let has_ending = from
        .extension()
        .and_then(|ending| ending.to_str())
        .is_some_and(|ending| SHARED.contains(&ending));
    if (has_ending || is_program) && fs::hard_link(from, to).is_ok() {
        return Ok(());
    }
    fs::copy(from, to)?;
    let times = FileTimes::new()
        .set_accessed(metadata.accessed()?)
        .set_modified(metadata.modified()?);
    // The user may write the copy, also if a file of the package was read-only.
    let mode = metadata.permissions().mode() | 0o200;
    fs::set_permissions(to, fs::Permissions::from_mode(mode))?;
    File::options().write(true).open(to)?.set_times(times)
}
