//! Pictures with captions: from folders into buckets, cut as the paper's algorithm 1 cuts them.

use std::fs;
use std::path::PathBuf;

use ndarray::Array3;
use sdxl::conditioning::Crop;
use sdxl::text::{Padding, Tokenizer};
use sdxl::training::{Batches, Captions, Dataset, Draws, FolderDataset, Sample, crop};
use sdxl::{Image, Size};
use tch::Kind;

fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("training-data").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Red tells the column, green the row.
fn ramp(width: usize, height: usize) -> Image {
    let pixel = |(y, x, channel): (usize, usize, usize)| match channel {
        0 => x as u8,
        1 => y as u8,
        _ => 128,
    };
    Image::from_pixels(Array3::from_shape_fn((height, width, 3), pixel).view()).unwrap()
}

#[test]
fn a_folder_with_captions_beside_the_pictures() {
    let folder = folder("beside");
    ramp(20, 10).save_png(folder.join("b.png")).unwrap();
    ramp(8, 16).save_png(folder.join("a.png")).unwrap();
    fs::write(folder.join("a.txt"), "a tall one\n").unwrap();
    fs::write(folder.join("b.txt"), "a wide one").unwrap();
    fs::write(folder.join("notes.md"), "not a picture").unwrap();
    let data = FolderDataset::open(&folder).unwrap();
    assert_eq!(
        (data.len(), data.size(0).unwrap(), data.size(1).unwrap()),
        (2, Size::new(8, 16), Size::new(20, 10))
    );
    let Sample { image, caption } = data.sample(1).unwrap();
    assert_eq!((caption.as_str(), image), ("a wide one", ramp(20, 10)));
    assert_eq!(data.sample(2).unwrap_err().to_string(), "sample is 2, expected below 2");
}

#[test]
fn a_folder_with_metadata() {
    let folder = folder("metadata");
    ramp(20, 10).save_png(folder.join("x.png")).unwrap();
    let metadata = folder.join("metadata.jsonl");
    fs::write(&metadata, "{\"file_name\": \"x.png\", \"text\": \"a ramp\"}\n\n").unwrap();
    assert_eq!(FolderDataset::open(&folder).unwrap().sample(0).unwrap().caption, "a ramp");

    let message = || FolderDataset::open(&folder).unwrap_err().to_string();
    fs::write(&metadata, "{\"file_name\": \"y.png\", \"text\": \"gone\"}").unwrap();
    assert!(message().ends_with("metadata.jsonl: names y.png, which is not there"), "{}", message());
    fs::write(&metadata, "\nnot json").unwrap();
    assert!(message().contains("metadata.jsonl: line 2: "), "{}", message());
    fs::remove_file(&metadata).unwrap();
    let expected = "x.png: has no caption: neither x.txt nor metadata.jsonl has one";
    assert!(message().ends_with(expected), "{}", message());
    fs::remove_file(folder.join("x.png")).unwrap();
    assert!(message().ends_with("holds no PNG, JPEG or WebP pictures"), "{}", message());
}

/// A wide picture is scaled to the bucket's height, and what is cut off its left is recorded.
#[test]
fn cuts_as_algorithm_1() {
    let image = ramp(240, 80);
    let bucket = Size::new(40, 40);
    let mut lefts = Vec::new();
    for position in 0..40 {
        let cut = crop(&image, bucket, &mut Draws::new(1, "crop", position)).unwrap();
        assert_eq!(cut.picture.size(), [1, 3, 40, 40]);
        assert_eq!(cut.micro.original_size, Some(Size::new(240, 80)));
        assert_eq!(cut.micro.target_size, Some(bucket));
        let Crop { left, top } = cut.micro.crop;
        assert!(top == 0 && (0..=80).contains(&left), "{left}, {top}");
        // Red rises by two for each pixel of the scaled picture: the cut is where it says.
        let red = (cut.picture.get(0).get(0).mean(Kind::Float).double_value(&[]) + 1.) * 127.5;
        assert!((red - (2 * left + 39) as f64 - 0.5).abs() < 1.5, "{left}: {red}");
        lefts.push(left);
    }
    lefts.sort_unstable();
    assert!(lefts[0] < 15 && lefts[39] > 65, "{lefts:?}");

    // A small picture is scaled up, and says that it was small.
    let cut = crop(&ramp(20, 30), Size::new(64, 64), &mut Draws::new(1, "crop", 0)).unwrap();
    assert_eq!((cut.picture.size(), cut.micro.original_size), (vec![1, 3, 64, 64], Some(Size::new(20, 30))));
}

/// Samples of that many sizes.
struct Sizes(Vec<Size>);

impl Dataset for Sizes {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn size(&self, index: usize) -> sdxl::Result<Size> {
        Ok(self.0[index])
    }

    fn sample(&self, index: usize) -> sdxl::Result<Sample> {
        Ok(Sample { image: ramp(8, 8), caption: index.to_string() })
    }
}

#[test]
fn every_epoch_shows_every_sample_once_in_batches_of_one_bucket() {
    let sizes = (0..25).map(|i| if i % 3 == 0 { Size::new(300, 100) } else { Size::new(90, 110) }).collect();
    let buckets = [Size::new(64, 64), Size::new(96, 40)];
    let mut batches = Batches::new(&Sizes(sizes), &buckets, 4, 7).unwrap();
    assert_eq!(batches.per_epoch(), 3 + 4);
    let mut orders = Vec::new();
    for epoch in 0..3 {
        let mut seen = Vec::new();
        for number in 0..7 {
            let batch = batches.at(epoch * 7 + number);
            assert!((1..=4).contains(&batch.samples.len()));
            let wide = batch.bucket == buckets[1];
            assert!(batch.samples.iter().all(|sample| (sample % 3 == 0) == wide), "{batch:?}");
            seen.extend(batch.samples);
        }
        orders.push(seen.clone());
        seen.sort_unstable();
        assert_eq!(seen, (0..25).collect::<Vec<_>>());
    }
    assert_ne!(orders[0], orders[1]);

    // A batch depends on its number alone.
    let first = batches.at(3);
    let _ = batches.at(20);
    assert_eq!(batches.at(3), first);

    let refused = |buckets: &[Size], batch| {
        Batches::new(&Sizes(vec![Size::new(8, 8)]), buckets, batch, 0).unwrap_err().to_string()
    };
    assert_eq!(
        refused(&buckets, 0),
        "data set is 1 samples in batches of 0, expected one sample and one a batch, or more"
    );
    assert!(refused(&[Size::new(60, 64)], 1).ends_with("expected sizes that are multiples of 8"));
}

#[test]
fn captions_are_dropped_as_often_as_asked() {
    let captions = |zeros| Captions {
        first: None,
        second: Tokenizer::builtin(Padding::Exclamation).unwrap(),
        dropout: 0.25,
        zeros,
    };
    let texts = vec!["a cat"; 800];
    let zeroed = captions(true).tokenize(&texts, &mut Draws::new(1, "captions", 0)).unwrap();
    let kept = zeroed.kept.unwrap();
    let part = kept.mean(Kind::Float).double_value(&[]);
    assert!((part - 0.75).abs() < 0.05, "{part}");

    // Where the model has no zeros, a dropped caption is the empty one: begin, end, padding.
    let emptied = captions(false).tokenize(&texts, &mut Draws::new(1, "captions", 0)).unwrap();
    assert!(emptied.kept.is_none());
    for row in 0..800 {
        let second = emptied.second.get(row).int64_value(&[1]);
        assert_eq!(second == 49407, kept.double_value(&[row]) == 0., "row {row}");
    }
}
