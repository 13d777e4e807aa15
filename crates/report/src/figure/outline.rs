//! Text as outlines: an SVG whose words look the same everywhere, on a machine without any font too.

use std::fmt::Write;

use ab_glyph::{Font, FontRef, GlyphId, OutlineCurve, Point};

/// Replaces every `<text>` element, as plotters writes it, by the outlines of its glyphs. The words stay in the file as
/// the label of their path.
pub(super) fn outlined(svg: &str, font: &FontRef<'_>) -> String {
    let mut out = String::with_capacity(2 * svg.len());
    let mut rest = svg;
    while let Some((before, element)) = rest.split_once("<text ") {
        let Some((tag, after_tag)) = element.split_once('>') else {
            break;
        };
        let Some((words, after)) = after_tag.split_once("</text>") else {
            break;
        };
        out.push_str(before);
        out.push_str(&path(tag, words.trim(), font));
        rest = after;
    }
    out.push_str(rest);
    out
}

/// One text as a path.
fn path(tag: &str, words: &str, font: &FontRef<'_>) -> String {
    let number = |name| attribute(tag, name).and_then(|text| text.parse::<f32>().ok());
    let units = font.units_per_em().unwrap_or(1000.0);
    let scale = number("font-size").unwrap_or(12.0) / units;
    let text = unescaped(words);
    let start = match attribute(tag, "text-anchor") {
        Some("middle") => -0.5,
        Some("end") => -1.0,
        _ => 0.0,
    };
    let origin = Point {
        x: number("x").unwrap_or(0.0) + start * width(&text, font) * scale,
        y: number("y").unwrap_or(0.0) + drop(tag, font) * scale,
    };
    let mut drawn = format!(
        "<path aria-label=\"{words}\" d=\"{}\"",
        curves(&text, font, origin, scale)
    );
    for name in ["fill", "opacity", "transform"] {
        if let Some(value) = attribute(tag, name) {
            // Writing to a string does not fail.
            let _ = write!(drawn, " {name}=\"{value}\"");
        }
    }
    drawn.push_str("/>");
    drawn
}

/// The value of a tag's attribute.
fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    // Names stand at even places between the quotes: ` name="value" name="value"`.
    let mut parts = tag.split('"');
    while let (Some(key), Some(value)) = (parts.next(), parts.next()) {
        if key.trim().trim_end_matches('=') == name {
            return Some(value);
        }
    }
    None
}

/// How far the baseline lies below the given place, in the font's units: plotters says it in em or in heights of an x.
fn drop(tag: &str, font: &FontRef<'_>) -> f32 {
    let shift = attribute(tag, "dy").unwrap_or("0em");
    let (factor, unit) = match shift.strip_suffix("em") {
        Some(factor) => (factor, font.units_per_em().unwrap_or(1000.0)),
        None => {
            let x = font.outline(font.glyph_id('x'));
            let height = x.map_or(0.0, |x| x.bounds.height().abs());
            (shift.trim_end_matches("ex"), height)
        }
    };
    factor.parse::<f32>().unwrap_or(0.0) * unit
}

/// The glyphs of a text, each with its place on the baseline, in the font's units.
fn glyphs<'a>(text: &'a str, font: &'a FontRef<'_>) -> impl Iterator<Item = (GlyphId, f32)> + 'a {
    let mut at = 0.0;
    let mut last = None;
    text.chars().map(move |character| {
        let glyph = font.glyph_id(character);
        at += last.map_or(0.0, |last| font.kern_unscaled(last, glyph));
        let place = at;
        at += font.h_advance_unscaled(glyph);
        last = Some(glyph);
        (glyph, place)
    })
}

/// The length of a text, in the font's units.
fn width(text: &str, font: &FontRef<'_>) -> f32 {
    let last = glyphs(text, font).last();
    last.map_or(0.0, |(glyph, place)| place + font.h_advance_unscaled(glyph))
}

/// The outlines as SVG's path data. A font's y axis points up, a picture's down.
fn curves(text: &str, font: &FontRef<'_>, origin: Point, scale: f32) -> String {
    let mut data = String::new();
    for (glyph, place) in glyphs(text, font) {
        let Some(outline) = font.outline(glyph) else {
            continue;
        };
        let at = |point: Point| {
            let x = origin.x + (place + point.x) * scale;
            let y = origin.y - point.y * scale;
            format!("{x:.2} {y:.2}")
        };
        let mut pen = None;
        for curve in outline.curves {
            let (from, to, drawn) = match curve {
                OutlineCurve::Line(a, b) => (a, b, format!("L{}", at(b))),
                OutlineCurve::Quad(a, b, c) => (a, c, format!("Q{} {}", at(b), at(c))),
                OutlineCurve::Cubic(a, b, c, d) => {
                    (a, d, format!("C{} {} {}", at(b), at(c), at(d)))
                }
            };
            if pen != Some(from) {
                let _ = write!(data, "M{}", at(from));
            }
            data.push_str(&drawn);
            pen = Some(to);
        }
    }
    data
}

/// The five characters that plotters escapes.
fn unescaped(words: &str) -> String {
    let mut text = words.to_owned();
    for (escaped, plain) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&apos;", "'"),
        ("&amp;", "&"),
    ] {
        text = text.replace(escaped, plain);
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn font() -> FontRef<'static> {
        FontRef::try_from_slice(dejavu::sans::regular()).unwrap()
    }

    #[test]
    fn no_text_is_left_and_nothing_else_is_touched() {
        let svg = "<svg>\n<text x=\"10\" y=\"20\" dy=\"0.76em\" text-anchor=\"middle\" font-size=\"16\" fill=\"#000\" \
                   transform=\"rotate(270, 10, 20)\">\na &lt; b\n</text>\n<line x1=\"1\"/></svg>";
        let drawn = outlined(svg, &font());
        assert!(!drawn.contains("<text"));
        assert!(
            drawn.starts_with("<svg>\n<path aria-label=\"a &lt; b\" d=\"M"),
            "{drawn}"
        );
        assert!(
            drawn.ends_with(
                "fill=\"#000\" transform=\"rotate(270, 10, 20)\"/>\n<line x1=\"1\"/></svg>"
            ),
            "{drawn}"
        );
    }

    #[test]
    fn anchors_move_by_the_width() {
        let font = font();
        let first_x = |anchor: &str| -> f32 {
            let tag = format!("x=\"100\" y=\"0\" text-anchor=\"{anchor}\" font-size=\"10\"");
            let drawn = path(&tag, "HH", &font);
            let (_, data) = drawn.split_once("d=\"M").unwrap();
            data.split(' ').next().unwrap().parse().unwrap()
        };
        let width = width("HH", &font) * 10.0 / font.units_per_em().unwrap();
        assert!((first_x("start") - first_x("end") - width).abs() < 0.02);
        assert!((first_x("start") - first_x("middle") - width / 2.0).abs() < 0.02);
    }

    #[test]
    fn a_text_that_is_not_closed_is_left_alone() {
        assert_eq!(
            outlined("<text x=\"1\">open", &font()),
            "<text x=\"1\">open"
        );
    }
}
