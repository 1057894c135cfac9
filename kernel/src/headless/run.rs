//! `memit run`: executes a notebook.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use memit_magics::report::Report;
use memit_magics::result::{CostsOrder, CostsResult};
use memit_magics::units;

use super::console::{self, Console};
use super::interrupts::{interrupt_after, start_session};
use super::notebook_output::NotebookOutput;
use crate::kernel_info::KernelInfo;
use crate::notebook::{CodeCell, Notebook};
use crate::session::{CellError, Input, NoInput, Output, Session};

/// The options of `memit run`.
pub(crate) struct RunOptions {
    pub(crate) notebook: PathBuf,
    /// The file to write the executed notebook to, if any.
    pub(crate) output: Option<PathBuf>,
    /// The time limit of each cell.
    pub(crate) timeout: Option<Duration>,
    /// Whether the run continues after a cell fails.
    pub(crate) allow_errors: bool,
    /// The JSON file for what the cells have cost, or [`TABLE`]; nothing is told without.
    pub(crate) costs: Option<PathBuf>,
}

/// Stands for a table of costs on standard output, in place of a file.
pub(crate) const TABLE: &str = "-";

/// Executes a notebook and prints its outputs as they arrive.
///
/// # Errors
///
/// If the notebook cannot be read or written, or the session does not start. A failing cell is not
/// an error here: its error is printed, and the exit code is 1.
pub(crate) fn run(options: &RunOptions) -> anyhow::Result<ExitCode> {
    let mut notebook = Notebook::read(&options.notebook)?;
    let cells = notebook.code_cells();
    anstream::eprintln!(
        "Running {} ({})",
        options.notebook.display(),
        counted(cells.len())
    );
    let started = Instant::now();
    let mut session = start_session()?;
    session.close_input();
    notebook.clear();
    let mut failed = None;
    for (index, cell) in cells.iter().enumerate() {
        announce(cell, index + 1, cells.len());
        let execution_count = index as u64 + 1;
        let recorded = Arc::new(NotebookOutput::new(Console::default(), execution_count));
        let result = execute(
            &mut session,
            execution_count,
            cell,
            &recorded,
            options.timeout,
        )?;
        if let Err(error) = &result {
            recorded.error(error);
            console::print_error(error);
        }
        notebook.set_outputs(cell, execution_count, recorded.outputs());
        if result.is_err() && !options.allow_errors && !cell.may_fail {
            failed = Some(index + 1);
            break;
        }
    }
    notebook.set_language(KernelInfo::default().language_info());
    if let Some(path) = &options.output {
        notebook.write(path)?;
        anstream::eprintln!("Wrote {}", path.display());
    }
    if let Some(file) = &options.costs {
        tell_costs(session.costs().cells(), file)?;
    }
    if let Some(number) = failed {
        anstream::eprintln!("Cell {number} of {} failed", cells.len());
        return Ok(ExitCode::FAILURE);
    }
    anstream::eprintln!(
        "{} in {:.1} s",
        counted(cells.len()),
        started.elapsed().as_secs_f64()
    );
    Ok(ExitCode::SUCCESS)
}

fn execute(
    session: &mut Session,
    number: u64,
    cell: &CodeCell,
    recorded: &Arc<NotebookOutput<Console>>,
    timeout: Option<Duration>,
) -> anyhow::Result<Result<(), CellError>> {
    let started = Instant::now();
    // The timer of the previous cell may have fired just after that cell ended.
    session.interrupter().forget();
    let timer = timeout
        .map(|limit| interrupt_after(session.interrupter(), limit))
        .transpose()?;
    let output: Arc<dyn Output> = recorded.clone();
    let input: Arc<dyn Input> = Arc::new(NoInput("`memit run` has no one to ask"));
    let result = session.execute(number, &cell.source, &output, &input);
    drop(timer);
    Ok(match (result, timeout) {
        (Err(error), Some(limit))
            if error.ename == CellError::INTERRUPTED && started.elapsed() >= limit =>
        {
            let message = format!("the cell took longer than {} s", limit.as_secs_f64());
            Err(CellError::new("TimeoutError", message))
        }
        (result, _) => result,
    })
}

/// Prints what the cells have cost, or writes the data to a file.
fn tell_costs(costs: &CostsResult, file: &Path) -> anyhow::Result<()> {
    if file == Path::new(TABLE) {
        println!("{}", Report::of(costs, CostsOrder::Cell).text);
        return Ok(());
    }
    let data = serde_json::to_string_pretty(costs)? + "\n";
    fs::write(file, data).with_context(|| format!("cannot write {}", file.display()))?;
    anstream::eprintln!("Wrote {}", file.display());
    Ok(())
}

/// Prints the number and the first line of the cell that starts.
fn announce(cell: &CodeCell, number: usize, of: usize) {
    let mut lines = cell.source.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next().unwrap_or_default();
    let more = if lines.next().is_some() { " …" } else { "" };
    anstream::eprintln!("\x1b[2m[{number}/{of}]\x1b[0m \x1b[1m{first}{more}\x1b[0m");
}

fn counted(cells: usize) -> String {
    units::counted(&cells.to_string(), "cell")
}
