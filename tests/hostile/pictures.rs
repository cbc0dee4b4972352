//! Pictures: files that unpack to more than there is room for, and files that end too soon.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use ndarray::Array3;
use sdxl::Image;

use super::case::{Case, Open};

/// A chunk of a PNG file, with its checksum.
fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut checksum = flate2::Crc::new();
    checksum.update(kind);
    checksum.update(data);
    [&(data.len() as u32).to_be_bytes(), &kind[..], data, &checksum.sum().to_be_bytes()].concat()
}

fn start(width: u32, height: u32, depth: u8, color: u8) -> Vec<u8> {
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[depth, color, 0, 0, 0]].concat();
    [b"\x89PNG\r\n\x1a\n".to_vec(), chunk(b"IHDR", &header)].concat()
}

fn zeros(bytes: u64) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    let block = vec![0; 1 << 20];
    for _ in 0..bytes >> 20 {
        encoder.write_all(&block).unwrap();
    }
    encoder.write_all(&block[..bytes as usize % (1 << 20)]).unwrap();
    encoder.finish().unwrap()
}

/// A PNG of that size; `data` is what its pixels unpack to, in bytes.
fn png(width: u32, height: u32, (depth, color): (u8, u8), data: u64) -> Vec<u8> {
    [start(width, height, depth, color), chunk(b"IDAT", &zeros(data)), chunk(b"IEND", &[])].concat()
}

fn sound() -> Vec<u8> {
    let pixels = Array3::from_shape_fn((40, 50, 3), |(y, x, c)| (x * 5 + y * 3 + c * 50) as u8);
    Image::from_pixels(pixels.view()).unwrap().to_png().unwrap()
}

/// A PNG with these chunks before its end.
fn with_chunks(chunks: &[Vec<u8>]) -> Vec<u8> {
    let sound = sound();
    let end = sound.len() - 12;
    [&sound[..end], &chunks.concat(), &sound[end..]].concat()
}

/// The start of a JPEG of that size.
fn jpeg(width: u16, height: u16) -> Vec<u8> {
    let [w, h] = [width, height].map(u16::to_be_bytes);
    let frame = [0xff, 0xc0, 0, 17, 8, h[0], h[1], w[0], w[1], 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1];
    [&[0xff, 0xd8][..], &frame, &[0xff, 0xda, 0, 12, 3, 1, 0, 2, 0x11, 3, 0x11, 0, 63, 0]].concat()
}

fn riff(chunks: &[u8]) -> Vec<u8> {
    [b"RIFF", &((chunks.len() + 4) as u32).to_le_bytes()[..], b"WEBP", chunks].concat()
}

/// A lossless WebP of that size without pixels.
fn webp(width: u32, height: u32) -> Vec<u8> {
    let bits = (width - 1) | (height - 1) << 14;
    let data = [&[0x2f][..], &bits.to_le_bytes(), &[0; 8]].concat();
    riff(&[b"VP8L", &(data.len() as u32).to_le_bytes()[..], &data, &[0]].concat())
}

pub(crate) fn cases() -> Vec<Case> {
    let rgb = (8, 2);
    let text = |kind: &[u8; 4], rest: &[u8]| chunk(kind, &[b"Comment\0", rest].concat());
    let sound = sound();
    let refused: Vec<(&str, Vec<u8>, &'static str)> = vec![
        ("nothing", vec![], "format"),
        ("a text", b"this is no picture".to_vec(), "format"),
        ("a JPEG of a row too short", include_bytes!("damaged-row.jpg").to_vec(), "its decoder gave up"),
        ("a signature alone", sound[..8].to_vec(), "end"),
        ("a PNG without pixels", [start(8, 8, 8, 2), chunk(b"IEND", &[])].concat(), "IDAT"),
        ("a PNG of no size", png(0, 8, rgb, 0), ""),
        ("a PNG of 2^31 columns", png(1 << 31, 1, rgb, 8), ""),
        ("a PNG of 2^31 - 1 squared", png(i32::MAX as u32, i32::MAX as u32, rgb, 8), "exceeds limit"),
        ("a PNG of 16385 columns", png(16_385, 1, rgb, 16_385 * 3 + 1), "exceeds limit"),
        ("a PNG of 2 GB", png(16_384, 16_384, (16, 6), 8), "its pixels are 2147483648 bytes"),
        ("a PNG of 16384 squared that ends", png(16_384, 16_384, rgb, 1000), ""),
        ("a PNG that ends", sound[..sound.len() / 2].to_vec(), ""),
        (
            "a PNG of a broken checksum",
            {
                let mut b = sound.clone();
                b[30] ^= 1;
                b
            },
            "CRC",
        ),
        ("a PNG of an unknown colour", png(8, 8, (8, 5), 200), ""),
        ("a PNG of an unknown depth", png(8, 8, (7, 2), 200), ""),
        (
            "a palette of no colours",
            [start(8, 8, 8, 3), chunk(b"IDAT", &zeros(72)), chunk(b"IEND", &[])].concat(),
            "palette",
        ),
        ("a header twice", [start(8, 8, 8, 2), start(8, 8, 8, 2)[8..].to_vec()].concat(), ""),
        ("a chunk of 4 GB", [start(8, 8, 8, 2), vec![0xff; 4], b"IDAT".to_vec()].concat(), ""),
        (
            "no zlib stream",
            [start(8, 8, 8, 2), chunk(b"IDAT", &[0xff; 50]), chunk(b"IEND", &[])].concat(),
            "",
        ),
        (
            "a text that unpacks to 1 GB",
            with_chunks(&[text(b"zTXt", &[&[0][..], &zeros(1 << 30)].concat())]),
            "",
        ),
        ("a text that is no stream", with_chunks(&[text(b"zTXt", &[0, 1, 2, 3])]), ""),
        ("a JPEG of 65535 squared", jpeg(65_535, 65_535), "exceeds limit"),
        ("a JPEG of 16384 squared that ends", jpeg(16_384, 16_384), ""),
        ("a JPEG of no size", jpeg(0, 0), ""),
        ("a JPEG of markers", [&[0xff, 0xd8][..], &[0xff, 0xfe, 0, 2].repeat(100_000)].concat(), ""),
        ("a JPEG that begins", vec![0xff, 0xd8, 0xff], ""),
        ("a WebP of 16384 squared that ends", webp(16_384, 16_384), ""),
        ("a WebP of nothing", riff(b""), ""),
        (
            "a WebP of 4 GB",
            [b"RIFF".as_slice(), &[0xff; 4], b"WEBPVP8L", &[0xff; 4], &[0x2f, 0, 0]].concat(),
            "",
        ),
        ("a GIF", b"GIF89a\x01\0\x01\0\0\0\0;".to_vec(), "format"),
        ("a TIFF", b"II*\0\x08\0\0\0\0\0".to_vec(), "format"),
    ];
    let mut cases: Vec<Case> = refused
        .into_iter()
        .map(|(name, bytes, says)| Case::file(format!("picture: {name}"), Open::ImageFile, says, bytes))
        .collect();
    let read: Vec<(&str, Vec<u8>)> = vec![
        ("a PNG of one pixel", png(1, 1, rgb, 4)),
        // Left out, as every reader of PNG does with texts that are broken.
        ("an international text that is no UTF-8", with_chunks(&[text(b"iTXt", b"\0\0\0\0\xff\xfe")])),
        ("a PNG of 4096 squared in 50 KB", png(4096, 4096, rgb, 4096 * (4096 * 3 + 1))),
        ("100 000 texts", with_chunks(&vec![text(b"tEXt", b"x"); 100_000])),
        ("chunks of unknown kinds", with_chunks(&vec![chunk(b"teSt", &[7; 100]); 1000])),
    ];
    cases.extend(
        read.into_iter()
            .map(|(name, bytes)| Case::file(format!("picture: {name}"), Open::ImageFile, "", bytes).valid()),
    );
    cases.extend([
        Case::file("mask: of 2 GB", Open::MaskFile, "its pixels are", png(16_384, 16_384, (16, 6), 8)),
        Case::file("mask: a text", Open::MaskFile, "format", "no mask"),
        Case::file("size: of 2^31 columns", Open::ImageSize, "", png(1 << 31, 1, rgb, 8)),
        Case::file("size: of nothing", Open::ImageSize, "format", ""),
    ]);
    cases
}
