//! The losses of a training: a table, and a picture of it.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use ndarray::Array3;
use sdxl::training::StepReport;
use sdxl::{Error, Image, Result};

/// `loss.csv` and `loss.png` in a folder.
pub(crate) struct Log {
    folder: PathBuf,
    table: File,
    losses: Vec<f64>,
}

const SIZE: (usize, usize) = (360, 640);

impl Log {
    /// Goes on after that many steps; rows of later ones, which were lost, are dropped.
    pub(crate) fn open(folder: &Path, steps: u64) -> Result<Self> {
        let path = folder.join("loss.csv");
        let io = |source| Error::Io { path: folder.join("loss.csv"), source };
        let old = fs::read_to_string(&path).unwrap_or_default();
        let kept: Vec<&str> = old.lines().skip(1).take(steps as usize).collect();
        let losses = kept.iter().filter_map(|row| row.split(',').nth(1)?.parse().ok()).collect();
        let mut text = String::from("step,loss,gradient_norm,learning_rate\n");
        for row in kept {
            text.push_str(row);
            text.push('\n');
        }
        fs::write(&path, text).map_err(io)?;
        let table = OpenOptions::new().append(true).open(&path).map_err(io)?;
        Ok(Self { folder: folder.to_owned(), table, losses })
    }

    pub(crate) fn add(&mut self, report: StepReport) -> Result<()> {
        let StepReport { step, loss, gradient_norm, learning_rate } = report;
        self.losses.push(loss);
        writeln!(self.table, "{step},{loss},{gradient_norm},{learning_rate}")
            .map_err(|source| Error::Io { path: self.folder.join("loss.csv"), source })
    }

    /// The mean of the last hundred losses.
    pub(crate) fn smooth(&self) -> f64 {
        let last = self.losses.iter().rev().take(100);
        last.clone().sum::<f64>() / last.len().max(1) as f64
    }

    /// `loss.png`: means over equal parts of the steps, on a logarithmic scale; a line at each power of two.
    pub(crate) fn draw(&self) -> Result<()> {
        let (height, width) = SIZE;
        let part = self.losses.len().div_ceil(width).max(1);
        let means: Vec<f64> = self
            .losses
            .chunks(part)
            .map(|losses| (losses.iter().sum::<f64>() / losses.len() as f64).max(1e-9).log2())
            .collect();
        let highest = means.iter().copied().fold(f64::MIN, f64::max).ceil();
        let lowest = means.iter().copied().fold(f64::MAX, f64::min).floor();
        let row = |value: f64| {
            let place = (highest - value) / (highest - lowest).max(1.);
            ((place * (height - 1) as f64) as usize).min(height - 1)
        };
        let mut pixels = Array3::from_elem((height, width, 3), 255u8);
        for power in lowest as i32..=highest as i32 {
            pixels.slice_mut(ndarray::s![row(f64::from(power)), .., ..]).fill(220);
        }
        for (column, (mean, next)) in means.iter().zip(means.iter().skip(1)).enumerate() {
            let (from, to) = (row(*mean), row(*next));
            let (from, to) = (from.min(to), from.max(to));
            pixels.slice_mut(ndarray::s![from..=to, column, ..2]).fill(40);
        }
        Image::from_pixels(pixels.view())?.save_png(self.folder.join("loss.png"))
    }
}
