//! The control socket: answers requests that must not wait for the running cell.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use anyhow::Context as _;
use serde_json::json;

use crate::jupyter::lifecycle::{ExitRequest, Interrupt};
use crate::jupyter::request::{kernel_info, shutdown};
use crate::jupyter::socket::{Answer, RequestSocket, Stopper};
use crate::jupyter::wire::Message;
use crate::kernel_info::KernelInfo;

/// The thread that answers requests on control.
pub(crate) struct Control {
    stopper: Stopper,
    thread: JoinHandle<()>,
}

/// The parts of the kernel that the answers need.
pub(crate) struct ControlParts {
    /// Describes the language.
    pub(crate) kernel_info: Arc<KernelInfo>,
    /// Interrupts the running cell.
    pub(crate) interrupt: Interrupt,
    /// Ends the kernel.
    pub(crate) exit: ExitRequest,
}

impl Control {
    /// Starts the thread.
    pub(crate) fn start(
        socket: RequestSocket,
        stopper: Stopper,
        parts: ControlParts,
    ) -> anyhow::Result<Self> {
        let thread = thread::Builder::new()
            .name("control".to_owned())
            .spawn(move || {
                while let Some(request) = socket.receive() {
                    parts.serve(&socket, &request);
                }
            })
            .context("cannot start the control thread")?;
        Ok(Self { stopper, thread })
    }

    /// Ends the thread and closes the socket.
    pub(crate) fn stop(self) {
        self.stopper.stop();
        if self.thread.join().is_err() {
            tracing::error!("the control thread panicked");
        }
    }
}

impl ControlParts {
    fn serve(&self, socket: &RequestSocket, request: &Message) {
        match request.header.msg_type() {
            "kernel_info_request" => {
                socket.answer(request, || {
                    Answer::Reply(kernel_info::reply(&self.kernel_info))
                });
            }
            "interrupt_request" => socket.answer(request, || {
                self.interrupt.interrupt();
                Answer::Reply(json!({"status": "ok"}))
            }),
            "shutdown_request" => {
                socket.answer(request, || Answer::Reply(shutdown::reply(request)));
                self.exit.request();
            }
            other => socket.answer(request, || Answer::unknown("control", other)),
        }
    }
}
