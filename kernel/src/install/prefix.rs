//! The directories in which Jupyter searches for kernelspecs.

use std::path::{Path, PathBuf, absolute};
use std::process::Command;

use anyhow::{Context as _, bail};

use super::name::KernelName;
use crate::data_directory::{Environment, System, user_data};

/// The directory tree that a kernelspec is installed into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum InstallPrefix {
    /// The user's data directory.
    User,
    /// `share/jupyter` in this directory.
    Directory(PathBuf),
    /// `share/jupyter` in the active Python environment.
    SysPrefix,
}

impl InstallPrefix {
    /// The absolute path of the kernelspec with this name, which need not exist.
    pub(super) fn kernelspec(
        &self,
        name: &KernelName,
        environment: &Environment<'_>,
    ) -> anyhow::Result<PathBuf> {
        let data = match self {
            Self::User => user_data(environment)
                .context("no directory to install into; choose one with --prefix")?,
            Self::Directory(prefix) => prefix.join("share/jupyter"),
            Self::SysPrefix => sys_prefix(environment)?.join("share/jupyter"),
        };
        let directory = data.join("kernels").join(name.as_str());
        absolute(&directory).with_context(|| format!("cannot resolve {}", directory.display()))
    }
}

/// The root of the active Python environment.
fn sys_prefix(environment: &Environment<'_>) -> anyhow::Result<PathBuf> {
    let active = environment
        .path("VIRTUAL_ENV")
        .or_else(|| environment.path("CONDA_PREFIX"));
    if let Some(prefix) = active {
        return Ok(prefix);
    }
    let python = if environment.system == System::Windows {
        "python"
    } else {
        "python3"
    };
    ask_python(Path::new(python)).with_context(|| {
        format!(
            "no Python environment to install into: VIRTUAL_ENV and CONDA_PREFIX are not set, and \
             `{python}` does not report its prefix; activate an environment, or name it with --prefix"
        )
    })
}

fn ask_python(python: &Path) -> anyhow::Result<PathBuf> {
    let output = Command::new(python)
        .args(["-c", "import sys; print(sys.prefix)"])
        .output()?;
    if !output.status.success() {
        bail!("it ended with {}", output.status);
    }
    let prefix = String::from_utf8(output.stdout)?;
    let prefix = prefix.trim_end_matches(['\r', '\n']);
    if prefix.is_empty() {
        bail!("it printed nothing");
    }
    Ok(PathBuf::from(prefix))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    fn kernelspec(prefix: &InstallPrefix, system: System, variables: &[(&str, &str)]) -> String {
        let variable = |name: &str| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| OsString::from(value))
        };
        let environment = Environment {
            system,
            variable: &variable,
        };
        match prefix.kernelspec(&"memit".parse().unwrap(), &environment) {
            Ok(directory) => directory.to_str().unwrap().to_owned(),
            Err(error) => format!("{error:#}"),
        }
    }

    #[test]
    fn the_users_directory_follows_jupyters_rules() {
        let home = ("HOME", "/home/me");
        let on = |system, variables: &[_]| kernelspec(&InstallPrefix::User, system, variables);
        assert_eq!(
            on(System::Linux, &[home, ("XDG_DATA_HOME", "")]),
            "/home/me/.local/share/jupyter/kernels/memit"
        );
        assert_eq!(
            on(System::Linux, &[home, ("XDG_DATA_HOME", "/data")]),
            "/data/jupyter/kernels/memit"
        );
        assert_eq!(
            on(System::MacOs, &[home]),
            "/home/me/Library/Jupyter/kernels/memit"
        );
        assert_eq!(
            on(System::Windows, &[("APPDATA", "/appdata")]),
            "/appdata/jupyter/kernels/memit"
        );
        for system in [System::Linux, System::MacOs, System::Windows] {
            let variables = [
                home,
                ("XDG_DATA_HOME", "/data"),
                ("JUPYTER_DATA_DIR", "/jupyter"),
            ];
            assert_eq!(on(system, &variables), "/jupyter/kernels/memit");
        }
    }

    #[test]
    fn without_a_home_the_error_says_what_to_do() {
        let error = kernelspec(&InstallPrefix::User, System::Linux, &[("HOME", "")]);
        assert!(
            error.contains("HOME is not set") && error.contains("--prefix"),
            "{error}"
        );
    }

    #[test]
    fn a_prefix_holds_shared_data() {
        let place = InstallPrefix::Directory("/opt/python".into());
        assert_eq!(
            kernelspec(&place, System::Linux, &[("JUPYTER_DATA_DIR", "/jupyter")]),
            "/opt/python/share/jupyter/kernels/memit"
        );
    }

    #[test]
    fn a_relative_prefix_is_made_absolute() {
        let directory = kernelspec(&InstallPrefix::Directory("env".into()), System::Linux, &[]);
        let here = std::env::current_dir().unwrap();
        assert_eq!(
            directory,
            here.join("env/share/jupyter/kernels/memit")
                .to_str()
                .unwrap()
        );
    }

    #[test]
    fn the_active_environment_is_preferred_to_any_python() {
        let venv = [("VIRTUAL_ENV", "/venv"), ("CONDA_PREFIX", "/conda")];
        assert_eq!(
            kernelspec(&InstallPrefix::SysPrefix, System::Linux, &venv),
            "/venv/share/jupyter/kernels/memit"
        );
        assert_eq!(
            kernelspec(&InstallPrefix::SysPrefix, System::Linux, &venv[1..]),
            "/conda/share/jupyter/kernels/memit"
        );
    }

    #[test]
    fn a_missing_python_is_an_error() {
        assert!(ask_python(Path::new("/no/such/python")).is_err());
        assert!(ask_python(Path::new("true")).is_err());
        assert!(ask_python(Path::new("false")).is_err());
    }
}
