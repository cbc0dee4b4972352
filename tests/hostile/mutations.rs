//! Every tensor of a tiny model missing, beside another one, transposed, of another type, of another rank: each time the
//! right error, before any data is read and anything is made on a device.

use std::cell::Cell;
use std::path::Path;

use sdxl::config::ModelConfig;
use sdxl::text::{ClipTextModel, Projection};
use sdxl::unet::Unet;
use sdxl::vae::{AutoencoderKl, AutoencoderTiny};
use sdxl::weights::{Checkpoint, CheckpointError, Component, TensorSpec, Weights, tensors_of};
use sdxl::{Device, Error, Precision};

use super::common::headers::{Row, scratch, write};
use super::common::repository;

/// The builder of one part, which makes nothing that the test looks at.
type Build = Box<dyn Fn(&Weights) -> sdxl::Result<()>>;

fn parts() -> Vec<(&'static str, Component, Build)> {
    let base = ModelConfig::from_folder(repository("tests/models/base")).unwrap();
    let text = base.text_encoder.clone().unwrap();
    let tiny =
        sdxl::config::AutoencoderTinyConfig::from_file(repository("tests/models/taesd/config.json")).unwrap();
    vec![
        ("unet", Component::Unet, Box::new(move |w| Unet::load(w, &base.unet).map(drop))),
        ("vae", Component::Vae, Box::new(move |w| AutoencoderKl::load(w, &base.vae).map(drop))),
        (
            "text_encoder",
            Component::TextEncoder,
            Box::new(move |w| ClipTextModel::load(w, &text, Projection::Without).map(drop)),
        ),
        (
            "text_encoder_2",
            Component::TextEncoder2,
            Box::new(move |w| ClipTextModel::load(w, &base.text_encoder_2, Projection::With).map(drop)),
        ),
        ("taesd", Component::Vae, Box::new(move |w| AutoencoderTiny::load(w, &tiny).map(drop))),
    ]
}

/// How often a part was built: once over a recorder, which reads nothing, and once more over the data.
struct Loaded {
    result: sdxl::Result<()>,
    builds: usize,
}

fn load(path: &Path, component: Component, build: &Build) -> Loaded {
    let builds = Cell::new(0);
    let counted = |weights: &Weights| {
        builds.set(builds.get() + 1);
        build(weights)
    };
    let result = Checkpoint::from_file(component, path)
        .and_then(|checkpoint| checkpoint.load(Device::Cpu, Precision::F32, counted));
    Loaded { result, builds: builds.get() }
}

#[test]
fn every_change_of_one_tensor_is_found() {
    let folder = scratch("hostile-mutations");
    let path = folder.join("part.safetensors");
    let mut count = 0;
    for (name, component, build) in parts() {
        let specs = tensors_of(&build).unwrap();
        let rows: Vec<Row> = specs
            .iter()
            .map(|spec| Row { dtype: "F16", ..Row::new(spec.name.clone(), &spec.shape) })
            .collect();
        write(&path, &rows);
        let Loaded { result, builds } = load(&path, component, &build);
        result.unwrap();
        assert_eq!(builds, 2, "{name}");
        for (index, spec) in specs.iter().enumerate() {
            for (what, changed, expected) in changes(spec) {
                let mut rows = rows.clone();
                rows.splice(index..=index, changed);
                write(&path, &rows);
                let Loaded { result, builds } = load(&path, component, &build);
                let error = result.err().unwrap_or_else(|| panic!("{name}: {}: {what}: accepted", spec.name));
                expected.check(&error, &format!("{name}: {}: {what}: {error}", spec.name));
                assert!(error.to_string().contains("part.safetensors"), "{error}");
                assert!(builds <= 1, "{name}: {}: {what}: data was read", spec.name);
                count += 1;
            }
        }
    }
    println!("{count} changes, each found before any data was read");
    assert!(count > 3000, "{count}");
}

/// What an error has to say, and nothing beside that.
enum Expected {
    Missing(String),
    Unexpected(String),
    Shape(Vec<i64>),
    /// Of a type that is no float.
    Kind(String),
}

impl Expected {
    fn check(&self, error: &Error, text: &str) {
        if let Self::Kind(name) = self {
            assert!(matches!(error, Error::File { .. }), "{text}");
            assert!(text.contains(&format!("tensor {name} has type")), "{text}");
            return;
        }
        let Error::Checkpoint(error) = error else { panic!("{text}") };
        let CheckpointError { missing, unexpected, misshaped, .. } = &**error;
        let found: Vec<&Vec<i64>> = misshaped.iter().map(|mismatch| &mismatch.found).collect();
        let (a, b, c): (Vec<&String>, Vec<&String>, Vec<&Vec<i64>>) = match self {
            Self::Missing(name) => (vec![name], vec![], vec![]),
            Self::Unexpected(name) => (vec![], vec![name], vec![]),
            Self::Shape(shape) => (vec![], vec![], vec![shape]),
            Self::Kind(_) => return,
        };
        assert!(missing.iter().collect::<Vec<_>>() == a, "{text}");
        assert!(unexpected.iter().collect::<Vec<_>>() == b && found == c, "{text}");
    }
}

/// The tensor as it might be in a broken file.
fn changes(spec: &TensorSpec) -> Vec<(&'static str, Vec<Row>, Expected)> {
    let row = |shape: &[i64]| Row::new(spec.name.clone(), shape);
    let name = || spec.name.clone();
    let mut changes = vec![
        ("missing", vec![], Expected::Missing(name())),
        (
            "beside another one",
            vec![row(&spec.shape), Row::new(format!("{}_extra", spec.name), &[1])],
            Expected::Unexpected(format!("{}_extra", spec.name)),
        ),
        ("of whole numbers", vec![Row { dtype: "I64", ..row(&spec.shape) }], Expected::Kind(name())),
        ("of truth values", vec![Row { dtype: "BOOL", ..row(&spec.shape) }], Expected::Kind(name())),
    ];
    let longer = [&spec.shape[..], &[1, 1, 1]].concat();
    changes.push(("of a higher rank", vec![row(&longer)], Expected::Shape(longer)));
    let flat = vec![spec.shape.iter().product::<i64>()];
    if flat != spec.shape {
        changes.push(("of rank 1", vec![row(&flat)], Expected::Shape(flat)));
    }
    let larger: Vec<i64> = spec.shape.iter().enumerate().map(|(i, side)| side + i64::from(i == 0)).collect();
    changes.push(("a row longer", vec![row(&larger)], Expected::Shape(larger)));
    let mut turned = spec.shape.clone();
    turned.reverse();
    if turned != spec.shape {
        changes.push(("transposed", vec![row(&turned)], Expected::Shape(turned)));
    }
    changes
}
