//! The loss figure: every step faint, a smooth line and a band over seeds, as SVG and PNG.

use std::error::Error;
use std::path::Path;

use ab_glyph::FontRef;
use plotters::prelude::{BitMapBackend, FontStyle, IntoDrawingArea, SVGBackend};
use plotters::style::register_font;

use crate::sweep_runs::SweepRuns;

mod curves;
mod outline;
mod scene;
mod smooth;

use scene::{FONT, SCALE};

type FigureError = Box<dyn Error + Send + Sync>;

/// A font that came with the program was refused.
#[derive(Debug, thiserror::Error)]
#[error("the built-in font cannot be read")]
struct BuiltInFont;

/// The figure as SVG text.
pub(crate) fn svg(runs: &SweepRuns) -> Result<String, FigureError> {
    register_fonts()?;
    let figure = curves::figure(runs);
    let (width, height) = scene::size(&figure);
    let (wide, high) = (width * SCALE, height * SCALE);
    let mut text = String::new();
    scene::draw(
        &SVGBackend::with_string(&mut text, (wide, high)).into_drawing_area(),
        &figure,
    )?;
    let font = FontRef::try_from_slice(dejavu::sans::regular())?;
    let text = outline::outlined(&text, &font);
    // The coordinates stay fine, the picture is shown at its own size.
    let drawn = format!("width=\"{wide}\" height=\"{high}\"");
    Ok(text.replacen(&drawn, &format!("width=\"{width}\" height=\"{height}\""), 1))
}

/// Draws the figure into a PNG file, whose name must end so.
pub(crate) fn png(runs: &SweepRuns, path: &Path) -> Result<(), FigureError> {
    register_fonts()?;
    let figure = curves::figure(runs);
    let (width, height) = scene::size(&figure);
    let backend = BitMapBackend::new(path, (width * SCALE, height * SCALE));
    scene::draw(&backend.into_drawing_area(), &figure)?;
    Ok(())
}

/// The text is drawn, and measured, with a font of the program's own: a machine may have none.
fn register_fonts() -> Result<(), FigureError> {
    for (style, font) in [
        (FontStyle::Normal, dejavu::sans::regular()),
        (FontStyle::Bold, dejavu::sans::bold()),
    ] {
        register_font(FONT, style, font).map_err(|_| BuiltInFont)?;
    }
    Ok(())
}
