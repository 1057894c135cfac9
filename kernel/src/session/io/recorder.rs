//! Keeps the output of a cell on behalf of a magic.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::output::{MimeBundle, Output, Stream};

/// Which outputs are kept. The others are shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kept {
    pub(crate) stdout: bool,
    pub(crate) stderr: bool,
    pub(crate) display: bool,
}

/// The outputs that were kept.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recorded {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// The plain text of values and rich outputs.
    pub(crate) outputs: Vec<String>,
}

/// Keeps outputs.
pub(crate) struct Recorder {
    kept: Kept,
    shown: Arc<dyn Output>,
    recorded: Mutex<Recorded>,
}

impl Recorder {
    /// A recorder that shows on `shown` what is not kept.
    pub(crate) fn new(kept: Kept, shown: &Arc<dyn Output>) -> Self {
        Self {
            kept,
            shown: Arc::clone(shown),
            recorded: Mutex::default(),
        }
    }

    /// Takes what was recorded.
    pub(crate) fn take(&self) -> Recorded {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Recorded> {
        self.recorded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Output for Recorder {
    fn stream(&self, stream: Stream, text: &str) {
        match stream {
            Stream::Stdout if self.kept.stdout => self.lock().stdout.push_str(text),
            Stream::Stderr if self.kept.stderr => self.lock().stderr.push_str(text),
            _ => self.shown.stream(stream, text),
        }
    }

    fn display(&self, data: MimeBundle) {
        if self.kept.display {
            self.lock().outputs.push(plain(&data));
        } else {
            self.shown.display(data);
        }
    }

    fn preview(&self, data: MimeBundle) {
        if !self.kept.display {
            self.shown.preview(data);
        }
    }

    fn settle(&self, data: MimeBundle) {
        if self.kept.display {
            self.display(data);
        } else {
            self.shown.settle(data);
        }
    }

    fn result(&self, data: MimeBundle) {
        if self.kept.display {
            self.display(data);
        } else {
            self.shown.result(data);
        }
    }

    fn clear(&self, wait: bool) {
        if self.kept.stdout && self.kept.stderr && self.kept.display {
            *self.lock() = Recorded::default();
        } else {
            self.shown.clear(wait);
        }
    }

    fn progress(&self, text: Option<&str>) {
        self.shown.progress(text);
    }

    fn next_input(&self, text: &str) {
        self.shown.next_input(text);
    }
}

/// The plain text of an output, or else its first text.
fn plain(data: &MimeBundle) -> String {
    let text = data.get("text/plain").or_else(|| data.values().next());
    match text {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kept: Kept, shown: &Arc<dyn Output>) -> Recorded {
        let recorder = Recorder::new(kept, shown);
        recorder.stream(Stream::Stdout, "a");
        recorder.stream(Stream::Stderr, "b");
        recorder.stream(Stream::Stdout, "c");
        recorder.result(MimeBundle::from_iter([(
            "text/plain".to_owned(),
            "d".into(),
        )]));
        recorder.display(MimeBundle::from_iter([(
            "image/png".to_owned(),
            "e".into(),
        )]));
        recorder.take()
    }

    #[test]
    fn what_is_not_kept_is_shown() {
        let all = Kept {
            stdout: true,
            stderr: true,
            display: true,
        };
        let outer = Arc::new(Recorder::new(all, &(Arc::new(Nowhere) as Arc<dyn Output>)));
        let shown: Arc<dyn Output> = outer.clone();
        let kept = record(all, &shown);
        assert_eq!((kept.stdout.as_str(), kept.stderr.as_str()), ("ac", "b"));
        assert_eq!(kept.outputs, ["d", "e"]);
        assert_eq!(outer.take().stdout, "");
        let some = Kept {
            stdout: false,
            display: false,
            ..all
        };
        assert_eq!(record(some, &shown).stderr, "b");
        let passed = outer.take();
        assert_eq!((passed.stdout.as_str(), passed.stderr.as_str()), ("ac", ""));
        assert_eq!(passed.outputs, ["d", "e"]);
    }

    struct Nowhere;

    impl Output for Nowhere {}
}
