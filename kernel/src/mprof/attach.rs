//! `memit mprof attach`: records a running process.

use std::io;
use std::ops::ControlFlow;
use std::os::fd::AsFd as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use memit_magics::{units, visible};
use memit_measurement::mprof_format;
use memit_process::Tree;
use memit_process::process;
use rustix::io::Errno;

use super::arguments::AttachArgs;
use super::profile_file::ProfileFile;
use super::recording::{Finish, Recording, hold_signals, say_stopped, with_descendants};

/// Records the memory of a process until it ends, the time is up, or Ctrl-C is pressed.
///
/// # Errors
///
/// If the process does not exist, its memory may not be read, or the profile cannot be written.
pub(super) fn attach(arguments: &AttachArgs) -> anyhow::Result<()> {
    let pid = find(&arguments.process)?;
    let signals = hold_signals(&[]).context("cannot receive signals")?;
    let ended = process::pidfd(pid.cast_signed()).map_err(|error| cannot_read(pid, &error))?;
    let record = &arguments.record;
    let tree = Tree::running(pid, record.backend, with_descendants(record));
    let tree = tree.map_err(|error| cannot_read(pid, &error))?;
    let command = process::arguments(pid);
    if process::resident(pid).is_none() {
        bail!("process {pid} has no memory of its own: it has ended, or is a kernel thread");
    }
    let mut output = ProfileFile::open(record.output.as_deref())?;
    // The last argument is terminated too, which leaves an empty word behind it.
    let words = command.strip_suffix(&[String::new()]).unwrap_or(&command);
    output.add(|lines| mprof_format::command(lines, words));
    let mut recording = Recording::start(tree, record, output)?;
    if !record.quiet {
        let limit = arguments.timeout.0.map(|limit| {
            let limit = units::time(limit.as_secs_f64() * 1e9, 3);
            format!(" for at most {limit}")
        });
        let limit = limit.unwrap_or_default();
        eprintln!(
            "memit: recording process {pid} ({}){limit}; Ctrl-C stops the recording",
            name(pid)
        );
    }
    let timeout = arguments.timeout.0;
    let finish = recording.record(ended.as_fd(), &signals, timeout, |_| ControlFlow::Break(()))?;
    if finish == Finish::ProcessEnded {
        recording.end_unseen();
    }
    recording.output.flush()?;
    if !record.quiet {
        if finish == Finish::TimeOver {
            say_stopped(&name(pid), pid);
        }
        eprintln!("{}", recording.summary());
    }
    Ok(())
}

/// The name of a process, fit to be shown.
fn name(pid: u32) -> String {
    visible(&process::name(pid).unwrap_or_default()).into_owned()
}

fn cannot_read(pid: u32, error: &io::Error) -> anyhow::Error {
    // `ErrorKind` has no name for ESRCH.
    let is_gone =
        error.kind() == io::ErrorKind::NotFound || Errno::from_io_error(error) == Some(Errno::SRCH);
    match error.kind() {
        _ if is_gone => anyhow::anyhow!("there is no process {pid}: it has ended or never existed"),
        io::ErrorKind::PermissionDenied => anyhow::anyhow!(
            "no permission to read the memory of process {pid}, which belongs to another user; try \
             `--backend rss`, or run memit as that user"
        ),
        _ => anyhow::anyhow!("cannot read the memory of process {pid}: {error}"),
    }
}

/// The process with this ID, or the only process whose name contains the text.
fn find(process: &str) -> anyhow::Result<u32> {
    if let Ok(pid) = process.parse() {
        return Ok(pid);
    }
    let own = std::process::id();
    let listed = Path::new("/proc")
        .read_dir()
        .context("cannot list the processes in /proc")?;
    let mut found: Vec<(u32, String)> = listed
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| *pid != own)
        .filter_map(|pid| Some((pid, process::name(pid)?)))
        .filter(|(_, name)| name.contains(process))
        .collect();
    found.sort();
    match found.as_slice() {
        [] => bail!("no process has `{process}` in its name; `ps -e` lists all processes"),
        [(pid, _)] => Ok(*pid),
        several => {
            let several: Vec<_> = several
                .iter()
                .map(|(pid, name)| format!("{pid} ({})", visible(name)))
                .collect();
            bail!(
                "{} processes have `{process}` in their names: {}; choose one by its ID",
                several.len(),
                several.join(", ")
            )
        }
    }
}
