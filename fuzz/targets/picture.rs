//! Pictures and masks from files.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sdxl::{Image, Mask};
use sdxl_fuzz::file;

/// Larger ones are read in the same way, but take their time.
const PIXELS: u64 = 1 << 18;

// Without libFuzzer's hook, which ends the process at any panic: those of the decoders are caught, and one that is not ends
// it all the same.
fuzz_target!(init: drop(std::panic::take_hook()), |data: &[u8]| {
    let path = file("picture", data);
    let Ok((width, height)) = Image::dimensions(&path) else {
        return;
    };
    if u64::from(width) * u64::from(height) > PIXELS {
        return;
    }
    let Ok(image) = Image::open(&path) else { return };
    assert_eq!((image.width(), image.height()), (width as usize, height as usize));
    let mask = Mask::open(&path).expect("a mask of what is a picture");
    assert_eq!(mask.shades().dim(), (image.height(), image.width()));
});
