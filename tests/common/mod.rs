//! Goldens, tolerances and tiny models for the tests.
#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::disallowed_methods, reason = "tests may panic")]

pub(crate) mod c;
pub(crate) mod case;
pub(crate) mod headers;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use sdxl::pipeline::write_random_model;
use sdxl::weights::{RandomWeights, Weights, read_safetensors, save_safetensors};
use sdxl::{Device, Pipeline, Precision, Request};
use tch::{Kind, Tensor};

/// A file of the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The folder of real files made by others, which lies beside the repository, or is named by `SDXL_ASSETS`; tests say
/// when there is none.
pub(crate) fn assets() -> Option<PathBuf> {
    let folder =
        std::env::var_os("SDXL_ASSETS").map_or_else(|| repository("../shared/assets"), PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: the folder of assets is not beside the repository");
    None
}

/// Tensors that `tests/golden/generate.py` made with diffusers.
pub(crate) struct Golden(BTreeMap<String, Tensor>);

impl Golden {
    pub(crate) fn open(name: &str) -> Self {
        Self(read_safetensors(repository("tests/golden").join(name)).unwrap())
    }

    pub(crate) fn get(&self, name: &str) -> Tensor {
        self.0.get(name).unwrap_or_else(|| panic!("no golden tensor {name}")).shallow_clone()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

/// The latents that a request ends with.
pub(crate) fn final_latents(pipeline: &Pipeline, request: &Request) -> Tensor {
    let mut sampling = pipeline.sample(request).unwrap();
    for progress in &mut sampling {
        progress.unwrap();
    }
    sampling.latents().unwrap().tensor().unwrap().shallow_clone()
}

/// `‖found − expected‖ / ‖expected‖`, in f64.
pub(crate) fn relative_error(found: &Tensor, expected: &Tensor) -> f64 {
    assert_eq!(found.size(), expected.size(), "shape");
    let (found, expected) = (found.to_kind(Kind::Double), expected.to_kind(Kind::Double));
    let norm = |x: &Tensor| x.square().sum(Kind::Double).sqrt().double_value(&[]);
    norm(&(found - &expected)) / norm(&expected)
}

/// Fails unless the relative error is at most `tolerance`.
#[track_caller]
pub(crate) fn assert_close(what: &str, found: &Tensor, expected: &Tensor, tolerance: f64) {
    let error = relative_error(found, expected);
    eprintln!("{what}: relative error {error:.2e}");
    assert!(error <= tolerance, "{what}: relative error {error:.3e}, at most {tolerance:.0e} allowed");
}

/// Weights computed from their names, in f32 on the CPU, as a layer's or model's `load` reads them.
pub(crate) fn random<M>(component: &str, load: impl FnOnce(&Weights) -> sdxl::Result<M>) -> M {
    let source = RandomWeights::new(0, component);
    load(&Weights::new(&source, Device::Cpu, Precision::F32)).unwrap()
}

/// Writes tensors with values.
pub(crate) fn save(path: &Path, tensors: &[(String, Tensor)]) {
    let rows: Vec<_> = tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    save_safetensors(path, &rows).unwrap();
}

/// A tiny model with random weights, written into a folder of that name and read.
pub(crate) fn tiny(variant: &str, name: &str) -> Pipeline {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("main").replace("::", "-");
    let folder = headers::scratch(&format!("{name}-{variant}-{test}"));
    write_random_model(repository("tests/models").join(variant), &folder, 0, Precision::F32).unwrap();
    Pipeline::builder(&folder).build().unwrap()
}

/// Copies a folder with all that is in it.
pub(crate) fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
