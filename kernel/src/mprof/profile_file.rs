//! The file that a profile is written to.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use chrono::Local;

/// Lines wait no longer, so that one can look at the file while it grows.
const FLUSH_AFTER: Duration = Duration::from_secs(1);
/// Nor when there are more bytes of them.
const FLUSH_AT: usize = 1 << 15;

/// Collects lines and appends them whole: the program may append to the file too.
pub(super) struct ProfileFile {
    path: PathBuf,
    file: File,
    is_new: bool,
    lines: Vec<u8>,
    flushed: Instant,
}

impl ProfileFile {
    /// Opens the file, or a new one that is named after the time.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub(super) fn open(path: Option<&Path>) -> anyhow::Result<Self> {
        let (path, file, is_new) = if let Some(path) = path {
            let is_new = !path.exists();
            let file = OpenOptions::new().append(true).create(true).open(path);
            let file = file.with_context(|| format!("cannot write {}", path.display()))?;
            (path.to_owned(), file, is_new)
        } else {
            let (path, file) = new_file()?;
            (path, file, true)
        };
        Ok(Self {
            path,
            file,
            is_new,
            lines: Vec::with_capacity(2 * FLUSH_AT),
            flushed: Instant::now(),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The path from the root, for programs that change their directory.
    pub(super) fn absolute_path(&self) -> PathBuf {
        std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone())
    }

    /// Where whole lines are to be added.
    pub(super) fn lines(&mut self) -> &mut Vec<u8> {
        &mut self.lines
    }

    /// Writes what has been added, if that is much or some time ago.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub(super) fn flush_now_and_then(&mut self) -> anyhow::Result<()> {
        if self.lines.len() >= FLUSH_AT || self.flushed.elapsed() >= FLUSH_AFTER {
            self.flush()?;
        }
        Ok(())
    }

    /// Writes what has been added.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub(super) fn flush(&mut self) -> anyhow::Result<()> {
        let written = self.file.write_all(&self.lines);
        written.with_context(|| format!("cannot write {}", self.path.display()))?;
        self.lines.clear();
        self.flushed = Instant::now();
        Ok(())
    }

    /// Takes the file away again, unless it was there before.
    pub(super) fn discard(self) {
        if self.is_new {
            // One that stays behind is empty.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// A file in this directory with the name that `mprof` gives, the time to the second. Where that
/// is taken by a run that began in the same second, a later one.
fn new_file() -> anyhow::Result<(PathBuf, File)> {
    let now = Local::now();
    for later in 0..60 {
        let time = now + chrono::Duration::seconds(later);
        let path = PathBuf::from(time.format("mprofile_%Y%m%d%H%M%S.dat").to_string());
        match OpenOptions::new().append(true).create_new(true).open(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => {
                let advice = "cannot make a file in this directory; name another with `-o FILE`";
                return Err(error).context(advice);
            }
        }
    }
    bail!("the names of profiles are taken for the next minute; name another file with `-o FILE`")
}
