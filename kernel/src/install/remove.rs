//! Removes the kernelspec.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, bail};

use super::kernelspec::{self, KERNEL_JSON, Owner};
use super::name::KernelName;
use super::prefix::InstallPrefix;
use crate::data_directory::Environment;

/// Removes the kernelspec `name` from each of `prefixes` that has it, and returns the removed
/// directories.
///
/// # Errors
///
/// If no prefix has the kernelspec, or if one has a kernelspec of this name that is not memit's. In
/// both cases nothing is removed.
pub(crate) fn uninstall(
    prefixes: &[InstallPrefix],
    name: &KernelName,
    environment: &Environment<'_>,
) -> anyhow::Result<Vec<PathBuf>> {
    let mut looked = Vec::new();
    let mut found = Vec::new();
    for prefix in prefixes {
        let directory = prefix.kernelspec(name, environment)?;
        match kernelspec::owner(&directory) {
            Owner::Nobody => looked.push(directory.display().to_string()),
            // Two prefixes may be the same directory.
            Owner::Memit if found.contains(&directory) => {}
            Owner::Memit => found.push(directory),
            Owner::Other => bail!(
                "{} is not a kernelspec of memit; if you want to remove it, use `jupyter \
                 kernelspec remove {name}`",
                directory.join(KERNEL_JSON).display()
            ),
        }
    }
    if found.is_empty() {
        bail!(
            "no kernelspec named `{name}` is installed; looked for {}",
            looked.join(" and ")
        );
    }
    for directory in &found {
        fs::remove_dir_all(directory)
            .with_context(|| format!("cannot remove {}", directory.display()))?;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::write::Install;
    use super::*;

    fn memit() -> KernelName {
        Install::DEFAULT_NAME.parse().unwrap()
    }

    fn directory(prefix: &Path) -> InstallPrefix {
        InstallPrefix::Directory(prefix.to_owned())
    }

    fn install_into(prefix: &Path) -> PathBuf {
        let install = Install {
            prefix: directory(prefix),
            name: memit(),
            display_name: "Rust".to_owned(),
        };
        install.run(&Environment::of_process()).unwrap()
    }

    fn uninstall_from(prefixes: &[&Path]) -> anyhow::Result<Vec<PathBuf>> {
        let prefixes: Vec<_> = prefixes.iter().map(|prefix| directory(prefix)).collect();
        uninstall(&prefixes, &memit(), &Environment::of_process())
    }

    #[test]
    fn an_installed_kernelspec_is_removed_from_every_prefix() {
        let [first, second] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let directory = install_into(second.path());
        let removed = uninstall_from(&[first.path(), second.path(), second.path()]).unwrap();
        assert_eq!(removed, std::slice::from_ref(&directory));
        assert!(!directory.exists());
    }

    #[test]
    fn if_there_is_none_the_error_says_where_it_looked() {
        let prefix = tempfile::tempdir().unwrap();
        let error = uninstall_from(&[prefix.path()]).unwrap_err().to_string();
        assert!(error.contains(prefix.path().to_str().unwrap()), "{error}");
    }

    #[test]
    fn a_kernelspec_of_another_kernel_stays() {
        let prefix = tempfile::tempdir().unwrap();
        let kernel = install_into(prefix.path()).join(KERNEL_JSON);
        fs::write(&kernel, r#"{"argv": ["python3"], "language": "python"}"#).unwrap();
        let error = uninstall_from(&[prefix.path()]).unwrap_err().to_string();
        assert!(error.contains("is not a kernelspec of memit"), "{error}");
        assert!(kernel.exists());
    }
}
