//! Lines as SVG, readable on a light and on a dark page.

use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;

const SIZE: (u32, u32) = (860, 480);

/// What the plot is drawn in, and what a dark page has in its place.
const FOREGROUND: (RGBColor, &str) = (RGBColor(0x1F, 0x23, 0x28), "#E6EDF3");
const BACKGROUND: (RGBColor, &str) = (RGBColor(0xFF, 0xFF, 0xFE), "#0D1117");
const GRID: (RGBColor, &str) = (RGBColor(0xD1, 0xD9, 0xE0), "#3D444D");

/// Told apart by those who do not see colors alike; each stands out on both pages.
const COLORS: [RGBColor; 8] = [
    RGBColor(0xD5, 0x5E, 0x00),
    RGBColor(0x1F, 0x83, 0xC4),
    RGBColor(0x00, 0x96, 0x6E),
    RGBColor(0xC0, 0x6C, 0xA0),
    RGBColor(0xB8, 0x86, 0x0B),
    RGBColor(0x4C, 0xA6, 0xDF),
    RGBColor(0x8A, 0x7F, 0xD6),
    RGBColor(0x80, 0x80, 0x80),
];

/// A line of points `(x, y)`, in the order of x.
pub struct Line {
    pub name: String,
    pub points: Vec<(f64, f64)>,
}

/// What an axis says, with its unit.
pub struct Axis {
    label: String,
    is_logarithmic: bool,
}

impl Axis {
    /// From 0.
    pub fn linear(label: &str) -> Self {
        Self { label: label.to_owned(), is_logarithmic: false }
    }

    /// By powers. All values are above 0.
    pub fn logarithmic(label: &str) -> Self {
        Self { label: label.to_owned(), is_logarithmic: true }
    }

    pub fn label(&self) -> &str {
        &self.label
    }
}

pub struct Plot {
    pub title: String,
    pub x: Axis,
    pub y: Axis,
    pub lines: Vec<Line>,
}

impl Plot {
    pub fn svg(&self) -> String {
        assert!(self.lines.iter().any(|line| !line.points.is_empty()), "{}: there are points", self.title);
        assert!(self.lines.len() <= COLORS.len(), "{}: there is a color for each line", self.title);
        let mut svg = String::new();
        let x = self.range(&self.x, |point| point.0);
        let y = self.range(&self.y, |point| point.1);
        match (self.x.is_logarithmic, self.y.is_logarithmic) {
            (false, false) => self.draw(&mut svg, x, y),
            (true, false) => self.draw(&mut svg, x.log_scale(), y),
            (false, true) => self.draw(&mut svg, x, y.log_scale()),
            (true, true) => self.draw(&mut svg, x.log_scale(), y.log_scale()),
        }
        themed(&svg)
    }

    fn range(&self, axis: &Axis, of: impl Fn(&(f64, f64)) -> f64) -> std::ops::Range<f64> {
        let values = || self.lines.iter().flat_map(|line| &line.points).map(&of);
        let (low, high) =
            (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
        assert!(low.is_finite() && high.is_finite(), "{}: {} has numbers", self.title, axis.label);
        if axis.is_logarithmic {
            assert!(low > 0.0, "{}: on a logarithmic axis {} is above 0", self.title, axis.label);
            return low / 1.1..high * 1.2;
        }
        low.min(0.0)..if high > 0.0 { high * 1.05 } else { 1.0 }
    }

    fn draw<X, Y>(&self, svg: &mut String, x: X, y: Y)
    where
        X: AsRangedCoord<Value = f64>,
        Y: AsRangedCoord<Value = f64>,
        X::CoordDescType: ValueFormatter<f64>,
        Y::CoordDescType: ValueFormatter<f64>,
    {
        let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
        area.fill(&BACKGROUND.0).expect("a background");
        let text = |size: u32| ("sans-serif", size).into_font().color(&FOREGROUND.0);
        let mut chart = ChartBuilder::on(&area)
            .caption(&self.title, text(19))
            .margin(12)
            .x_label_area_size(48)
            .y_label_area_size(66)
            .build_cartesian_2d(x, y)
            .expect("two axes");
        let mut mesh = chart.configure_mesh();
        mesh.x_desc(&self.x.label).y_desc(&self.y.label).axis_style(FOREGROUND.0).bold_line_style(GRID.0);
        mesh.light_line_style(TRANSPARENT).label_style(text(14)).axis_desc_style(text(15));
        mesh.x_label_formatter(&|value| number(*value)).y_label_formatter(&|value| number(*value));
        mesh.draw().expect("a grid");
        for (line, color) in self.lines.iter().zip(COLORS) {
            let style = ShapeStyle { color: color.to_rgba(), filled: true, stroke_width: 2 };
            let series = LineSeries::new(line.points.iter().copied(), style).point_size(3);
            let series = chart.draw_series(series).expect("a line").label(&line.name);
            series.legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style.stroke_width(3)));
        }
        let mut legend = chart.configure_series_labels();
        legend.position(SeriesLabelPosition::UpperLeft).background_style(BACKGROUND.0).border_style(GRID.0);
        legend.label_font(text(14)).margin(8).draw().expect("a legend");
        area.present().expect("a plot");
    }
}

/// Without digits that say nothing.
fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 1e6 && value % 1e5 == 0.0 => format!("{} M", value / 1e6),
        size if size >= 1e3 && value % 100.0 == 0.0 => format!("{} k", value / 1e3),
        _ => format!("{}", (value * 1e3).round() / 1e3),
    }
}

/// The colors of a dark page where the reader's is dark. Rules of a style sheet are above the attributes that the backend writes.
fn themed(svg: &str) -> String {
    let rules: Vec<String> = [FOREGROUND, BACKGROUND, GRID]
        .iter()
        .map(|(RGBColor(red, green, blue), dark)| {
            let light = format!("#{red:02X}{green:02X}{blue:02X}");
            format!("[fill=\"{light}\"] {{ fill: {dark} }} [stroke=\"{light}\"] {{ stroke: {dark} }}")
        })
        .collect();
    let style = format!("<style>@media (prefers-color-scheme: dark) {{ {} }}</style>", rules.join(" "));
    let (head, rest) = svg.split_once(">\n").expect("an element");
    format!("{head}>\n{style}\n{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(x: Axis, y: Axis, points: &[(f64, f64)]) -> Plot {
        let lines = vec![Line { name: "this & that".to_owned(), points: points.to_vec() }];
        Plot { title: "Cost".to_owned(), x, y, lines }
    }

    #[test]
    fn a_plot_has_a_title_units_a_legend_and_both_themes() {
        let points = [(0.3, 2.5), (2.0, 4.0), (8.0, 16.0)];
        let svg = plot(Axis::linear("payload [KB]"), Axis::logarithmic("a request [µs]"), &points).svg();
        for text in
            ["Cost", "payload [KB]", "a request [µs]", "this &amp; that", "prefers-color-scheme: dark"]
        {
            assert!(svg.contains(text), "{text} is in {svg}");
        }
        assert_eq!(svg.matches("<circle").count(), points.len());
        for (RGBColor(red, green, blue), _) in [FOREGROUND, BACKGROUND, GRID] {
            let color = format!("=\"#{red:02X}{green:02X}{blue:02X}\"");
            assert!(svg.matches(&color).count() > 2, "the plot is drawn in {color}");
        }
    }

    #[test]
    #[should_panic(expected = "is above 0")]
    fn a_logarithmic_axis_has_no_zero() {
        plot(Axis::logarithmic("entries"), Axis::linear("[µs]"), &[(0.0, 1.0)]).svg();
    }

    #[test]
    fn numbers_have_no_digits_that_say_nothing() {
        assert_eq!(
            [0.1, 0.30000000000000004, 64.0, 1000.0, 100_000.0, 1e6].map(number),
            ["0.1", "0.3", "64", "1 k", "100 k", "1 M"]
        );
    }
}
