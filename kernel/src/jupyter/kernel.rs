//! The kernel from its first thread to its last message.

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

/// How long the end of the kernel waits for a cell to notice its interrupt and for the session's
/// processes to end.
const PATIENCE: Duration = Duration::from_secs(1);

/// Serves the front-end that wrote `connection_file` until it asks for the end, and keeps the
/// history of cells at `history`; returns when all has been cleared away. If a cell cannot be stopped, the process exits from here.
///
/// Clients get their first answers while the session is still being started.
///
/// # Errors
///
/// If the connection file cannot be used, or a socket cannot be bound.
pub(crate) fn serve(connection_file: &Path, history: DatabasePlace) -> anyhow::Result<()> {
    let kernel_info = Arc::new(KernelInfo::default());
    ask_rustc_in_background(&kernel_info)?;
    let (exit, exit_requests) = exit_requests();
    let interrupt = Interrupt::default();
    handle_signals(interrupt.clone(), exit.clone())?;

    let connection = connection::read(connection_file)?;
    let socket_files = SocketFiles::of(&connection);
    let codec = Codec::new(Signer::new(&connection.key));
    // A cell that cannot be stopped keeps its socket, and dropping a context waits for every
    // socket in it. So the sockets that cells have to do with get a context of their own, and
    // that of the others can be dropped, which waits until the last messages have left.
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
    let session = BackgroundSession::start(interrupt.clone(), alive.clone())?;
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
        tracing::warn!("the end does not wait for the compiler or the analyser");
        // Returning would wait for its socket.
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
            // Without a shell, a kernel that goes on beating would fool its clients.
            let _exit = ExitOnDrop(exit);
            shell.run();
        })
        .context("cannot start the shell thread")?;
    Ok(())
}

/// `rustc` is asked first of all, so that the answer is there when the first client wants it.
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
