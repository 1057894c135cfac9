//! Draws a chart as PNG: resvg renders the SVG with a bundled font, so the chart looks the same on
//! every machine.

use anyhow::Context as _;
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};

/// Pixels of the image per pixel of the SVG, for high-resolution screens.
const SCALE: f32 = 2.0;

const FONT: &str = "DejaVu Sans";

/// Renders an SVG as PNG.
///
/// # Errors
///
/// If `svg` is not valid, or the image is too large.
pub(super) fn png(svg: &str) -> anyhow::Result<Vec<u8>> {
    let mut options = Options::default();
    let fonts = options.fontdb_mut();
    fonts.load_font_data(dejavu::sans::regular().to_vec());
    fonts.set_sans_serif_family(FONT);
    let tree = Tree::from_str(svg, &options).context("cannot draw the plot")?;
    let size = tree.size().to_int_size().scale_by(SCALE);
    let size = size.context("the plot has no size")?;
    let mut pixels = Pixmap::new(size.width(), size.height()).context("the plot is too large")?;
    let scale = Transform::from_scale(SCALE, SCALE);
    resvg::render(&tree, scale, &mut pixels.as_mut());
    pixels.encode_png().context("cannot write the plot as PNG")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_drawn_with_the_bundled_font() {
        let draw = |content: &str| {
            png(&format!(
                "<svg xmlns='http://www.w3.org/2000/svg' width='40' height='20'>\
                 <text x='2' y='15' font-family='sans-serif'>{content}</text></svg>"
            ))
            .unwrap()
        };
        assert!(draw("").starts_with(b"\x89PNG\r\n\x1a\n"));
        assert_ne!(draw(""), draw("MiB"));
        assert_ne!(draw("n"), draw("μ"));
    }
}
