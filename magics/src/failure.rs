//! Failures of measured snippets in words.

use memit_measurement::{Failure, FailureKind, Remark};

use crate::report::remarks;
use crate::units;

/// The kind of error: Jupyter's `ename`.
pub fn name(failure: &Failure) -> &'static str {
    match failure.cause {
        FailureKind::Panic(_) => "Panic",
        FailureKind::Returned { .. } => "ReturnedError",
        FailureKind::Signal { .. } | FailureKind::Exit { .. } => "ProcessEnded",
        FailureKind::TimedOut { .. } => "TimedOut",
        FailureKind::Interrupted => "KeyboardInterrupt",
        FailureKind::PassedLimit { .. } => "MemoryLimit",
        FailureKind::CannotFork { .. } | FailureKind::System { .. } => "MeasurementError",
    }
}

/// What happened, in one line.
pub fn message(failure: &Failure) -> String {
    match &failure.cause {
        FailureKind::Panic(panic) => panic.message.clone(),
        FailureKind::Returned { error } if error.is_empty() => {
            "the statement returned early".into()
        }
        FailureKind::Returned { error } => format!("the statement returned early with {error}"),
        FailureKind::Signal { number } => {
            format!("the statement was ended by {}", signal(*number))
        }
        FailureKind::Exit { code } => {
            format!("the statement ended its process with exit code {code}")
        }
        FailureKind::TimedOut { seconds } => format!("the statement took longer than {seconds} s"),
        FailureKind::PassedLimit { .. } => passed_limit(&failure.cause, ""),
        FailureKind::Interrupted => "the measurement was interrupted".into(),
        FailureKind::CannotFork { why } => format!("the session cannot be forked: {why}"),
        FailureKind::System { message } => message.clone(),
    }
}

/// The message of a passed limit. `place` says where: ` on line 3 of …`.
pub(crate) fn passed_limit(cause: &FailureKind, place: &str) -> String {
    let FailureKind::PassedLimit {
        limit,
        reached,
        refused,
    } = cause
    else {
        return String::new();
    };
    let came = if *refused {
        "would have reached"
    } else {
        "reached"
    };
    format!(
        "memory passed {}{place}: it {came} {}",
        units::bytes(*limit),
        units::bytes(*reached)
    )
}

/// The peak memory until the failure, and whether the session is unharmed. `remarks` say what the run
/// has done outside of the session.
pub fn note(failure: &Failure, remarks: &[Remark]) -> Option<String> {
    let memory = failure
        .peak_rss
        .filter(|peak| *peak > 0 && !matches!(failure.cause, FailureKind::Panic(_)))
        .map(|peak| format!("peak memory until then: {}", units::mib(peak)));
    let changes: Vec<_> = remarks.iter().filter(|each| each.is_change()).collect();
    let unharmed = if changes.is_empty() {
        "the session and its variables are as they were"
    } else {
        "the variables of the session are as they were"
    };
    let is_unharmed = failure.peak_rss.is_some() && failure.cause != FailureKind::Interrupted;
    let ran_in_place = failure.in_place
        && matches!(
            failure.cause,
            FailureKind::Panic(_) | FailureKind::Returned { .. } | FailureKind::Interrupted
        );
    let unharmed = if is_unharmed {
        Some(unharmed.to_owned())
    } else {
        ran_in_place.then(|| {
            "the statements ran in the session itself: what they have changed stays changed"
                .to_owned()
        })
    };
    let changes = changes.into_iter().map(remarks::text);
    let is_reason = |remark: &&Remark| matches!(remark, Remark::InPlace { .. });
    let in_place = remarks.iter().filter(is_reason).map(remarks::text);
    let fresh = failure.needs_fresh.then(|| NEEDS_FRESH.to_owned());
    let parts = memory
        .into_iter()
        .chain(unharmed)
        .chain(in_place)
        .chain(fresh)
        .chain(changes);
    let parts: Vec<_> = parts.collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// The remedy for statements that run well only once.
const NEEDS_FRESH: &str = "the statements ran well once and failed when they ran again, so they change \
     or consume their input. Make a new input for each execution: `%%timeit --fresh let mut x = …;`, \
     and the statements on the lines below";

/// The name of a signal and its usual meaning.
pub fn signal(number: i32) -> String {
    // The numbers of Linux on x86-64 and aarch64. POSIX defines only some of the numbers below 16.
    let (name, meaning) = match number {
        1 => ("SIGHUP", "hang-up"),
        2 => ("SIGINT", "interrupt"),
        3 => ("SIGQUIT", "quit"),
        4 => ("SIGILL", "illegal instruction"),
        5 => ("SIGTRAP", "trap"),
        6 => (
            "SIGABRT",
            "abort: a stack overflow, a failed allocation or a call of `abort`",
        ),
        7 => ("SIGBUS", "bus error"),
        8 => ("SIGFPE", "arithmetic error"),
        9 => ("SIGKILL", "killed, by the system when memory runs out"),
        10 => ("SIGUSR1", "sent by a program"),
        11 => ("SIGSEGV", "segmentation fault"),
        12 => ("SIGUSR2", "sent by a program"),
        13 => ("SIGPIPE", "broken pipe"),
        14 => ("SIGALRM", "alarm clock"),
        15 => ("SIGTERM", "terminated"),
        24 => ("SIGXCPU", "processor time limit"),
        25 => ("SIGXFSZ", "file size limit"),
        _ => return format!("signal {number}"),
    };
    format!("{name} ({meaning})")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(cause: FailureKind) -> Failure {
        Failure {
            cause,
            peak_rss: Some(10 << 20),
            threads: 1,
            in_place: false,
            needs_fresh: false,
        }
    }

    #[test]
    fn a_failure_says_what_happened_and_what_it_cost() {
        let killed = failure(FailureKind::Signal { number: 11 });
        assert_eq!(
            message(&killed),
            "the statement was ended by SIGSEGV (segmentation fault)"
        );
        assert_eq!(
            note(&killed, &[]).unwrap(),
            "peak memory until then: 10.00 MiB; the session and its variables are as they were"
        );
        let wrote = Remark::Wrote {
            to: vec!["`log.txt`".to_owned()],
        };
        assert_eq!(
            note(&killed, &[wrote, Remark::Future]).unwrap(),
            "peak memory until then: 10.00 MiB; the variables of the session are as they were; \
             the run has written to `log.txt`, which the session has open: what it wrote stays"
        );
        let in_place = Failure {
            cause: FailureKind::Panic(memit_measurement::Panic::default()),
            peak_rss: None,
            threads: 2,
            in_place: true,
            needs_fresh: false,
        };
        let why =
            "the thread `worker` (17) cannot be stopped: the thread blocks signal 64".to_owned();
        insta::assert_snapshot!(
            note(&in_place, &[Remark::InPlace { why }]).unwrap(),
            @"the statements ran in the session itself: what they have changed stays changed; the session could not be forked, so changes of variables stay: the thread `worker` (17) cannot be stopped: the thread blocks signal 64"
        );
        let later = Failure {
            needs_fresh: true,
            ..failure(FailureKind::Returned {
                error: "none".into(),
            })
        };
        assert!(note(&later, &[]).unwrap().contains("%%timeit --fresh"));
        assert!(!note(&killed, &[]).unwrap().contains("--fresh"));
        let late = failure(FailureKind::TimedOut { seconds: 0.5 });
        assert_eq!(message(&late), "the statement took longer than 0.5 s");
        assert_eq!(
            name(&failure(FailureKind::Interrupted)),
            "KeyboardInterrupt"
        );
    }
}
