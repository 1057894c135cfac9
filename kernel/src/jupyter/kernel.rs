//! Starts the parts of the kernel, and ends them in order.

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::Context as _;

use super::connection;
use super::history::{DatabasePlace, History};
use super::lifecycle::{
    Alive, ExitOnDrop, ExitRequest, Interrupt, alive, exit_requests, handle_signals,
};
use super::request::{BackgroundSession, Executor};
use super::serve::{Control, ControlParts, Shell};
use super::socket::{ExecutionState, Heartbeat, Iopub, RequestSocket, Stdin};
use super::socket_files::SocketFiles;
use super::wire::{Codec, Signer};
use crate::kernel_info::KernelInfo;
use crate::tools_environment;

/// How long the end of the kernel waits for the interrupted cell and for the session's processes.
const PATIENCE: Duration = Duration::from_secs(1);

/// Serves the front-end that wrote `connection_file` until a client or a signal ends the kernel,
/// and keeps the history of cells at `history`. `shows_costs` shows below each cell what the cell has cost.
///
/// Clients get their first answers while the session is still starting. Returns when every part has
/// ended; if a cell cannot be stopped, exits the process instead.
///
/// # Errors
///
/// If the connection file cannot be used, or a socket cannot be bound.
pub(crate) fn serve(
    connection_file: &Path,
    history: DatabasePlace,
    shows_costs: bool,
) -> anyhow::Result<()> {
    let kernel_info = Arc::new(KernelInfo::default());
    ask_rustc_in_background(&kernel_info)?;
    let (exit, exit_requests) = exit_requests();
    let interrupt = Interrupt::default();
    handle_signals(interrupt.clone(), exit.clone())?;

    let connection = connection::read(connection_file)?;
    let socket_files = SocketFiles::of(&connection);
    let codec = Codec::new(Signer::new(&connection.key));
    // Dropping a context waits for all of its sockets, and a stuck cell never gives up its socket.
    // Sockets used by cells therefore have their own context. Dropping the other context flushes
    // its messages and cannot hang on a stuck cell.
    let (context, cell_context) = (zmq::Context::new(), zmq::Context::new());

    let (iopub, iopub_thread) = Iopub::start(&context, &connection.iopub_url(), codec.clone())?;
    let bind = |context, name, endpoint: String| {
        RequestSocket::bind(context, name, &endpoint, codec.clone(), iopub.clone())
    };
    let (control, control_stopper) = bind(&context, "control", connection.control_url())?;
    let (shell, shell_stopper) = bind(&cell_context, "shell", connection.shell_url())?;
    let stdin = Stdin::bind(&cell_context, &connection.stdin_url(), codec.clone())?;
    let heartbeat = Heartbeat::start(&context, &connection.hb_url())?;
    iopub.status(ExecutionState::Starting, None);

    let (alive, all_ended) = alive();
    let session = BackgroundSession::start(interrupt.clone(), alive.clone(), shows_costs)?;
    let history = History::open(history, alive.clone())?;
    let executor = Executor::new(session, iopub.clone(), stdin, history);
    let shell = Shell::new(shell, executor, Arc::clone(&kernel_info), exit.clone());
    run_shell(shell, alive, exit.clone())?;
    let parts = ControlParts {
        kernel_info,
        interrupt: interrupt.clone(),
        exit,
    };
    let control = Control::start(control, control_stopper, parts)?;

    exit_requests.wait();

    shell_stopper.stop();
    interrupt.interrupt();
    let cells_ended = all_ended.wait(PATIENCE);
    control.stop();
    heartbeat.stop();
    iopub.close();
    if iopub_thread.join().is_err() {
        tracing::error!("the iopub thread panicked");
    }
    drop((context, socket_files));
    if !cells_ended {
        tracing::warn!("exiting without waiting for the compiler or the analyser");
        // Returning would wait for the socket of the cell.
        tools_environment::remove_directory();
        std::process::exit(0);
    }
    Ok(())
}

/// Starts the thread on which cells run.
fn run_shell(shell: Shell, alive: Alive, exit: ExitRequest) -> anyhow::Result<()> {
    thread::Builder::new()
        .name("shell".to_owned())
        .spawn(move || {
            let _alive = alive;
            // A kernel whose shell has ended must not go on answering heartbeats.
            let _exit = ExitOnDrop(exit);
            shell.run();
        })
        .context("cannot start the shell thread")?;
    Ok(())
}

/// Asks `rustc` for its version early, so that the answer is ready for the first client.
fn ask_rustc_in_background(kernel_info: &Arc<KernelInfo>) -> anyhow::Result<()> {
    let kernel_info = Arc::clone(kernel_info);
    thread::Builder::new()
        .name("rustc-version".to_owned())
        .spawn(move || {
            kernel_info.rustc_version();
        })
        .context("cannot start the rustc-version thread")?;
    Ok(())
}
