//! `memit mprof peak`: prints the peak memory of profiles.

use std::process::ExitCode;

use memit_magics::mprof_file::Profile;

use super::selection;

/// Prints the peak memory of each profile and of its children in MiB, in the format of `mprof`.
/// With `function`, only the time while that function was running counts.
///
/// A profile without the function is reported but not fatal; the exit code is then 1.
///
/// # Errors
///
/// If a profile cannot be found or read.
pub(super) fn peak(profiles: &[String], function: Option<&str>) -> anyhow::Result<ExitCode> {
    let mut code = ExitCode::SUCCESS;
    for path in selection::to_show(profiles)? {
        let profile = Profile::read(&path)?;
        let name = path.display();
        let peak = match function {
            Some(function) => profile.peak_in(function),
            None => profile.peak().map(|sample| sample.memory),
        };
        let Some(peak) = peak else {
            println!("{name}\tNaN MiB");
            eprintln!(
                "memit: {}",
                unknown(function.unwrap_or_default(), &name.to_string(), &profile)
            );
            code = ExitCode::FAILURE;
            continue;
        };
        println!("{name}\t{} MiB", mib(peak));
        for child in &profile.children {
            let peak = child.peak().map_or(0, |sample| sample.memory);
            println!("  Child {}\t\t\t{} MiB", child.name, mib(peak));
        }
    }
    Ok(code)
}

fn unknown(function: &str, path: &str, profile: &Profile) -> String {
    let mut names: Vec<_> = profile
        .spans
        .iter()
        .map(|span| span.name.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        format!("{path} has no functions, so there is no `{function}`")
    } else {
        format!(
            "{path} has no function `{function}`; it has {}",
            names.join(", ")
        )
    }
}

fn mib(bytes: u64) -> String {
    format!("{:.3}", bytes as f64 / 1_048_576.0)
}
