//! The kernel's end of the analyser.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::{ARGUMENT, Answer, Question};
use crate::tools_environment;

/// The process of the analyser, which starts with the first question.
#[derive(Default)]
pub(crate) struct Analyser {
    running: Option<Running>,
    is_paused: bool,
}

struct Running {
    process: Child,
    questions: Sender<Vec<u8>>,
    answers: Receiver<Answer>,
    /// The question that will be answered next, and the number of questions that nobody waits for any more
    /// in front of this one.
    asked: Option<Question>,
    forgotten: usize,
}

impl Analyser {
    /// The answer to the question; `None` if the analyser has not answered after `patience`. Asking once more
    /// goes on with waiting.
    ///
    /// # Errors
    ///
    /// If the process cannot be started, or has ended. The next question starts another.
    pub(crate) fn answer(
        &mut self,
        question: &Question,
        patience: Duration,
    ) -> io::Result<Option<Answer>> {
        let answer = self
            .ask(question)
            .and_then(|running| running.wait(patience));
        if answer.is_err() {
            self.running = None;
        }
        answer
    }

    /// Lets the analyser work on the question, whose answer nobody waits for.
    ///
    /// # Errors
    ///
    /// If the process cannot be started, or has ended.
    pub(crate) fn prepare(&mut self, question: &Question) -> io::Result<()> {
        self.ask(question).map(drop)
    }

    fn ask(&mut self, question: &Question) -> io::Result<&mut Running> {
        self.resume();
        let running = match &mut self.running {
            Some(running) => running,
            none => none.insert(Running::start()?),
        };
        running.ask(question)?;
        Ok(running)
    }

    /// Makes the analyser stand still.
    pub(crate) fn pause(&mut self) {
        if !self.is_paused {
            self.signal(Signal::STOP);
            self.is_paused = true;
        }
    }

    /// Lets the analyser go on.
    pub(crate) fn resume(&mut self) {
        if self.is_paused {
            self.signal(Signal::CONT);
            self.is_paused = false;
        }
    }

    fn signal(&self, signal: Signal) {
        let Some(running) = &self.running else { return };
        if let Err(error) = kill_process(Pid::from_child(&running.process), signal) {
            tracing::debug!("the analyser gets no signal: {error}");
        }
    }
}

impl Running {
    fn start() -> io::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        tools_environment::leave(&mut command);
        tools_environment::show_library(&mut command);
        command.arg(ARGUMENT);
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (Some(input), Some(output)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        Ok(Self {
            process,
            questions: write_to(input)?,
            answers: read_from(output)?,
            asked: None,
            forgotten: 0,
        })
    }

    fn ask(&mut self, question: &Question) -> io::Result<()> {
        if self.asked.as_ref() == Some(question) {
            return Ok(());
        }
        let mut line = serde_json::to_vec(question)?;
        line.push(b'\n');
        let sent = self.questions.send(line);
        sent.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        self.forgotten += usize::from(self.asked.replace(question.clone()).is_some());
        Ok(())
    }

    fn wait(&mut self, patience: Duration) -> io::Result<Option<Answer>> {
        loop {
            match self.answers.recv_timeout(patience) {
                Ok(_) if self.forgotten > 0 => self.forgotten -= 1,
                Ok(answer) => {
                    self.asked = None;
                    return Ok(Some(answer));
                }
                Err(RecvTimeoutError::Timeout) => return Ok(None),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The process may be busy for seconds, or stand still.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Writes questions on a thread of its own: the analyser reads none while it works or stands still.
fn write_to(mut input: ChildStdin) -> io::Result<Sender<Vec<u8>>> {
    let (sender, questions) = channel::<Vec<u8>>();
    let write = move || {
        let mut written = questions.iter().map(|line| input.write_all(&line));
        written.find(Result::is_err)
    };
    let thread = thread::Builder::new().name("to analyser".to_owned());
    thread.spawn(write)?;
    Ok(sender)
}

fn read_from(output: ChildStdout) -> io::Result<Receiver<Answer>> {
    let (sender, answers) = channel();
    let read = move || {
        let lines = BufReader::new(output).lines().map_while(Result::ok);
        let mut read = lines.filter_map(|line| serde_json::from_str(&line).ok());
        read.find_map(|answer| sender.send(answer).err())
    };
    let thread = thread::Builder::new().name("from analyser".to_owned());
    thread.spawn(read)?;
    Ok(answers)
}
