//! The sizes of multi-aspect training (SDXL paper, section 2.3 and appendix I).

use super::micro::Size;

/// The 40 buckets of the paper, wide to tall. They are not symmetric: 704x1344 pixels (height by width) has no
/// mirror image.
pub const BUCKETS: [Size; 40] = [
    Size::new(2048, 512),
    Size::new(1984, 512),
    Size::new(1920, 512),
    Size::new(1856, 512),
    Size::new(1792, 576),
    Size::new(1728, 576),
    Size::new(1664, 576),
    Size::new(1600, 640),
    Size::new(1536, 640),
    Size::new(1472, 704),
    Size::new(1408, 704),
    Size::new(1344, 704),
    Size::new(1344, 768),
    Size::new(1280, 768),
    Size::new(1216, 832),
    Size::new(1152, 832),
    Size::new(1152, 896),
    Size::new(1088, 896),
    Size::new(1088, 960),
    Size::new(1024, 960),
    Size::new(1024, 1024),
    Size::new(960, 1024),
    Size::new(960, 1088),
    Size::new(896, 1088),
    Size::new(896, 1152),
    Size::new(832, 1152),
    Size::new(832, 1216),
    Size::new(768, 1280),
    Size::new(768, 1344),
    Size::new(704, 1408),
    Size::new(704, 1472),
    Size::new(640, 1536),
    Size::new(640, 1600),
    Size::new(576, 1664),
    Size::new(576, 1728),
    Size::new(576, 1792),
    Size::new(512, 1856),
    Size::new(512, 1920),
    Size::new(512, 1984),
    Size::new(512, 2048),
];

/// The bucket whose shape is nearest to that of a picture: the least difference of the logarithms of
/// width / height, so that wide and tall pictures are treated alike. A side below 1 counts as 1.
///
/// ```
/// use sdxl::{Size, conditioning::nearest_bucket};
///
/// assert_eq!(nearest_bucket(Size::new(1920, 1080)), Size::new(1344, 768));
/// ```
pub fn nearest_bucket(size: Size) -> Size {
    let shape = |size: Size| (size.width.max(1) as f64 / size.height.max(1) as f64).ln();
    let distance = |bucket: &Size| (shape(*bucket) - shape(size)).abs();
    BUCKETS.into_iter().min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap_or(Size::new(1024, 1024))
}
