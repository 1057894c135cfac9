//! Dependencies that another session has compiled.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use memit_session_process::supervisor;

use super::{BuildWatch, Engine};
use crate::dependency_cache::{Builds, DependencyCache};
use crate::session::io::Output;

/// Writes the dependencies of the session to the cache, on a thread of its own.
#[derive(Default)]
pub(super) struct Keeping {
    thread: Option<JoinHandle<()>>,
}

impl Keeping {
    fn wait(&mut self) {
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Keeping {
    fn drop(&mut self) {
        self.wait();
    }
}

impl Engine {
    /// Keeps the dependencies that cargo has compiled for the last cells.
    pub(super) fn keep_dependencies(&mut self) {
        let builds = Builds::new(self.builds());
        let Some(cache) = DependencyCache::of_user().filter(|_| builds.take_compiled()) else {
            return;
        };
        self.keeping.wait();
        let keep = move || {
            if let Err(error) = builds.keep(&cache) {
                tracing::debug!("dependency cache: {error}");
            }
        };
        let thread = std::thread::Builder::new().name("dependency cache".to_owned());
        self.keeping.thread = thread.spawn(keep).ok();
    }

    /// Reports which dependencies are being compiled, until the watch is dropped.
    pub(crate) fn watch_builds(&self, output: &Arc<dyn Output>) -> BuildWatch {
        BuildWatch::start(output, Builds::new(self.builds()))
    }

    /// The directory of the crate that evcxr builds.
    pub(super) fn builds(&self) -> PathBuf {
        self.link.directory().join(supervisor::COMPILED)
    }
}
