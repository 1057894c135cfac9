//! The process that evcxr starts as its child. The relay passes evcxr's lines on to the supervisor
//! and brings back the answers.
//!
//! To begin a session anew, evcxr kills its child and starts another. The supervisor must outlive
//! the child, to end what the session has started, or to keep the session.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::thread;

/// evcxr starts its child with this variable set.
pub const CHILD_VARIABLE: &str = "EVCXR_IS_RUNTIME";

/// Environment variable with the path of the supervisor's listening socket.
pub const SOCKET_VARIABLE: &str = "MEMIT_SESSION_SOCKET";

/// Passes lines on until evcxr or the supervisor closes its end.
pub fn run() -> ExitCode {
    match relay() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("memit: no connection to the session: {error}");
            ExitCode::FAILURE
        }
    }
}

fn relay() -> io::Result<()> {
    // A terminal's Ctrl-C is for the program in front, which decides what it means.
    // Fails harmlessly if we lead a group already.
    let _ = rustix::process::setpgid(None, None);
    let socket = std::env::var_os(SOCKET_VARIABLE).ok_or_else(|| {
        let message = format!("{SOCKET_VARIABLE} is not set");
        io::Error::new(io::ErrorKind::NotFound, message)
    })?;
    let mut supervisor = UnixStream::connect(socket)?;
    let mut to_supervisor = supervisor.try_clone()?;
    thread::Builder::new()
        .name("commands".to_owned())
        .spawn(move || {
            let _ = pass(&mut io::stdin().lock(), &mut to_supervisor);
            let _ = to_supervisor.shutdown(Shutdown::Write);
        })?;
    pass(&mut supervisor, &mut io::stdout().lock())
}

/// Like [`io::copy`], which may splice: then a reader of the next pipe can sleep through the last
/// bytes until more arrive.
fn pass(from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    let mut bytes = [0; 8192];
    loop {
        let length = from.read(&mut bytes)?;
        if length == 0 {
            return Ok(());
        }
        to.write_all(&bytes[..length])?;
        to.flush()?;
    }
}
