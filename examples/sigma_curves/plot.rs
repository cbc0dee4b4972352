//! A line plot with a logarithmic vertical axis, as SVG.

use std::fmt::Write;

/// A line and its name.
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

/// What the plot shows.
pub(crate) struct Plot {
    pub(crate) title: &'static str,
    pub(crate) x_label: &'static str,
    pub(crate) y_label: &'static str,
    /// Positions and texts along the horizontal axis.
    pub(crate) x_ticks: Vec<(f64, String)>,
    pub(crate) lines: Vec<Line>,
}

const WIDTH: f64 = 860.;
const HEIGHT: f64 = 480.;
/// Left, top, right, bottom.
const MARGIN: [f64; 4] = [70., 40., 170., 50.];
const COLOURS: [&str; 10] = [
    "#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22",
    "#17becf",
];

impl Plot {
    pub(crate) fn to_svg(&self) -> String {
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let (x_min, x_max) = range(points().map(|point| point.0));
        let (y_min, y_max) = range(points().map(|point| point.1.log10()));
        let (y_min, y_max) = (y_min.floor(), y_max.ceil());
        let [left, top, right, bottom] = MARGIN;
        let x = |value: f64| left + (value - x_min) / (x_max - x_min) * (WIDTH - left - right);
        let y = |power: f64| top + (y_max - power) / (y_max - y_min) * (HEIGHT - top - bottom);

        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
             font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
             <text x=\"{left}\" y=\"24\" font-size=\"15\">{}</text>\n",
            self.title
        );
        let mut add = |text: String| svg.push_str(&text);
        for power in y_min as i64..=y_max as i64 {
            let at = y(power as f64);
            add(format!("<path d=\"M{left} {at:.1}H{:.1}\" stroke=\"#ddd\"/>\n", WIDTH - right));
            add(format!(
                "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">1e{power}</text>\n",
                left - 8.,
                at + 4.
            ));
        }
        for (value, text) in &self.x_ticks {
            let at = x(*value);
            add(format!("<path d=\"M{at:.1} {top}V{:.1}\" stroke=\"#eee\"/>\n", HEIGHT - bottom));
            let below = HEIGHT - bottom + 18.;
            add(format!("<text x=\"{at:.1}\" y=\"{below}\" text-anchor=\"middle\">{text}</text>\n"));
        }
        let middle = (left + WIDTH - right) / 2.;
        add(format!(
            "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
            HEIGHT - 10.,
            self.x_label
        ));
        add(format!(
            "<text transform=\"translate(18 {}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n",
            HEIGHT / 2.,
            self.y_label
        ));
        for (index, (line, colour)) in self.lines.iter().zip(COLOURS.iter().cycle()).enumerate() {
            let mut path = String::new();
            for (number, (at, value)) in line.points.iter().enumerate() {
                let command = if number == 0 { 'M' } else { 'L' };
                // Writing into a String cannot fail.
                let _ = write!(path, "{command}{:.1} {:.1}", x(*at), y(value.log10()));
            }
            add(format!("<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.8\"/>\n"));
            let (beside, row) = (WIDTH - right + 16., top + 16. * index as f64);
            add(format!("<path d=\"M{beside} {row}h18\" stroke=\"{colour}\" stroke-width=\"3\"/>\n"));
            add(format!("<text x=\"{}\" y=\"{}\">{}</text>\n", beside + 24., row + 4., line.name));
        }
        svg.push_str("</svg>\n");
        svg
    }
}

fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
}
