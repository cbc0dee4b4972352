//! Files that have the header of a checkpoint and, in the place of its data, a hole: checking a checkpoint
//! reads no data, so a 7 GB file takes a few hundred kilobytes.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

/// A tensor of a header.
#[derive(Clone)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) dtype: &'static str,
    pub(crate) shape: Vec<i64>,
}

impl Row {
    pub(crate) fn new(name: impl Into<String>, shape: &[i64]) -> Self {
        Self { name: name.into(), dtype: "F16", shape: shape.to_vec() }
    }

    fn bytes(&self) -> u64 {
        let width = match self.dtype {
            "F32" => 4,
            "I64" | "F64" => 8,
            "F8_E4M3" | "U8" | "BOOL" => 1,
            _ => 2,
        };
        self.shape.iter().product::<i64>() as u64 * width
    }
}

/// Writes a safetensors file of these tensors, all zeros.
pub(crate) fn write(path: &Path, rows: &[Row]) {
    let mut header = Map::new();
    let mut offset = 0;
    for row in rows {
        let end = offset + row.bytes();
        header.insert(
            row.name.clone(),
            json!({"dtype": row.dtype, "shape": row.shape, "data_offsets": [offset, end]}),
        );
        offset = end;
    }
    let header = Value::Object(header).to_string();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut file = File::create(path).unwrap();
    file.write_all(&(header.len() as u64).to_le_bytes()).unwrap();
    file.write_all(header.as_bytes()).unwrap();
    file.set_len(8 + header.len() as u64 + offset).unwrap();
}

/// The tensors of a table of `tests` or assets: name column, shape column (`320x4x3x3`, empty for a scalar).
pub(crate) fn table(path: &Path, name: usize, shape: usize) -> Vec<Row> {
    fs::read_to_string(path)
        .unwrap()
        .lines()
        .map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            let shape = columns[shape].split('x').filter(|side| !side.is_empty());
            Row::new(columns[name], &shape.map(|side| side.parse().unwrap()).collect::<Vec<i64>>())
        })
        .collect()
}

/// An empty folder for one test.
pub(crate) fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The header records of one model: path of each file and its tensors.
pub(crate) fn header(assets: &Path, name: &str) -> Vec<(String, Vec<Row>)> {
    let file = fs::File::open(assets.join("headers").join(name)).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    let record: Value = serde_json::from_str(&text).unwrap();
    let rows = |tensors: &Value| {
        let row = |tensor: &Value| Row {
            name: tensor["name"].as_str().unwrap().to_owned(),
            dtype: match tensor["dtype"].as_str().unwrap() {
                "F32" => "F32",
                "F16" => "F16",
                "BF16" => "BF16",
                other => panic!("type {other}"),
            },
            shape: tensor["shape"].as_array().unwrap().iter().map(|side| side.as_i64().unwrap()).collect(),
        };
        tensors.as_array().unwrap().iter().map(row).collect()
    };
    let files = record["files"].as_array().unwrap().iter();
    files.map(|file| (file["path"].as_str().unwrap().to_owned(), rows(&file["tensors"]))).collect()
}
