//! Installs the kernelspec.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::kernelspec::{self, Owner};
use super::name::KernelName;
use super::prefix::InstallPrefix;
use crate::data_directory::Environment;

/// An installation of the kernelspec.
#[derive(Debug, Clone)]
pub(crate) struct Install {
    /// The prefix in which Jupyter finds the kernelspec.
    pub(crate) prefix: InstallPrefix,
    /// The name by which Jupyter identifies the kernel.
    pub(crate) name: KernelName,
    /// The name that users see in menus.
    pub(crate) display_name: String,
}

impl Install {
    /// The default of [`Self::name`].
    pub(crate) const DEFAULT_NAME: &str = "memit";
    /// The default of [`Self::display_name`].
    pub(crate) const DEFAULT_DISPLAY_NAME: &str = "Rust (memit)";

    /// Writes the kernelspec for the running executable and returns its directory. Replaces an
    /// older kernelspec of memit, but not the kernelspec of another kernel.
    pub(crate) fn run(&self, environment: &Environment<'_>) -> anyhow::Result<PathBuf> {
        let executable = std::env::current_exe().context("cannot find the executable of memit")?;
        self.run_for(&executable, environment)
    }

    fn run_for(&self, executable: &Path, environment: &Environment<'_>) -> anyhow::Result<PathBuf> {
        let directory = self.prefix.kernelspec(&self.name, environment)?;
        if kernelspec::owner(&directory) == Owner::Other {
            bail!(
                "{} belongs to another kernel; choose another name with --name, or remove it with \
                 `jupyter kernelspec remove {}`",
                directory.display(),
                self.name
            );
        }
        let kernels = directory
            .parent()
            .context("a kernelspec lies in a directory")?;
        fs::create_dir_all(kernels)
            .with_context(|| format!("cannot create {}", kernels.display()))?;

        // Jupyter may read the directory at any moment, so the kernelspec appears all at once.
        let new = temporary_directory(kernels)?;
        kernelspec::write(new.path(), executable, &self.display_name)?;
        let old = temporary_directory(kernels)?;
        let set_aside = old.path().join("kernelspec");
        let is_update = directory.exists();
        if is_update {
            fs::rename(&directory, &set_aside)
                .with_context(|| format!("cannot replace {}", directory.display()))?;
        }
        if let Err(error) = fs::rename(new.path(), &directory) {
            if is_update {
                // If this fails too, the first error is the one to report.
                let _ = fs::rename(&set_aside, &directory);
            }
            return Err(error).with_context(|| format!("cannot create {}", directory.display()));
        }
        Ok(directory)
    }
}

/// Creates a directory next to the kernelspecs, so that renaming can turn it into one. Jupyter
/// ignores the directory, because its name is hidden.
fn temporary_directory(kernels: &Path) -> anyhow::Result<tempfile::TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".memit-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // Other users of a shared prefix must be able to read it. The umask still applies.
        builder.permissions(fs::Permissions::from_mode(0o777));
    }
    builder
        .tempdir_in(kernels)
        .with_context(|| format!("cannot write to {}", kernels.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn install_into(prefix: &Path, executable: &str) -> anyhow::Result<PathBuf> {
        let install = Install {
            prefix: InstallPrefix::Directory(prefix.to_owned()),
            name: Install::DEFAULT_NAME.parse().unwrap(),
            display_name: Install::DEFAULT_DISPLAY_NAME.to_owned(),
        };
        install.run_for(Path::new(executable), &Environment::of_process())
    }

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_kernelspec_is_written_whole_and_nothing_beside_it() {
        let prefix = tempfile::tempdir().unwrap();
        let directory = install_into(prefix.path(), "/usr/bin/memit").unwrap();
        assert_eq!(directory, prefix.path().join("share/jupyter/kernels/memit"));
        assert_eq!(
            names(&directory),
            [
                "kernel.json",
                "logo-32x32.png",
                "logo-64x64.png",
                "logo-svg.svg"
            ]
        );
        assert_eq!(names(directory.parent().unwrap()), ["memit"]);
    }

    #[test]
    fn installing_again_replaces_the_old_kernelspec() {
        let prefix = tempfile::tempdir().unwrap();
        let directory = install_into(prefix.path(), "/old/memit").unwrap();
        fs::write(directory.join("left-over"), "").unwrap();
        install_into(prefix.path(), "/new/memit").unwrap();
        let kernel = fs::read_to_string(directory.join("kernel.json")).unwrap();
        assert!(kernel.contains("/new/memit"), "{kernel}");
        assert!(!directory.join("left-over").exists());
        assert_eq!(names(directory.parent().unwrap()), ["memit"]);
    }

    #[test]
    fn the_kernelspec_of_another_kernel_is_left_alone() {
        let prefix = tempfile::tempdir().unwrap();
        let directory = prefix.path().join("share/jupyter/kernels/memit");
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("kernel.json"), r#"{"argv": ["python3"]}"#).unwrap();
        let error = install_into(prefix.path(), "/usr/bin/memit")
            .unwrap_err()
            .to_string();
        assert!(error.contains("belongs to another kernel"), "{error}");
        assert_eq!(names(&directory), ["kernel.json"]);
    }

    #[test]
    fn a_prefix_that_cannot_be_written_is_named() {
        let prefix = tempfile::tempdir().unwrap();
        fs::write(prefix.path().join("share"), "").unwrap();
        let error = format!(
            "{:#}",
            install_into(prefix.path(), "/usr/bin/memit").unwrap_err()
        );
        assert!(error.contains("share/jupyter/kernels"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn other_users_can_read_a_kernelspec_in_a_shared_prefix() {
        use std::os::unix::fs::PermissionsExt as _;

        let prefix = tempfile::tempdir().unwrap();
        let directory = install_into(prefix.path(), "/usr/bin/memit").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        // Both were created under the same umask.
        assert_eq!(mode(&directory), mode(directory.parent().unwrap()));
    }
}
