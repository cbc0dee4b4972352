//! [`Dataset`]: pictures with captions.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::conditioning::Size;
use crate::error::{Error, Result};
use crate::image::Image;
use crate::runtime::files::read_text;

/// A picture and what it shows.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The picture, of any size.
    pub image: Image,
    /// Its caption.
    pub caption: String,
}

/// Pictures with captions, by number. The same number always gives the same sample.
pub trait Dataset {
    /// How many there are.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The size of a picture, which decides its bucket.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a number that is too large; those of reading.
    fn size(&self, index: usize) -> Result<Size>;

    /// A picture with its caption.
    ///
    /// # Errors
    /// As for [`size`](Self::size).
    fn sample(&self, index: usize) -> Result<Sample>;

    /// The caption alone, for pictures that are encoded already.
    ///
    /// # Errors
    /// As for [`size`](Self::size).
    fn caption(&self, index: usize) -> Result<String> {
        Ok(self.sample(index)?.caption)
    }
}

/// The PNG, JPEG and WebP files of a folder, in the order of their names.
///
/// Captions are in text files of the same name (`fox.png`, `fox.txt`), or all in a `metadata.jsonl` as the `datasets`
/// library has it: `{"file_name": "fox.png", "text": "a fox"}` on each line.
#[derive(Debug, Clone)]
pub struct FolderDataset {
    rows: Vec<Row>,
}

#[derive(Debug, Clone)]
struct Row {
    path: PathBuf,
    caption: String,
    size: Size,
}

/// The longest caption, in bytes: that of a prompt.
const CAPTION_LIMIT: u64 = 64 << 10;

impl FolderDataset {
    /// Reads the captions of a folder, and the headers of its pictures.
    ///
    /// # Errors
    /// [`Error::File`] for a picture without a caption, a line of metadata without its picture, or a folder without
    /// pictures.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        let metadata = folder.join("metadata.jsonl");
        let captions = if metadata.exists() { read_metadata(&metadata)? } else { BTreeMap::new() };
        let listed = fs::read_dir(folder).map_err(Error::io(folder))?;
        let mut paths = listed
            .map(|entry| entry.map(|entry| entry.path()).map_err(Error::io(folder)))
            .collect::<Result<Vec<_>>>()?;
        paths.retain(|path| is_picture(path));
        paths.sort();
        if paths.is_empty() {
            return Err(Error::file(folder, "holds no PNG, JPEG or WebP pictures"));
        }
        for name in captions.keys() {
            if !folder.join(name).is_file() {
                return Err(Error::file(&metadata, format!("names {name}, which is not there")));
            }
        }
        let rows = paths
            .into_iter()
            .map(|path| {
                let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
                let caption = match name.and_then(|name| captions.get(&name).cloned()) {
                    Some(caption) => caption,
                    None => read_caption(&path)?,
                };
                let (width, height) = Image::dimensions(&path)?;
                Ok(Row { path, caption, size: Size::new(width.into(), height.into()) })
            })
            .collect::<Result<_>>()?;
        Ok(Self { rows })
    }

    fn row(&self, index: usize) -> Result<&Row> {
        let expected = || format!("below {}", self.rows.len());
        self.rows.get(index).ok_or_else(|| Error::invalid("sample", index, expected()))
    }
}

impl Dataset for FolderDataset {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn size(&self, index: usize) -> Result<Size> {
        Ok(self.row(index)?.size)
    }

    fn sample(&self, index: usize) -> Result<Sample> {
        let Row { path, caption, .. } = self.row(index)?;
        Ok(Sample { image: Image::open(path)?, caption: caption.clone() })
    }

    fn caption(&self, index: usize) -> Result<String> {
        Ok(self.row(index)?.caption.clone())
    }
}

fn is_picture(path: &Path) -> bool {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    path.is_file() && extension.is_some_and(|e| ["png", "jpg", "jpeg", "webp"].contains(&e.as_str()))
}

fn read_caption(picture: &Path) -> Result<String> {
    let path = picture.with_extension("txt");
    if !path.exists() {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        return Err(Error::file(
            picture,
            format!("has no caption: neither {name} nor metadata.jsonl has one"),
        ));
    }
    Ok(read_text(&path, CAPTION_LIMIT)?.trim().to_owned())
}

fn read_metadata(path: &Path) -> Result<BTreeMap<String, String>> {
    #[derive(Deserialize)]
    struct Line {
        file_name: String,
        text: String,
    }
    let text = read_text(path, 1 << 30)?;
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(number, line)| {
            let fail = |error| Error::file(path, format!("line {}: {error}", number + 1));
            let Line { file_name, text } = serde_json::from_str(line).map_err(fail)?;
            Ok((file_name, text))
        })
        .collect()
}
