//! A drawing that is seen also where SVG is stripped.
//!
//! JupyterLab shows a notebook that it does not trust yet without `svg` elements, but keeps the text
//! inside them, and of a style what it knows. So the drawing stands there twice: in the page, with
//! its colours, and as an image. Each has a `display` that JupyterLab knows and behind it, where it
//! counts if it is kept, the opposite in a form that it does not know. It looks for words such as
//! `block` and `none` anywhere in a value, so neither they nor the variables may have one in them:
//! `flow-root` is a kind of block, and an image with `contents`, which it has not, is not shown.

use std::fmt::Write as _;

use maud::{Markup, html};

use crate::chart::Theme;

const INLINE: &str = "display:none;display:var(--memit-drawing, flow-root);margin-top:8px";

const IMAGE: &str =
    "display:block;display:var(--memit-image, contents);margin-top:8px;max-width:100%;height:auto";

/// A drawing, and what it shows for those who cannot see it. `draw` makes an `svg` element, for a
/// page or as an image.
pub(super) fn figure(described: &str, draw: impl Fn(Theme) -> Markup) -> Markup {
    html! {
        div style=(INLINE) { (draw(Theme::Page)) }
        img alt=(described) style=(IMAGE) src=(address(&draw(Theme::Image).into_string()));
    }
}

/// An address that holds the image itself.
fn address(svg: &str) -> String {
    // Double quotes around attributes would each have to be escaped; inside them there are none.
    let svg = svg.replace('\'', "&#39;").replace('"', "'");
    let mut address = "data:image/svg+xml,".to_owned();
    for byte in svg.bytes() {
        match byte {
            // What ends an address, or stands for something else in it or in HTML.
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
    fn a_drawing_is_in_the_page_and_in_an_image_of_which_one_is_seen() {
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
