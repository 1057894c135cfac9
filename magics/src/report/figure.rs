//! A drawing that is visible even in a viewer that strips SVG.
//!
//! In an untrusted notebook, JupyterLab removes `svg` elements but keeps the text inside them, and
//! it keeps only styles that it knows. The drawing is therefore in the page twice: as an `svg`
//! element and as an image. Each has two `display` properties. The first has a value that
//! JupyterLab knows; the second has the opposite value, in a form that JupyterLab does not know,
//! and wins if it is kept.
//!
//! JupyterLab searches a value for words such as `block` and `none`, so neither the values nor the
//! names of variables may contain these words. `flow-root` has the effect of `block`, and
//! `contents` hides an image.

use std::fmt::Write as _;

use maud::{Markup, html};

use crate::chart::Theme;

const INLINE: &str = "display:none;display:var(--memit-drawing, flow-root);margin-top:8px";

const IMAGE: &str =
    "display:block;display:var(--memit-image, contents);margin-top:8px;max-width:100%;height:auto";

/// A drawing with a description for readers who cannot see it. `draw` makes an `svg` element, for
/// the page or for the image.
pub(super) fn figure(described: &str, draw: impl Fn(Theme) -> Markup) -> Markup {
    html! {
        div style=(INLINE) { (draw(Theme::Page)) }
        img alt=(described) style=(IMAGE) src=(address(&draw(Theme::Image).into_string()));
    }
}

/// A `data:` address of the image.
fn address(svg: &str) -> String {
    // Single quotes around attributes need no escape sequence in the address.
    let svg = svg.replace('\'', "&#39;").replace('"', "'");
    let mut address = "data:image/svg+xml,".to_owned();
    for byte in svg.bytes() {
        match byte {
            // These characters have a meaning in an address or in HTML.
            b'#' | b'%' | b'<' | b'>' | b'&' => escape(&mut address, byte),
            b' '..=b'~' => address.push(char::from(byte)),
            _ => escape(&mut address, byte),
        }
    }
    address
}

fn escape(address: &mut String, byte: u8) {
    write!(address, "%{byte:02X}").expect("a String takes every text");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawing_is_both_in_the_page_and_in_an_image() {
        let drawn = figure("a \"dot\"", |theme| {
            html! { svg { @if theme == Theme::Image { b id="x" { "12 μs & '#1'" } } } }
        });
        assert_eq!(
            drawn.into_string(),
            "<div style=\"display:none;display:var(--memit-drawing, flow-root);\
             margin-top:8px\">\
             <svg></svg></div>\
             <img alt=\"a &quot;dot&quot;\" style=\"display:block;\
             display:var(--memit-image, contents);margin-top:8px;max-width:100%;height:auto\" \
             src=\"data:image/svg+xml,%3Csvg%3E%3Cb id='x'%3E12 %CE%BCs \
             %26amp; %26%2339;%231%26%2339;%3C/b%3E%3C/svg%3E\">"
        );
    }
}
