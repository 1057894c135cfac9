//! A chart as a file, of the kind that the end of its name tells.

use std::ffi::OsStr;
use std::path::Path;

use anyhow::Context as _;
use memit_magics::chart::{self, Chart, Theme};

use super::png;

/// What a chart is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Svg,
    Png,
    Html,
}

impl Format {
    /// What a file's name says, in capitals or not; nothing if it is none of a chart.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let extension = path.extension().and_then(OsStr::to_str)?;
        match extension.to_ascii_lowercase().as_str() {
            "svg" => Some(Self::Svg),
            "png" => Some(Self::Png),
            "html" | "htm" => Some(Self::Html),
            _ => None,
        }
    }
}

/// Writes a chart.
///
/// # Errors
///
/// If it cannot be drawn, or the file cannot be written.
pub(crate) fn write_chart(chart: &Chart, path: &Path, format: Format) -> anyhow::Result<()> {
    let content = match format {
        Format::Svg => chart::svg(chart, Theme::File).into_string().into_bytes(),
        Format::Html => chart::html(chart).into_string().into_bytes(),
        Format::Png => png::png(&chart::svg(chart, Theme::Light).into_string())?,
    };
    std::fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_files_name_tells_what_it_is() {
        let format = |path: &str| Format::of(Path::new(path));
        assert_eq!(format("a.svg"), Some(Format::Svg));
        assert_eq!(format("a.b/C.PNG"), Some(Format::Png));
        assert_eq!(format("a.html"), Some(Format::Html));
        assert_eq!(format("a.pdf"), None);
        assert_eq!(format("svg"), None);
    }
}
