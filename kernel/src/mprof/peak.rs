//! `memit mprof peak`: prints the peak memory of profiles.

use std::process::ExitCode;

use memit_magics::mprof_file::Profile;
use memit_magics::visible;

use super::{reading, selection};

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
        let profile = reading::read(&path)?;
        let name = path.display().to_string();
        let name = visible(&name);
        let peak = match function {
            Some(function) => profile.peak_in(function),
            None => profile.peak().map(|sample| sample.memory),
        };
        let Some(peak) = peak else {
            let unknown = unknown(function.unwrap_or_default(), &name, &profile);
            eprintln!("memit: {unknown}");
            code = ExitCode::FAILURE;
            continue;
        };
        println!("{name}\t{} MiB", mib(peak));
        for child in &profile.children {
            let peak = child.peak().map_or(0, |sample| sample.memory);
            println!("  Child {}\t\t\t{} MiB", visible(&child.name), mib(peak));
        }
        if function.is_none() {
            reading::say_bounds(&name, peak, &profile);
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
        format!(
            "{path} has no functions, so there is no `{}`",
            visible(function)
        )
    } else {
        format!(
            "{path} has no function `{}`; it has {}",
            visible(function),
            visible(&names.join(", "))
        )
    }
}

fn mib(bytes: u64) -> String {
    format!("{:.3}", bytes as f64 / 1_048_576.0)
}
