//! The process in which rust-analyzer works.

use std::io::{self, BufRead as _, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;

use super::library::Library;
use super::{About, Answer, Completions, Question};

/// Answers questions until standard input ends.
pub(crate) fn run() -> ExitCode {
    end_with_kernel();
    let mut known: Option<(PathBuf, Library)> = None;
    for line in io::stdin().lock().lines().map_while(Result::ok) {
        let Ok(question) = serde_json::from_str::<Question>(&line) else {
            continue;
        };
        let asked = || answer(&mut known, &question);
        // rust-analyzer can panic on half-typed code, and knows nothing for sure afterwards.
        let answer = catch_unwind(AssertUnwindSafe(asked)).unwrap_or_else(|_| {
            known = None;
            Err(anyhow::anyhow!("the analyser panicked"))
        });
        let answer = answer.unwrap_or_else(|error| {
            eprintln!("memit: no answer of the analyser: {error:#}");
            none(question.about)
        });
        if write(&answer).is_err() {
            break;
        }
    }
    ExitCode::SUCCESS
}

fn answer(known: &mut Option<(PathBuf, Library)>, question: &Question) -> anyhow::Result<Answer> {
    let is_other = |(directory, _): &mut (PathBuf, Library)| *directory != question.directory;
    known.take_if(is_other);
    let library = if let Some((_, library)) = known {
        library
    } else {
        let library = Library::of(&question.directory)?;
        &mut known.insert((question.directory.clone(), library)).1
    };
    library.set_source(&question.source)?;
    Ok(match question.about {
        About::Completions => Answer::Completions(library.completions(question.at)?),
        About::Documentation => Answer::Documentation(library.documentation(question.at)?),
    })
}

/// A process that stands still would not notice that the kernel has ended.
fn end_with_kernel() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
}

fn none(about: About) -> Answer {
    match about {
        About::Completions => Answer::Completions(Completions::default()),
        About::Documentation => Answer::Documentation(None),
    }
}

fn write(answer: &Answer) -> io::Result<()> {
    let mut line = serde_json::to_vec(answer)?;
    line.push(b'\n');
    let mut output = io::stdout().lock();
    output.write_all(&line)?;
    output.flush()
}
