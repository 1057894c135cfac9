//! A home directory for a user who has set nothing.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::support::{self, Ran, memit, ran};

/// An empty home for a user who has set nothing.
pub(crate) struct Home(TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("there is a directory for temporary files"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    fn enter<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        for name in [
            "JUPYTER_DATA_DIR",
            "JUPYTER_PATH",
            "XDG_DATA_HOME",
            "VIRTUAL_ENV",
            "CONDA_PREFIX",
        ] {
            command.env_remove(name);
        }
        command.env("HOME", self.path())
    }

    pub(crate) fn memit(&self, arguments: &[&str]) -> Ran {
        self.memit_with(&[], arguments)
    }

    pub(crate) fn memit_with(&self, variables: &[(&str, &Path)], arguments: &[&str]) -> Ran {
        let mut command = memit();
        self.enter(&mut command)
            .envs(variables.iter().copied())
            .args(arguments);
        ran(&mut command, "")
    }

    /// Where Jupyter itself finds the kernel `name`.
    pub(crate) fn found_by_jupyter(
        &self,
        variables: &[(&str, &Path)],
        name: &str,
    ) -> Option<PathBuf> {
        let mut python = support::python();
        self.enter(&mut python)
            .envs(variables.iter().copied())
            .args(["-c", FIND, name]);
        let found = ran(&mut python, "").expect_code(0).stdout;
        (!found.trim().is_empty()).then(|| PathBuf::from(found.trim()))
    }
}

const FIND: &str = "import sys; from jupyter_client.kernelspec import KernelSpecManager; \
    print(KernelSpecManager().find_kernel_specs().get(sys.argv[1], ''))";
