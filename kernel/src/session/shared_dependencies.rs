//! `%cache`: the cache of compiled dependencies in words.

use memit_magics::units;

use super::errors::CellError;
use crate::dependency_cache::{DependencyCache, VARIABLE};

/// The text of `%cache`, which clears the cache first if `clears`.
///
/// # Errors
///
/// If the cache cannot be cleared.
pub(crate) fn answer(clears: bool) -> Result<String, CellError> {
    let Some(cache) = DependencyCache::of_user() else {
        return Ok(format!("the cache of dependencies is off: {VARIABLE}=off"));
    };
    let directory = cache.directory().display();
    let usage = cache.usage();
    if clears {
        cache.clear().map_err(|error| {
            let message = format!("{directory} cannot be removed: {error}");
            CellError::new("CacheError", message)
        })?;
        return Ok(format!(
            "removed {} from {directory}",
            units::mib(usage.bytes)
        ));
    }
    let limit = units::mib(cache.limit());
    Ok(format!(
        "directory:  {directory}\nholds:      {} in {} and {}\nat most:    {limit}",
        units::mib(usage.bytes),
        units::counted(&usage.packages.to_string(), "compiled package"),
        units::counted(&usage.libraries.to_string(), "shared object")
    ))
}
