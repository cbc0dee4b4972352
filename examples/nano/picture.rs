//! [`Picture`]: RGBA pixels with premultiplied alpha, and how they are scaled.

/// Rows from top to bottom, 4 bytes a pixel, each colour multiplied by its alpha.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    pub width: usize,
    pub height: usize,
    pub pixels: Vec<u8>,
}

/// The part of a picture that is not transparent, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    pub left: usize,
    pub top: usize,
    pub width: usize,
    pub height: usize,
}

impl Picture {
    /// From pixels whose colours are not multiplied by alpha.
    pub fn from_straight(width: usize, height: usize, mut pixels: Vec<u8>) -> Self {
        for pixel in pixels.as_chunks_mut::<4>().0 {
            let [red, green, blue, alpha] = *pixel;
            let scaled = |value: u8| ((u32::from(value) * u32::from(alpha) + 127) / 255) as u8;
            *pixel = [scaled(red), scaled(green), scaled(blue), alpha];
        }
        Self { width, height, pixels }
    }

    /// The pixels with colours that are not multiplied by alpha.
    pub fn to_straight(&self) -> Vec<u8> {
        let mut pixels = self.pixels.clone();
        for pixel in pixels.as_chunks_mut::<4>().0 {
            let [red, green, blue, alpha] = *pixel;
            let full = u32::from(alpha).max(1);
            let scaled = |value: u8| ((u32::from(value) * 255 + full / 2) / full).min(255) as u8;
            *pixel = [scaled(red), scaled(green), scaled(blue), alpha];
        }
        pixels
    }

    /// Where something is to be seen; `None` where nothing is.
    pub fn bounds(&self) -> Option<Bounds> {
        let (mut left, mut right, mut top, mut bottom) = (usize::MAX, 0, usize::MAX, 0);
        for (y, row) in self.pixels.chunks_exact(4 * self.width.max(1)).enumerate() {
            for (x, pixel) in row.as_chunks::<4>().0.iter().enumerate() {
                if pixel[3] > 16 {
                    (left, right) = (left.min(x), right.max(x));
                    (top, bottom) = (top.min(y), bottom.max(y));
                }
            }
        }
        (left <= right && top <= bottom).then(|| Bounds {
            left,
            top,
            width: right - left + 1,
            height: bottom - top + 1,
        })
    }

    /// That part alone.
    pub fn cropped(&self, part: Bounds) -> Self {
        let rows = self.pixels.chunks_exact(4 * self.width.max(1)).skip(part.top).take(part.height);
        let pixels =
            rows.flat_map(|row| row.iter().skip(4 * part.left).take(4 * part.width)).copied().collect();
        Self { width: part.width, height: part.height, pixels }
    }

    /// In the middle of a transparent square, its longer side from edge to edge.
    pub fn fitted(&self, side: usize) -> Self {
        let longest = self.width.max(self.height).max(1);
        let scaled = |length: usize| ((length * side + longest / 2) / longest).max(1);
        let inner = self.resized(scaled(self.width), scaled(self.height));
        inner.framed(side)
    }

    /// In the middle of a transparent square that is no smaller.
    pub fn framed(&self, side: usize) -> Self {
        let mut pixels = vec![0; 4 * side * side];
        let left = side.saturating_sub(self.width) / 2;
        let top = side.saturating_sub(self.height) / 2;
        let rows = pixels.chunks_exact_mut(4 * side.max(1)).skip(top);
        for (target, source) in rows.zip(self.pixels.chunks_exact(4 * self.width.max(1))) {
            target.iter_mut().skip(4 * left).zip(source).for_each(|(target, source)| *target = *source);
        }
        Self { width: side, height: side, pixels }
    }

    /// Half the size: each pixel the mean of four.
    pub fn halved(&self) -> Self {
        let (width, height) = ((self.width / 2).max(1), (self.height / 2).max(1));
        self.resized(width, height)
    }

    /// At another size, with a triangle filter that covers what each new pixel stands for.
    pub fn resized(&self, width: usize, height: usize) -> Self {
        if (self.width, self.height) == (width, height) {
            return self.clone();
        }
        let wide = resample(&self.pixels, self.width, self.height, width);
        // Both passes run along rows, and each transposes.
        let pixels = resample(&wide, self.height, width, height);
        Self { width, height, pixels }
    }
}

/// Scales the rows of a picture to `target` pixels and turns rows into columns.
fn resample(pixels: &[u8], width: usize, height: usize, target: usize) -> Vec<u8> {
    let scale = width as f32 / target.max(1) as f32;
    let radius = scale.max(1.);
    let mut result = vec![0; 4 * target * height];
    let mut weights: Vec<i32> = Vec::new();
    for (column, output) in result.chunks_exact_mut(4 * height.max(1)).enumerate() {
        let centre = (column as f32 + 0.5) * scale;
        let first = ((centre - radius).round() as isize).clamp(0, width as isize - 1) as usize;
        let last = ((centre + radius).round() as usize).clamp(first + 1, width);
        let weight = |x: usize| (1. - (x as f32 + 0.5 - centre).abs() / radius).max(0.);
        let total: f32 = (first..last).map(weight).sum();
        // Fixed point with 14 bits.
        weights.clear();
        weights.extend((first..last).map(|x| (weight(x) / total.max(1e-6) * 16384.).round() as i32));
        let rows = pixels.chunks_exact(4 * width.max(1));
        for (row, output) in rows.zip(output.as_chunks_mut::<4>().0) {
            let mut sum = [8192i32; 4];
            for (pixel, weight) in row.as_chunks::<4>().0.iter().skip(first).zip(&weights) {
                for (sum, value) in sum.iter_mut().zip(pixel) {
                    *sum = sum.wrapping_add(weight.wrapping_mul(i32::from(*value)));
                }
            }
            *output = sum.map(|sum| (sum >> 14).clamp(0, 255) as u8);
        }
    }
    result
}
