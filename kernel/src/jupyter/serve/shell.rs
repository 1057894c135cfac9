//! The shell socket: runs cells, and answers questions about code in between.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use serde_json::Value;

use crate::jupyter::lifecycle::ExitRequest;
use crate::jupyter::request::{
    Executor, comm, complete, history, inspect, is_complete, kernel_info, shutdown,
};
use crate::jupyter::socket::{Answer, RequestSocket};
use crate::jupyter::wire::Message;
use crate::kernel_info::KernelInfo;

/// Answers requests on shell in order. Cells run on the thread that calls [`Shell::run`], so two
/// cells never overlap.
pub(crate) struct Shell {
    socket: RequestSocket,
    /// Requests that arrived before a cell failed. They are answered before those on the socket.
    arrived: VecDeque<Message>,
    executor: Executor,
    kernel_info: Arc<KernelInfo>,
    exit: ExitRequest,
}

/// After this long without a request the analyser gets ready, so that completions need not wait.
const PAUSE: Duration = Duration::from_millis(700);

const COMPLETE: &str = "complete_request";
const INSPECT: &str = "inspect_request";

/// How often a request that waits for the session or the analyser looks for other requests.
const LOOK: Duration = Duration::from_millis(20);

impl Shell {
    /// Creates a shell that runs cells in the executor's session.
    pub(crate) fn new(
        socket: RequestSocket,
        executor: Executor,
        kernel_info: Arc<KernelInfo>,
        exit: ExitRequest,
    ) -> Self {
        Self {
            socket,
            arrived: VecDeque::new(),
            executor,
            kernel_info,
            exit,
        }
    }

    /// Answers requests until the socket is stopped.
    pub(crate) fn run(mut self) {
        while let Some(request) = self.next() {
            self.serve(&request);
        }
    }

    fn next(&mut self) -> Option<Message> {
        let arrived = self.arrived.pop_front();
        if arrived.is_some() {
            return arrived;
        }
        if self.executor.is_unprepared() && self.socket.is_quiet_for(PAUSE) {
            self.executor.prepare_analyser();
        }
        self.socket.receive()
    }

    fn serve(&mut self, request: &Message) {
        match request.header.msg_type() {
            "execute_request" => self.execute(request),
            "shutdown_request" => {
                self.socket
                    .answer(request, || Answer::Reply(shutdown::reply(request)));
                self.exit.request();
            }
            COMPLETE => self.answer_editor(request, complete::magic_reply(request)),
            INSPECT => self.answer_editor(request, inspect::magic_reply(request)),
            _ => self.answer(request),
        }
    }

    /// Answers about a magic at once, and about Rust when the analyser has found the answer. Other requests
    /// go first, so that no cell waits.
    fn answer_editor(&mut self, request: &Message, magic_reply: Option<Value>) {
        let mut answer = magic_reply.map(Answer::Reply);
        while answer.is_none() && self.arrived.iter().all(is_of_editor) {
            answer = self.editor_reply(request);
            if !self.socket.is_quiet_for(Duration::ZERO) {
                self.arrived.extend(self.socket.drain());
            }
        }
        match answer {
            Some(answer) => self.socket.answer(request, || answer),
            None => self.arrived.push_back(request.clone()),
        }
    }

    /// The answer about Rust; `None` if the session or the analyser needs longer than [`LOOK`].
    fn editor_reply(&mut self, request: &Message) -> Option<Answer> {
        if self.executor.is_starting() {
            self.socket.is_quiet_for(LOOK);
            return None;
        }
        let session = self.executor.session();
        let reply = match request.header.msg_type() {
            COMPLETE => complete::reply(request, session, LOOK),
            _ => inspect::reply(request, session, LOOK),
        };
        match reply {
            Poll::Ready(reply) => Some(reply.into()),
            Poll::Pending => None,
        }
    }

    fn answer(&mut self, request: &Message) {
        let Self {
            socket,
            executor,
            kernel_info,
            ..
        } = self;
        socket.answer(request, || answer(request, executor, kernel_info));
    }

    /// Runs a cell. If the cell fails, the cells that are already queued are aborted: the user sent
    /// them in the belief that this one would succeed.
    fn execute(&mut self, request: &Message) {
        let mut abort = false;
        self.socket.answer(request, || {
            let executed = self.executor.execute(request);
            abort = executed.abort_queue;
            if abort {
                // Before the reply: later requests come from a user who has seen the failure.
                self.arrived.extend(self.socket.drain());
            }
            Answer::ReplyWith(executed.reply, executed.metadata)
        });
        if !abort {
            return;
        }
        for request in std::mem::take(&mut self.arrived) {
            if request.header.msg_type() == "execute_request" {
                self.socket
                    .answer(&request, || Answer::Reply(Executor::aborted()));
            } else {
                self.arrived.push_back(request);
            }
        }
    }
}

fn is_of_editor(request: &Message) -> bool {
    [COMPLETE, INSPECT].contains(&request.header.msg_type())
}

/// Answers a request that neither runs a cell, nor ends the kernel, nor is about Rust that is being written.
fn answer(request: &Message, executor: &mut Executor, info: &KernelInfo) -> Answer {
    match request.header.msg_type() {
        "kernel_info_request" => Answer::Reply(kernel_info::reply(info)),
        "is_complete_request" => is_complete::reply(request).into(),
        "history_request" => history::reply(request, executor.history()).into(),
        "comm_info_request" => Answer::Reply(comm::info_reply()),
        "comm_open" => {
            let iopub = executor.iopub().clone();
            comm::open(request, executor.session(), &iopub);
            Answer::None
        }
        // No comm stays open, so these messages are late.
        "comm_msg" | "comm_close" => Answer::None,
        other => Answer::unknown("shell", other),
    }
}
