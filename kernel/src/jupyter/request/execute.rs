//! `execute_request`: runs a cell.

use std::sync::{Arc, Mutex};

use memit_magics::result::CellCost;
use serde::Deserialize;
use serde_json::{Value, json};

use super::background_session::{BackgroundSession, guarded};
use super::bad_request;
use super::cell_input::CellInput;
use super::cell_output::{CellOutput, Silence};
use crate::jupyter::history::History;
use crate::jupyter::socket::{Iopub, Stdin};
use crate::jupyter::wire::Message;
use crate::session::{CellError, Input, Output, Session};

/// Runs and counts cells.
pub(crate) struct Executor {
    session: BackgroundSession,
    iopub: Iopub,
    stdin: Arc<Stdin>,
    history: History,
    execution_count: u32,
}

/// The result of a cell.
pub(crate) struct Executed {
    /// The content of the reply.
    pub(crate) reply: Value,
    /// The metadata of the reply: what the cell has cost.
    pub(crate) metadata: Value,
    /// Whether to abort the cells that are queued behind this one.
    pub(crate) abort_queue: bool,
}

/// The content of a request. Fields that clients may omit have the defaults of the protocol.
#[derive(Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "the protocol defines them")]
struct ExecuteRequest {
    code: String,
    #[serde(default)]
    silent: bool,
    #[serde(default = "yes")]
    store_history: bool,
    #[serde(default = "yes")]
    stop_on_error: bool,
    #[serde(default = "yes")]
    allow_stdin: bool,
}

fn yes() -> bool {
    true
}

impl Executor {
    /// Creates an executor that runs cells in `session`. Cells publish on `iopub` and ask on
    /// `stdin`; `history` keeps them.
    pub(crate) fn new(
        session: BackgroundSession,
        iopub: Iopub,
        stdin: Stdin,
        history: History,
    ) -> Self {
        Self {
            session,
            iopub,
            stdin: Arc::new(stdin),
            history,
            execution_count: 0,
        }
    }

    /// The session, if it has started already.
    pub(crate) fn session(&mut self) -> Option<&mut Session> {
        self.session.get()
    }

    /// Whether the session is still starting.
    pub(crate) fn is_starting(&mut self) -> bool {
        self.session.is_starting()
    }

    /// The history of cells.
    pub(crate) fn history(&self) -> &History {
        &self.history
    }

    /// Whether the session has started, and its analyser has not been told to read all dependencies.
    pub(crate) fn is_unprepared(&mut self) -> bool {
        let session = self.session.get();
        session.is_some_and(|session| !session.is_prepared())
    }

    /// Lets the analyser read the library and the dependencies in the background.
    pub(crate) fn prepare_analyser(&mut self) {
        if let Some(session) = self.session.get()
            && let Err(panic) = guarded(|| session.prepare_analyser())
        {
            tracing::warn!("the analyser was not prepared: {panic}");
        }
    }

    /// The socket that cells publish on.
    pub(crate) fn iopub(&self) -> &Iopub {
        &self.iopub
    }

    /// Runs a cell and publishes its outputs.
    pub(crate) fn execute(&mut self, request: &Message) -> Executed {
        let ExecuteRequest {
            code,
            silent,
            store_history,
            stop_on_error,
            allow_stdin,
        } = match bad_request::content(request) {
            Ok(content) => content,
            Err(bad) => {
                return Executed {
                    reply: bad.reply(),
                    metadata: json!({}),
                    abort_queue: false,
                };
            }
        };
        self.session.begin_cell();
        let is_blank = code.trim().is_empty();
        if store_history && !silent && !is_blank {
            self.execution_count += 1;
            self.history.store(self.execution_count, &code);
        }
        let execution_count = self.execution_count;
        let parent = &request.header;
        if !silent {
            let content = json!({"code": code, "execution_count": execution_count});
            self.iopub.broadcast("execute_input", parent, content);
        }

        let published = Arc::new(CellOutput {
            iopub: self.iopub.clone(),
            parent: parent.clone(),
            execution_count,
            shown: Mutex::default(),
            payload: Mutex::default(),
        });
        let output: Arc<dyn Output> = if silent {
            Arc::new(Silence)
        } else {
            published.clone()
        };
        let input: Arc<dyn Input> = Arc::new(CellInput {
            stdin: Arc::clone(&self.stdin),
            iopub: self.iopub.clone(),
            request: request.clone(),
            allowed: allow_stdin,
        });
        // Blank code does not need the session.
        let (done, cost) = if is_blank {
            (Ok(()), None)
        } else {
            self.run(&code, &output, &input)
        };

        if let Err(error) = &done
            && !silent
        {
            self.iopub.broadcast("error", parent, error_content(error));
        }
        Executed {
            abort_queue: done.is_err() && stop_on_error && !silent,
            reply: reply(execution_count, done, &published.take_payload()),
            metadata: cost.map_or(json!({}), |cost| json!({"memit": cost})),
        }
    }

    /// The reply to a cell that is aborted because an earlier cell failed. It has no execution
    /// count, because front-ends would then show the cell as run.
    pub(crate) fn aborted() -> Value {
        json!({"status": "aborted"})
    }

    fn run(
        &mut self,
        code: &str,
        output: &Arc<dyn Output>,
        input: &Arc<dyn Input>,
    ) -> (Result<(), CellError>, Option<CellCost>) {
        let number = u64::from(self.execution_count);
        let session = match self.session.wait(output.as_ref()) {
            Ok(session) => session,
            Err(error) => return (Err(error), None),
        };
        match guarded(|| session.execute(number, code, output, input)) {
            Ok(done) => (done, session.costs().last().cloned()),
            Err(panic) => (Err(panicked(&panic)), None),
        }
    }
}

/// The content of the reply.
fn reply(execution_count: u32, done: Result<(), CellError>, payload: &[Value]) -> Value {
    match done {
        Ok(()) => json!({
            "status": "ok",
            "execution_count": execution_count,
            "user_expressions": {},
            "payload": payload,
        }),
        Err(CellError {
            ename,
            evalue,
            traceback,
        }) => json!({
            "status": "error",
            "execution_count": execution_count,
            "ename": ename,
            "evalue": evalue,
            "traceback": traceback,
        }),
    }
}

/// The content of an `error` message.
fn error_content(error: &CellError) -> Value {
    let CellError {
        ename,
        evalue,
        traceback,
    } = error;
    json!({"ename": ename, "evalue": evalue, "traceback": traceback})
}

fn panicked(panic: &str) -> CellError {
    CellError::internal(
        "InternalError",
        format!("memit itself panicked: {panic}"),
        "This is a bug in memit or in evcxr. The session carries on, but if it misbehaves, restart \
         the kernel.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jupyter::history;
    use crate::jupyter::wire::{Codec, Header, Signer};

    /// An executor whose session could not be started.
    fn executor() -> Executor {
        let context = zmq::Context::new();
        let codec = Codec::new(Signer::new(""));
        let (iopub, _) = Iopub::start(&context, "inproc://iopub", codec.clone()).unwrap();
        let stdin = Stdin::bind(&context, "inproc://stdin", codec).unwrap();
        let session = BackgroundSession::failed("cargo was not found");
        let (alive, _) = crate::jupyter::lifecycle::alive();
        let history = History::open(history::DatabasePlace::Memory, alive).unwrap();
        Executor::new(session, iopub, stdin, history)
    }

    fn execute(executor: &mut Executor, content: Value) -> Executed {
        executor.execute(&Message {
            identities: vec![],
            header: Header::new("execute_request", "client"),
            parent: None,
            metadata: json!({}),
            content,
            buffers: vec![],
        })
    }

    #[test]
    fn without_a_session_the_reply_says_why() {
        let Executed {
            reply, abort_queue, ..
        } = execute(&mut executor(), json!({"code": "1"}));
        assert!(abort_queue);
        insta::assert_json_snapshot!(reply, @r#"
        {
          "status": "error",
          "execution_count": 1,
          "ename": "SessionError",
          "evalue": "the Rust session could not be started: cargo was not found",
          "traceback": [
            "the Rust session could not be started: cargo was not found",
            "Fix the cause, then restart the kernel."
          ]
        }
        "#);
    }

    #[test]
    fn only_cells_that_are_kept_in_the_history_count() {
        let mut executor = executor();
        for (content, count) in [
            (json!({"code": "1"}), 1),
            (json!({"code": "1", "silent": true}), 1),
            (json!({"code": "1", "store_history": false}), 1),
            (json!({"code": " \n"}), 1),
            (json!({"code": "1"}), 2),
        ] {
            let reply = execute(&mut executor, content.clone()).reply;
            assert_eq!(reply["execution_count"], count, "{content}");
        }
    }

    #[test]
    fn blank_code_succeeds_without_a_session() {
        let Executed { reply, .. } = execute(&mut executor(), json!({"code": " \n\t"}));
        assert_eq!(reply["status"], "ok");
    }

    #[test]
    fn a_failure_stops_the_queue_unless_the_client_wants_to_go_on() {
        let mut executor = executor();
        for (content, abort) in [
            (json!({"code": "1"}), true),
            (json!({"code": "1", "stop_on_error": false}), false),
            (json!({"code": "1", "silent": true}), false),
            (json!({"no code": 1}), false),
        ] {
            let executed = execute(&mut executor, content.clone());
            assert_eq!(executed.reply["status"], "error");
            assert_eq!(executed.abort_queue, abort, "{content}");
        }
    }
}
