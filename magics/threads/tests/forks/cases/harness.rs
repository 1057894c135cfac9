//! Runs each test in a process of its own, with a time limit.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Failed, Trial};

/// The name of a test and its body, which runs on the main thread of a process.
pub(crate) type Case = (&'static str, fn());

/// The variable that names the test which a process is for.
const VARIABLE: &str = "MEMIT_THREADS_CASE";
/// The soak test takes longest.
const LIMIT: Duration = Duration::from_mins(10);
const PAUSE: Duration = Duration::from_millis(5);

/// Runs the one test that this process is for, or all, each in a process.
pub(crate) fn run(cases: Vec<Case>) {
    if let Ok(name) = std::env::var(VARIABLE) {
        let (_, body) = cases
            .into_iter()
            .find(|case| case.0 == name)
            .expect("there is such a test");
        body();
        return;
    }
    let trials = cases.into_iter();
    let trials = trials.map(|(name, _)| Trial::test(name, move || in_process(name)));
    let conclusion = libtest_mimic::run(&Arguments::from_args(), trials.collect());
    assert_eq!(
        ExitCode::from(u8::from(conclusion.has_failed())),
        ExitCode::SUCCESS
    );
}

fn in_process(name: &str) -> Result<(), Failed> {
    let mut output = output_file()?;
    let mut child = Command::new(std::env::current_exe()?)
        .env(VARIABLE, name)
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output.try_clone()?)
        .spawn()?;
    let deadline = Instant::now() + LIMIT;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status.to_string();
        }
        if Instant::now() >= deadline {
            child.kill()?;
            child.wait()?;
            break "no end".to_owned();
        }
        std::thread::sleep(PAUSE);
    };
    if status == "exit status: 0" {
        return Ok(());
    }
    let mut text = Vec::new();
    output.rewind()?;
    output.read_to_end(&mut text)?;
    Err(format!("{status}\n{}", String::from_utf8_lossy(&text)).into())
}

/// A file without a name. A pipe would stay open as long as any fork lives.
fn output_file() -> std::io::Result<File> {
    use std::os::fd::FromRawFd as _;
    // SAFETY: the name is a C string.
    let file = unsafe { libc::memfd_create(c"output".as_ptr(), libc::MFD_CLOEXEC) };
    if file == -1 {
        return Err(std::io::Error::last_os_error());
    }
    // SAFETY: a new descriptor, which nobody else owns.
    Ok(unsafe { File::from_raw_fd(file) })
}
