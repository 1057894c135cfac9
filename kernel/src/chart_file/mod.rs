//! Writes a chart to a file in the format that the extension names.

mod png;

use std::ffi::OsStr;
use std::path::Path;

use anyhow::Context as _;
use memit_magics::chart::{self, Chart, Theme};

/// The file format of a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChartFormat {
    Svg,
    Png,
    Html,
}

impl ChartFormat {
    /// The format that the extension of `path` names, in either case; `None` for any other
    /// extension.
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

/// Writes `chart` to `path`.
///
/// # Errors
///
/// If the chart cannot be drawn or the file cannot be written.
pub(crate) fn write_chart(chart: &Chart, path: &Path, format: ChartFormat) -> anyhow::Result<()> {
    let content = match format {
        ChartFormat::Svg => chart::svg(chart, Theme::File).into_string().into_bytes(),
        ChartFormat::Html => chart::html(chart).into_string().into_bytes(),
        ChartFormat::Png => png::png(&chart::svg(chart, Theme::Light).into_string())?,
    };
    std::fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_names_the_format() {
        let format = |path: &str| ChartFormat::of(Path::new(path));
        assert_eq!(format("a.svg"), Some(ChartFormat::Svg));
        assert_eq!(format("a.b/C.PNG"), Some(ChartFormat::Png));
        assert_eq!(format("a.html"), Some(ChartFormat::Html));
        assert_eq!(format("a.pdf"), None);
        assert_eq!(format("svg"), None);
    }
}
