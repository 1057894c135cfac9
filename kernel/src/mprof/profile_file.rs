//! The file that a recording writes its profile to.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use chrono::Local;

/// A sample waits at most so long, and until the next sample: if this process is killed, little is
/// missing. With a longer interval, each sample is written at once.
const FLUSH_AFTER: Duration = Duration::from_millis(20);
/// Flush when this many bytes are pending.
const FLUSH_AT: usize = 1 << 15;

/// Buffers lines and appends only whole ones, because the program may append to the same file.
pub(super) struct ProfileFile {
    path: PathBuf,
    file: File,
    is_new: bool,
    lines: String,
    flushed: Instant,
}

impl ProfileFile {
    /// Opens `path`, or without one a new file that is named after the current time.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
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
            lines: String::with_capacity(2 * FLUSH_AT),
            flushed: Instant::now(),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The absolute path, which stays valid when the program changes its directory.
    pub(super) fn absolute_path(&self) -> PathBuf {
        std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone())
    }

    /// Adds whole lines to the buffer.
    pub(super) fn add(&mut self, write: impl FnOnce(&mut String) -> fmt::Result) {
        write(&mut self.lines).expect("a String takes all that is written");
    }

    /// Writes the buffer if it is large or has waited long enough.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub(super) fn flush_now_and_then(&mut self) -> anyhow::Result<()> {
        if self.lines.len() >= FLUSH_AT || self.flushed.elapsed() >= FLUSH_AFTER {
            self.flush()?;
        }
        Ok(())
    }

    /// Writes the buffer.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub(super) fn flush(&mut self) -> anyhow::Result<()> {
        let written = self.file.write_all(self.lines.as_bytes());
        written.with_context(|| format!("cannot write {}", self.path.display()))?;
        self.lines.clear();
        self.flushed = Instant::now();
        Ok(())
    }

    /// Removes the file, unless it existed before [`Self::open`].
    pub(super) fn discard(self) {
        if self.is_new {
            // If this fails, an empty file stays behind.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Creates a file in this directory, named by the current second as `mprof` does. If a run that
/// started in the same second has taken the name, the next free second is used.
fn new_file() -> anyhow::Result<(PathBuf, File)> {
    let now = Local::now();
    for later in 0..60 {
        let time = now + chrono::Duration::seconds(later);
        let path = PathBuf::from(time.format("mprofile_%Y%m%d%H%M%S.dat").to_string());
        match OpenOptions::new().append(true).create_new(true).open(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => {
                let advice =
                    "cannot create a file in this directory; choose another with `-o FILE`";
                return Err(error).context(advice);
            }
        }
    }
    bail!("the profile names of the next minute are all taken; choose a file with `-o FILE`")
}
