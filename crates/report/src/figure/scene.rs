//! Drawing the figure, on any backend.

use plotters::chart::ChartContext;
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::curves::{Curve, Figure, Panel};
use super::smooth::{Point, clip};
use crate::digits::thousands;

/// The font's name in the figure's files: the one drawn into the PNG first, then what a viewer of
/// the SVG is likely to have.
pub(super) const FONT: &str = "DejaVu Sans, Verdana, sans-serif";

/// Colours that people with any colour vision tell apart (Okabe and Ito 2008), darkest first; yellow,
/// which is faint on white, is left out.
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
];

const INK: RGBColor = RGBColor(40, 40, 40);
const GRID: RGBColor = RGBColor(225, 225, 225);

/// Pixels a unit of the layout: both files are drawn at twice the size at which they are looked at.
pub(super) const SCALE: u32 = 2;

const MARGIN: u32 = 12;
const TITLE_HEIGHT: u32 = 34;
const LEGEND_HEIGHT: u32 = 26;
const CAPTION_LINE: u32 = 18;
const PANEL_HEIGHT: u32 = 340;

type DrawResult<DB> = Result<(), DrawingAreaErrorKind<<DB as DrawingBackend>::ErrorType>>;
type Chart<'a, DB> = ChartContext<'a, DB, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// Panels side by side and one below the other.
fn grid(panels: usize) -> (u32, u32) {
    let columns = match panels {
        0 | 1 => 1,
        2..=4 => 2,
        _ => 3,
    };
    (columns, (panels.max(1) as u32).div_ceil(columns))
}

/// Width and height in units.
pub(super) fn size(figure: &Figure) -> (u32, u32) {
    let (columns, rows) = grid(figure.panels.len());
    let panel_width = if columns == 1 { 860 } else { 480 };
    let words = TITLE_HEIGHT + LEGEND_HEIGHT + caption_height(figure);
    (
        panel_width * columns + 2 * MARGIN,
        PANEL_HEIGHT * rows + words + 2 * MARGIN,
    )
}

fn caption_height(figure: &Figure) -> u32 {
    CAPTION_LINE * figure.caption.len() as u32 + 6
}

fn colour(place: usize) -> RGBColor {
    COLOURS[place % COLOURS.len()]
}

fn text(units: u32, colour: &RGBColor) -> TextStyle<'static> {
    (FONT, units * SCALE).into_font().color(colour)
}

/// Draws the whole figure.
pub(super) fn draw<DB: DrawingBackend>(
    root: &DrawingArea<DB, Shift>,
    figure: &Figure,
) -> DrawResult<DB> {
    root.fill(&WHITE)?;
    let margin = MARGIN * SCALE;
    let inner = root.margin(margin, margin, margin, margin);
    let (head, rest) = inner.split_vertically((TITLE_HEIGHT + LEGEND_HEIGHT) * SCALE);
    let body = rest.dim_in_pixel().1 - caption_height(figure) * SCALE;
    let (body, foot) = rest.split_vertically(body);
    draw_head(&head, figure)?;
    let (columns, rows) = grid(figure.panels.len());
    let areas = body.split_evenly((rows as usize, columns as usize));
    for (panel, area) in figure.panels.iter().zip(&areas) {
        draw_panel(area, figure, panel)?;
    }
    for (place, line) in figure.caption.iter().enumerate() {
        let y = (6 + CAPTION_LINE * place as u32) * SCALE;
        foot.draw_text(line, &text(13, &INK), (4 * SCALE as i32, y as i32))?;
    }
    root.present()
}

/// The title, and a line of colour for every learning rate.
fn draw_head<DB: DrawingBackend>(area: &DrawingArea<DB, Shift>, figure: &Figure) -> DrawResult<DB> {
    let unit = SCALE as i32;
    area.draw_text(&figure.title, &text(19, &BLACK), (4 * unit, 4 * unit))?;
    let style = text(15, &INK).pos(Pos::new(HPos::Left, VPos::Center));
    let y = (TITLE_HEIGHT + LEGEND_HEIGHT / 2) as i32 * unit;
    let mut x = 6 * unit;
    for (place, rate) in figure.legend.iter().enumerate() {
        let stroke = colour(place).stroke_width(3 * SCALE);
        area.draw(&PathElement::new(vec![(x, y), (x + 24 * unit, y)], stroke))?;
        let label = format!("lr {rate}");
        let (width, _) = area.estimate_text_size(&label, &style)?;
        area.draw_text(&label, &style, (x + 30 * unit, y))?;
        x += 30 * unit + width as i32 + 22 * unit;
    }
    Ok(())
}

fn draw_panel<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    figure: &Figure,
    panel: &Panel,
) -> DrawResult<DB> {
    let mut chart = ChartBuilder::on(area)
        .caption(&panel.title, text(15, &INK))
        .margin_right(28 * SCALE)
        .margin_top(4 * SCALE)
        .margin_bottom(10 * SCALE)
        .x_label_area_size(44 * SCALE)
        .y_label_area_size(64 * SCALE)
        .build_cartesian_2d(0.0..figure.last_step, figure.low..figure.high)?;
    let digits = tick_digits(figure.high - figure.low);
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID.stroke_width(SCALE))
        .axis_style(INK.stroke_width(SCALE))
        .set_all_tick_mark_size(4 * SCALE)
        .x_labels(6)
        .y_labels(7)
        .x_label_formatter(&|step| thousands(step.round() as u64))
        .y_label_formatter(&|loss| format!("{loss:.digits$}"))
        .label_style(text(13, &INK))
        .axis_desc_style(text(14, &INK))
        .x_desc("step")
        .y_desc(figure.loss)
        .draw()?;
    // All raw lines first: no cell's noise may lie over another's mean.
    for curve in &panel.curves {
        draw_raw(&mut chart, figure, curve, raw_strength(panel))?;
    }
    for curve in &panel.curves {
        draw_smooth(&mut chart, figure, curve)?;
    }
    for curve in &panel.curves {
        draw_marks(&mut chart, figure, curve)?;
    }
    Ok(())
}

/// Ticks that tell their neighbours apart.
fn tick_digits(span: f64) -> usize {
    (1.0 - span.log10().floor()).clamp(1.0, 7.0) as usize
}

/// The more raw lines lie over each other, the fainter is each.
fn raw_strength(panel: &Panel) -> f64 {
    let lines: usize = panel.curves.iter().map(|curve| curve.raw.len()).sum();
    (0.5 / (lines.max(1) as f64).sqrt()).clamp(0.08, 0.3)
}

fn lines<DB: DrawingBackend>(
    chart: &mut Chart<'_, DB>,
    figure: &Figure,
    points: &[Point],
    style: ShapeStyle,
) -> DrawResult<DB> {
    for part in clip(points, figure.low, figure.high) {
        chart.draw_series(std::iter::once(PathElement::new(part, style)))?;
    }
    Ok(())
}

fn draw_raw<DB: DrawingBackend>(
    chart: &mut Chart<'_, DB>,
    figure: &Figure,
    curve: &Curve,
    strength: f64,
) -> DrawResult<DB> {
    let style = colour(curve.colour).mix(strength).stroke_width(1);
    for raw in &curve.raw {
        lines(chart, figure, raw, style)?;
    }
    Ok(())
}

fn draw_smooth<DB: DrawingBackend>(
    chart: &mut Chart<'_, DB>,
    figure: &Figure,
    curve: &Curve,
) -> DrawResult<DB> {
    let inside = |loss: f64| loss.clamp(figure.low, figure.high);
    let upper = curve
        .band
        .iter()
        .map(|(step, _, high)| (*step, inside(*high)));
    let lower = curve
        .band
        .iter()
        .rev()
        .map(|(step, low, _)| (*step, inside(*low)));
    let outline: Vec<Point> = upper.chain(lower).collect();
    let colour = colour(curve.colour);
    if outline.len() > 2 {
        chart.draw_series(std::iter::once(Polygon::new(
            outline,
            colour.mix(0.3).filled(),
        )))?;
    }
    lines(chart, figure, &curve.mean, colour.stroke_width(2 * SCALE))
}

fn draw_marks<DB: DrawingBackend>(
    chart: &mut Chart<'_, DB>,
    figure: &Figure,
    curve: &Curve,
) -> DrawResult<DB> {
    let colour = colour(curve.colour);
    let radius = 4 * SCALE;
    let inside = |(step, loss): &Point| (*step, loss.clamp(figure.low, figure.high));
    let dev = || {
        curve
            .dev
            .iter()
            .filter(|point| (figure.low..=figure.high).contains(&point.1))
    };
    chart.draw_series(dev().map(|point| Circle::new(*point, radius, WHITE.filled())))?;
    chart
        .draw_series(dev().map(|point| Circle::new(*point, radius, colour.stroke_width(SCALE))))?;
    chart.draw_series(
        curve
            .ends
            .iter()
            .map(|end| Cross::new(inside(end), 5 * SCALE, colour.stroke_width(2 * SCALE))),
    )?;
    Ok(())
}
