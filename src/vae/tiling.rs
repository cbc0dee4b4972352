//! [`Strips`]: an activation in horizontal strips, and layers that go through it strip by strip.
//!
//! Convolutions are given the rows above and below that they see, and group norms the statistics of the whole
//! activation, so the result is that of the whole picture, up to the order of sums: there are no seams to blend.
//! Only the activation between two layers is held in full, and given up while the next one is made of it; what a
//! layer needs beside (the normed input, the convolution's own copies) is as large as a strip.

use std::collections::VecDeque;

use tch::Tensor;

use crate::error::{Error, Result};
use crate::nn::{Affine, Conv2d, GroupNorm, upsample_nearest};

/// The fewest numbers in a strip: 32 MiB in f32, from where on the C library gives memory back to the system at once.
/// Small activations are one strip.
const STRIP_ELEMENTS: i64 = 1 << 23;
/// The fewest rows of a strip, so that the rows seen twice stay few.
const FEWEST_ROWS: i64 = 8;

/// `(B, C, H, W)`, cut into strips of rows.
#[derive(Debug)]
pub(super) struct Strips {
    /// From top to bottom.
    strips: VecDeque<Slice>,
    height: i64,
}

/// Rows `from..to` of an activation of that height.
#[derive(Debug)]
pub(super) struct Slice {
    rows: Tensor,
    from: i64,
    to: i64,
    height: i64,
}

/// Which rows of its input a layer sees.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reach {
    /// As many rows, and that many above and below each.
    Around(i64),
    /// Twice as many: a 3x3 convolution of the input at twice the size.
    Doubled,
    /// Half as many: a 3x3 convolution of stride 2, with that many rows of zeros above the first.
    Halved(i64),
}

impl Reach {
    fn output(self, side: i64) -> i64 {
        match self {
            Self::Around(_) => side,
            Self::Doubled => 2 * side,
            Self::Halved(_) => side / 2,
        }
    }

    /// The rows of the input for rows `from..to` of the output.
    fn input(self, from: i64, to: i64) -> (i64, i64) {
        match self {
            Self::Around(count) => (from - count, to + count),
            Self::Doubled => ((from - 1).div_euclid(2), (to + 2).div_euclid(2)),
            Self::Halved(above) => (2 * from - above, 2 * to + 1 - above),
        }
    }
}

/// What a layer makes of the rows that it sees.
pub(super) type Body<'a> = &'a dyn Fn(&Slice) -> Result<Slice>;

impl Strips {
    /// A whole activation, cut.
    pub(super) fn of(x: &Tensor) -> Result<Self> {
        let (batch, channels, height, width) = x.size4()?;
        let whole = Slice { rows: x.shallow_clone(), from: 0, to: height, height };
        let cuts = cuts(height, batch * channels * width);
        let strips = cuts.map(|(from, to)| whole.narrow(from, to)).collect::<Result<_>>()?;
        Ok(Self { strips, height })
    }

    /// The whole activation.
    pub(super) fn into_whole(self) -> Result<Tensor> {
        Ok(self.slice(0, self.height)?.rows)
    }

    /// A layer with that many channels in its output. The input is given up on the way.
    pub(super) fn layer(self, reach: Reach, channels: i64, body: Body) -> Result<Self> {
        let [output] = self.layers(reach, channels, [body])?;
        Ok(output)
    }

    /// Several layers of one input.
    pub(super) fn layers<const N: usize>(
        mut self,
        reach: Reach,
        channels: i64,
        bodies: [Body; N],
    ) -> Result<[Self; N]> {
        let height = reach.output(self.height);
        let (batch, input_channels, _, width) = self.strips.front().ok_or_else(no_rows)?.rows.size4()?;
        // By the output, which stays, but not with an input that is much wider.
        let row = batch * channels.max(input_channels / 2) * reach.output(width);
        let mut outputs = bodies.map(|_| Self { strips: VecDeque::new(), height });
        for (from, to) in cuts(height, row) {
            let (first, end) = reach.input(from, to);
            let input = match reach {
                Reach::Doubled => self.slice(first, end)?.doubled()?.narrow(from - 1, to + 1)?,
                _ => self.slice(first, end)?,
            };
            for (output, body) in outputs.iter_mut().zip(bodies) {
                output.strips.push_back(body(&input)?.narrow(from, to)?);
            }
            let (needed, _) = reach.input(to, to);
            while self.strips.front().is_some_and(|strip| strip.to <= needed) {
                self.strips.pop_front();
            }
        }
        Ok(outputs)
    }

    /// The same activation with other values.
    pub(super) fn map(mut self, f: impl Fn(&Tensor) -> Result<Tensor>) -> Result<Self> {
        for strip in &mut self.strips {
            *strip = strip.map(&f)?;
        }
        Ok(self)
    }

    /// The sum with an activation of the same shape.
    pub(super) fn plus(mut self, other: Self) -> Result<Self> {
        for strip in &mut self.strips {
            *strip = strip.plus(&other.slice(strip.from, strip.to)?)?;
        }
        Ok(self)
    }

    /// A group norm with the statistics of the whole activation.
    pub(super) fn normalisation(&self, norm: &GroupNorm) -> Result<Affine> {
        let mut sums = norm.no_sums();
        for strip in &self.strips {
            sums.add(&strip.rows)?;
        }
        sums.affine()
    }

    /// Those of the rows `from..to` that the activation has.
    fn slice(&self, from: i64, to: i64) -> Result<Slice> {
        let (from, to) = (from.max(0), to.min(self.height));
        let parts = self.strips.iter().filter(|strip| strip.from < to && strip.to > from);
        let parts: Vec<Slice> =
            parts.map(|strip| strip.narrow(from.max(strip.from), to.min(strip.to))).collect::<Result<_>>()?;
        let rows = match parts.as_slice() {
            [one] => one.rows.shallow_clone(),
            _ => Tensor::f_cat(&parts.iter().map(|part| &part.rows).collect::<Vec<_>>(), 2)?,
        };
        Ok(Slice { rows, from, to, height: self.height })
    }
}

/// Where an activation of that height is cut, with that many numbers in a row.
fn cuts(height: i64, row: i64) -> impl Iterator<Item = (i64, i64)> {
    // Even, so that a strip of a doubled activation begins with a row of the input.
    let rows = (STRIP_ELEMENTS / row.max(1) + 2).max(FEWEST_ROWS) / 2 * 2;
    (0..height).step_by(rows as usize).map(move |from| (from, (from + rows).min(height)))
}

impl Slice {
    /// The same rows with other values.
    pub(super) fn map(&self, f: impl Fn(&Tensor) -> Result<Tensor>) -> Result<Self> {
        Ok(Self { rows: f(&self.rows)?, ..*self })
    }

    pub(super) fn same(&self) -> Result<Self> {
        self.map(|rows| Ok(rows.shallow_clone()))
    }

    /// A group norm and SiLU.
    pub(super) fn normed(&self, norm: &Affine) -> Result<Self> {
        self.map(|rows| Ok(norm.forward(rows)?.f_silu_()?))
    }

    /// A convolution: with zeros at the edges of the picture, and elsewhere of the rows that are there, so that
    /// fewer come out.
    pub(super) fn conv(&self, conv: &Conv2d) -> Result<Self> {
        let padding = conv.rows_of_zeros();
        let top = if self.from == 0 { padding } else { 0 };
        let bottom = if self.to == self.height { padding } else { 0 };
        let rows = if top == bottom {
            conv.forward_rows(&self.rows, top)?
        } else {
            conv.forward_rows(&self.rows.f_constant_pad_nd([0, 0, top, bottom])?, 0)?
        };
        let from = (self.from + padding - top) / conv.step();
        Ok(Self { from, to: from + rows.size4()?.2, rows, height: self.height / conv.step() })
    }

    /// The sum with those of another slice's rows that this one has.
    pub(super) fn plus(&self, other: &Self) -> Result<Self> {
        self.map(|rows| Ok(rows.f_add(&other.narrow(self.from, self.to)?.rows)?))
    }

    /// A column of zeros on the right, and a row at the bottom of the picture.
    pub(super) fn padded_at_the_end(&self) -> Result<Self> {
        let bottom = i64::from(self.to == self.height);
        self.map(|rows| Ok(rows.f_constant_pad_nd([0, 1, 0, bottom])?))
    }

    fn doubled(&self) -> Result<Self> {
        let (_, _, height, width) = self.rows.size4()?;
        let rows = upsample_nearest(&self.rows, [2 * height, 2 * width])?;
        Ok(Self { rows, from: 2 * self.from, to: 2 * self.to, height: 2 * self.height })
    }

    /// Those of the rows `from..to` that are there.
    fn narrow(&self, from: i64, to: i64) -> Result<Self> {
        let (from, to) = (from.max(self.from), to.min(self.to));
        Ok(Self { rows: self.rows.f_narrow(2, from - self.from, to - from)?, from, to, ..*self })
    }
}

/// Cannot happen: every activation has rows.
fn no_rows() -> Error {
    Error::invalid("activation", "no rows", "a row or more")
}
