//! The official checkpoints: names and shapes of their tensors, and every layout.
//!
//! The headers and key lists of the official files are in the folder of assets; a test that needs them says
//! when they are not there.

#![cfg(test)]
#![allow(clippy::disallowed_methods, reason = "tests may panic")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use common::headers::{Row, header, scratch, table, write};
use common::{assets, copy_folder, repository, save};
use sdxl::config::{ModelConfig, PipelineKind};
use sdxl::pipeline::write_random_model;
use sdxl::unet::Unet;
use sdxl::weights::{Checkpoint, Component, TensorSource, read_safetensors, tensors_of};
use sdxl::{Pipeline, Precision};
use tch::Tensor;

/// A diffusers folder: the official configurations of `model`, and files with these headers.
fn folder(assets: &Path, model: &str, name: &str, files: &[(String, Vec<Row>)]) -> PathBuf {
    let target = scratch(name);
    copy_folder(&assets.join("sdxl-configs").join(model), &target);
    for (path, rows) in files {
        write(&target.join(path), rows);
    }
    write_index(&target, files);
    target
}

/// The index of the UNet's shards, where it has more than one.
fn write_index(folder: &Path, files: &[(String, Vec<Row>)]) -> BTreeMap<String, String> {
    let mut weight_map = BTreeMap::new();
    for (path, rows) in files.iter().filter(|(path, _)| path.contains("-of-0000")) {
        weight_map
            .extend(rows.iter().map(|row| (row.name.clone(), path.trim_start_matches("unet/").to_owned())));
    }
    if !weight_map.is_empty() {
        let index = serde_json::json!({"metadata": {}, "weight_map": weight_map}).to_string();
        fs::write(folder.join(INDEX), index).unwrap();
    }
    weight_map
}

const INDEX: &str = "unet/diffusion_pytorch_model.safetensors.index.json";

#[test]
fn official_folders() {
    let Some(assets) = assets() else { return };
    for name in ["sdxl-base", "sdxl-base-fp16", "sdxl-hub"] {
        let folder = folder(&assets, "sdxl-base-1.0", name, &header(&assets, &format!("{name}.json.gz")));
        let config = Pipeline::builder(&folder).check().unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(config.kind(), PipelineKind::Base);
        fs::remove_dir_all(folder).unwrap();
    }
}

#[test]
fn official_shards() {
    let Some(assets) = assets() else { return };
    let files = header(&assets, "sdxl-base-sharded.json.gz");
    let folder = folder(&assets, "sdxl-base-1.0", "sdxl-base-sharded", &files);
    let weight_map = write_index(&folder, &files);
    assert_eq!(weight_map.len(), 1680);
    let index = folder.join(INDEX);
    Pipeline::builder(&folder).check().unwrap();

    // A shard that is named but not there, and one outside the folder.
    let first = weight_map.values().next().unwrap().clone();
    fs::remove_file(folder.join("unet").join(&first)).unwrap();
    let error = Pipeline::builder(&folder).check().unwrap_err().to_string();
    assert!(error.contains(&first), "{error}");
    for outside in ["../../secret.safetensors", "/etc/passwd"] {
        fs::write(&index, serde_json::json!({"weight_map": {"conv_in.weight": outside}}).to_string())
            .unwrap();
        let error = Pipeline::builder(&folder).check().unwrap_err().to_string();
        assert!(error.contains("out of the folder"), "{error}");
    }
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn official_inpainting_unet() {
    let Some(assets) = assets() else { return };
    let folder =
        folder(&assets, "sdxl-base-1.0", "sdxl-inpainting", &header(&assets, "sdxl-inpainting.json.gz"));
    let specs = tensors_of(|w| Unet::load(w, &ModelConfig::inpaint().unet)).unwrap();
    Checkpoint::from_folder(Component::Unet, folder.join("unet"), "").unwrap().check(&specs).unwrap();
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn official_refiner_folder() {
    let Some(assets) = assets() else { return };
    let map = |name: &str, shape: usize| table(&assets.join("keymaps").join(name), 0, shape);
    let files = [
        ("unet/diffusion_pytorch_model.safetensors".into(), map("keymap_unet_refiner.tsv", 2)),
        ("vae/diffusion_pytorch_model.safetensors".into(), map("keymap_vae.tsv", 2)),
        ("text_encoder_2/model.safetensors".into(), map("keys_text_encoder_2.tsv", 1)),
    ];
    let folder = folder(&assets, "sdxl-refiner-1.0", "sdxl-refiner", &files);
    // The mirror that the configurations come from calls the only encoder the first one.
    fs::rename(folder.join("text_encoder/config.json"), folder.join("text_encoder_2/config.json")).unwrap();
    fs::copy(repository("tests/models/refiner/model_index.json"), folder.join("model_index.json")).unwrap();
    let config = Pipeline::builder(&folder).check().unwrap();
    assert_eq!(config, ModelConfig::refiner());
    assert_eq!((config.kind(), config.time_ids()), (PipelineKind::Refiner, 5));
    fs::remove_dir_all(folder).unwrap();
}

/// The tensors of `sd_xl_base_1.0.safetensors`, from the key lists.
fn base_single_file(assets: &Path) -> Vec<Row> {
    let keymaps = assets.join("keymaps");
    let mut rows = table(&keymaps.join("keymap_unet_base.tsv"), 1, 2);
    rows.extend(table(&keymaps.join("keymap_vae.tsv"), 1, 3));
    rows.extend(table(&keymaps.join("keys_text_encoder.tsv"), 1, 2));
    rows.extend(table(&keymaps.join("keys_openclip_bigG.tsv"), 0, 1));
    rows.push(Row {
        dtype: "I64",
        ..Row::new("conditioner.embedders.0.transformer.text_model.embeddings.position_ids", &[1, 77])
    });
    rows
}

#[test]
fn official_single_files() {
    let Some(assets) = assets() else { return };
    let folder = scratch("single-files");
    let base = base_single_file(&assets);
    assert_eq!(base.len(), 2515);
    let path = folder.join("sd_xl_base_1.0.safetensors");
    write(&path, &base);
    assert_eq!(Pipeline::builder(&path).check().unwrap(), ModelConfig::base());

    let mut inpaint = base.clone();
    inpaint[0].shape[1] = 9;
    let path = folder.join("inpainting.safetensors");
    write(&path, &inpaint);
    assert_eq!(Pipeline::builder(&path).check().unwrap().kind(), PipelineKind::Inpaint);

    let keymaps = assets.join("keymaps");
    let mut refiner = table(&keymaps.join("keymap_unet_refiner.tsv"), 1, 2);
    refiner.extend(table(&keymaps.join("keymap_vae.tsv"), 1, 3));
    refiner.extend(
        table(&keymaps.join("keys_openclip_bigG.tsv"), 0, 1)
            .into_iter()
            .map(|row| Row { name: row.name.replace("embedders.1", "embedders.0"), ..row }),
    );
    let path = folder.join("sd_xl_refiner_1.0.safetensors");
    write(&path, &refiner);
    assert_eq!(Pipeline::builder(&path).check().unwrap(), ModelConfig::refiner());

    // Markers of other objectives, EMA copies and sampling buffers are no part of the model.
    let mut marked = base.clone();
    marked.extend(["v_pred", "ztsnr"].map(|name| Row::new(name, &[0])));
    marked.push(Row::new("model_ema.diffusion_modelinput_blocks00weight", &[320, 4, 3, 3]));
    marked.push(Row::new("alphas_cumprod", &[1000]));
    let path = folder.join("v_prediction.safetensors");
    write(&path, &marked);
    Pipeline::builder(&path).check().unwrap();
    fs::remove_dir_all(folder).unwrap();
}

/// Every key of the published maps gives the diffusers key beside it: each tensor is marked by its row number, so
/// that a swap of two of one shape shows.
#[test]
fn renaming_is_the_published_map() {
    let Some(assets) = assets() else { return };
    let folder = scratch("renaming");
    let keymaps = assets.join("keymaps");
    let check = |component, map: &str, prefix: (&str, &str)| {
        let text = fs::read_to_string(keymaps.join(map)).unwrap();
        let rows: Vec<(String, String)> = text
            .lines()
            .map(|line| {
                let columns: Vec<&str> = line.split('\t').collect();
                (columns[0].to_owned(), columns[1].replacen(prefix.0, prefix.1, 1))
            })
            .collect();
        let path = folder.join("marked.safetensors");
        let tensors: Vec<_> = rows
            .iter()
            .enumerate()
            .map(|(number, (_, key))| (key.clone(), Tensor::from_slice(&[number as f32])))
            .collect();
        save(&path, &tensors);
        let checkpoint = Checkpoint::from_file(component, &path).unwrap();
        assert_eq!(checkpoint.names().count(), rows.len());
        for (number, (name, _)) in rows.iter().enumerate() {
            let found = checkpoint.read(name, &[1]).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(found.double_value(&[0]), number as f64, "{name}");
        }
    };
    // An autoencoder on its own, without and with a prefix; the UNets by their names in a single file.
    for prefix in ["", "vae.", "first_stage_model."] {
        check(Component::Vae, "keymap_vae.tsv", ("first_stage_model.", prefix));
    }
    for map in ["keymap_unet_base.tsv", "keymap_unet_refiner.tsv"] {
        check(Component::Unet, map, ("", ""));
    }
    fs::remove_dir_all(folder).unwrap();
}

/// The tiny model as a single file, with OpenCLIP's fused and transposed matrices: the same numbers come out.
#[test]
fn a_single_file_gives_the_same_weights() {
    let Some(assets) = assets() else { return };
    let folder = scratch("single-file-data");
    write_random_model(repository("tests/models/base"), &folder, 0, Precision::F32).unwrap();
    let read = |component: &str, stem: &str| {
        read_safetensors(folder.join(component).join(format!("{stem}.safetensors"))).unwrap()
    };
    let mut single: Vec<(String, Tensor)> = Vec::new();
    for (component, map) in [("unet", "keymap_unet_base.tsv"), ("vae", "keymap_vae.tsv")] {
        let mut tensors = read(component, "diffusion_pytorch_model");
        for line in fs::read_to_string(assets.join("keymaps").join(map)).unwrap().lines() {
            let columns: Vec<&str> = line.split('\t').collect();
            if let Some(tensor) = tensors.remove(columns[0]) {
                // An attention of the autoencoder is a 1x1 convolution there.
                let is_conv = columns.len() == 4 && columns[2] != columns[3];
                let tensor = if is_conv { tensor.unsqueeze(-1).unsqueeze(-1) } else { tensor };
                single.push((columns[1].to_owned(), tensor));
            }
        }
        assert!(tensors.is_empty(), "{component}: {:?}", tensors.keys());
    }
    for (name, tensor) in read("text_encoder", "model") {
        single.push((format!("conditioner.embedders.0.transformer.text_model.{name}"), tensor));
    }
    let second = read("text_encoder_2", "model");
    for (name, tensor) in &second {
        let name = name
            .replace("embeddings.position_embedding.weight", "positional_embedding")
            .replace("embeddings.token_embedding", "token_embedding")
            .replace("final_layer_norm", "ln_final")
            .replace("text_projection.weight", "text_projection")
            .replace("encoder.layers", "transformer.resblocks")
            .replace("self_attn.out_proj", "attn.out_proj")
            .replace("layer_norm", "ln_")
            .replace("mlp.fc1", "mlp.c_fc")
            .replace("mlp.fc2", "mlp.c_proj");
        let tensor = if name == "text_projection" {
            tensor.transpose(0, 1).contiguous()
        } else {
            tensor.shallow_clone()
        };
        let name = match name.split_once(".self_attn.q_proj.") {
            Some((layer, kind)) => {
                let part = |part: &str| {
                    let layer = layer.replace("transformer.resblocks", "encoder.layers");
                    second[&format!("{layer}.self_attn.{part}_proj.{kind}")].shallow_clone()
                };
                let fused = Tensor::cat(&[part("q"), part("k"), part("v")], 0);
                single.push((format!("conditioner.embedders.1.model.{layer}.attn.in_proj_{kind}"), fused));
                continue;
            }
            None if name.contains("self_attn") => continue,
            None => name,
        };
        single.push((format!("conditioner.embedders.1.model.{name}"), tensor));
    }
    let path = folder.join("single.safetensors");
    save(&path, &single);
    for (component, stem) in [
        (Component::Unet, "diffusion_pytorch_model"),
        (Component::Vae, "diffusion_pytorch_model"),
        (Component::TextEncoder, "model"),
        (Component::TextEncoder2, "model"),
    ] {
        let expected = read(component.folder(), stem);
        let found = Checkpoint::from_file(component, &path).unwrap();
        assert_eq!(found.names().count(), expected.len(), "{component}");
        for (name, expected) in expected {
            let found = found.read(&name, &expected.size()).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(found.equal(&expected), "{component}: {name}");
        }
    }
    fs::remove_dir_all(folder).unwrap();
}

/// What other programs leave in their files, and models that this library does not run from one file.
#[test]
fn single_files_in_the_wild() {
    let Some(assets) = assets() else { return };
    let folder = scratch("wild");
    let path = folder.join("model.safetensors");
    let mut merged = base_single_file(&assets);
    merged.push(Row::new("conditioner.embedders.0.logit_scale", &[]));
    merged.push(Row::new("conditioner.embedders.0.text_projection", &[768, 768]));
    merged.push(Row::new("conditioner.embedders.0.transformer.text_projection.weight", &[768, 768]));
    write(&path, &merged);
    Pipeline::builder(&path).check().unwrap();

    let mut eight_bit = base_single_file(&assets);
    for row in eight_bit.iter_mut().filter(|row| row.dtype == "F16") {
        row.dtype = "F8_E4M3";
    }
    write(&path, &eight_bit);
    Pipeline::builder(&path).check().unwrap();

    let without_vae: Vec<Row> = base_single_file(&assets)
        .into_iter()
        .filter(|row| !row.name.starts_with("first_stage_model."))
        .collect();
    write(&path, &without_vae);
    let error = Pipeline::builder(&path).check().unwrap_err().to_string();
    assert!(error.contains("has no vae"), "{error}");

    let mut edm = base_single_file(&assets);
    edm.push(Row::new("edm_vpred.sigma_max", &[]));
    write(&path, &edm);
    let error = Pipeline::builder(&path).check().unwrap_err().to_string();
    assert!(error.contains("EDM"), "{error}");
    fs::remove_dir_all(folder).unwrap();
}

/// Every layer of SDXL has its place under the names of kohya's trainer, in both layouts, and of diffusers; real
/// textual inversions fit.
#[test]
fn adapters_of_every_layer_fit() {
    let Some(assets) = assets() else { return };
    let files = header(&assets, "sdxl-base-fp16.json.gz");
    let folder = folder(&assets, "sdxl-base-1.0", "adapters", &files);
    let keymaps = assets.join("keymaps");
    let unet: Vec<(String, String, Vec<i64>)> = table(&keymaps.join("keymap_unet_base.tsv"), 0, 2)
        .into_iter()
        .zip(table(&keymaps.join("keymap_unet_base.tsv"), 1, 2))
        .map(|(ours, stability)| (ours.name, stability.name, ours.shape))
        .collect();
    let text = |file: &str, shape| table(&keymaps.join(file), 0, shape);
    let texts = [("1", text("keys_text_encoder.tsv", 2)), ("2", text("keys_text_encoder_2.tsv", 1))];

    let rows =
        |name: &dyn Fn(&str, &str) -> String, text_name: &dyn Fn(&str, &str) -> String, ends: [&str; 2]| {
            let mut rows = Vec::new();
            let mut add = |layer: String, shape: &[i64]| {
                let kernel = vec![1; shape.len() - 2];
                rows.push(Row::new(format!("{layer}{}", ends[0]), &[&[1], &shape[1..]].concat()));
                rows.push(Row::new(format!("{layer}{}", ends[1]), &[&[shape[0], 1], &kernel[..]].concat()));
            };
            for (ours, stability, shape) in &unet {
                if let (Some(ours), 2..) = (ours.strip_suffix(".weight"), shape.len()) {
                    add(name(ours, stability.strip_suffix(".weight").unwrap()), shape);
                }
            }
            for (number, keys) in &texts {
                for row in keys {
                    if let (Some(layer), 2) = (row.name.strip_suffix(".weight"), row.shape.len()) {
                        add(text_name(number, layer), &row.shape);
                    }
                }
            }
            rows
        };
    let flat = |name: &str| name.replace('.', "_");
    let kohya = |number: &str, layer: &str| format!("lora_te{number}_{}", flat(layer));
    let dotted =
        |number: &str, layer: &str| format!("text_encoder{}.{layer}", if number == "1" { "" } else { "_2" });
    let stability = |_: &str, name: &str| {
        format!("lora_unet_{}", flat(name.strip_prefix("model.diffusion_model.").unwrap()))
    };
    let path = folder.join("lora.safetensors");
    for rows in [
        rows(&stability, &kohya, [".lora_down.weight", ".lora_up.weight"]),
        rows(
            &|name, _| format!("lora_unet_{}", flat(name)),
            &kohya,
            [".lora_down.weight", ".lora_up.weight"],
        ),
        rows(&|name, _| format!("unet.{name}"), &dotted, [".lora_A.weight", ".lora_B.weight"]),
    ] {
        assert!(rows.len() > 1800, "{}", rows.len());
        write(&path, &rows);
        let checked = Pipeline::builder(&folder).lora(&path, 1.).check();
        checked.unwrap_or_else(|error| panic!("{}: {error}", rows[0].name));
    }
    let weights = assets.join("weights");
    for file in ["embeddings/unaestheticXLv31.safetensors", "embeddings/sdxl-emoji_embeddings.pti"] {
        Pipeline::builder(&folder).embedding(weights.join(file)).check().unwrap();
    }
    for file in ["catundchat_pytorch_lora_weights.safetensors", "timohavdk_kohya_style_names.safetensors"] {
        let error =
            Pipeline::builder(&folder).lora(weights.join("lora-sd15").join(file), 1.).check().unwrap_err();
        assert!(error.to_string().contains("looks like a LoRA for Stable Diffusion 1"), "{error}");
    }
    let error = Pipeline::builder(&folder)
        .embedding(weights.join("misc/ti_sd15_invokeai_test_embedding.safetensors"))
        .check()
        .unwrap_err();
    assert!(error.to_string().contains("Stable Diffusion 1"), "{error}");
    fs::remove_dir_all(folder).unwrap();
}

/// Another UNet or autoencoder takes the place of the model's own.
#[test]
fn parts_are_replaced() {
    let (one, two) = (scratch("parts-one"), scratch("parts-two"));
    write_random_model(repository("tests/models/base"), &one, 0, Precision::F32).unwrap();
    write_random_model(repository("tests/models/base"), &two, 1, Precision::F32).unwrap();
    let picture = |pipeline: Pipeline| {
        let conditioning = sdxl::Conditioning::builder("a cat").build().unwrap();
        let request = sdxl::Request::builder(conditioning).steps(1).build().unwrap();
        pipeline.generate(&request).unwrap()[0].pixels().to_owned()
    };
    let build = |path: &Path| Pipeline::builder(path);
    let plain = picture(build(&one).build().unwrap());
    let all = |unet: &Path, vae: &Path| picture(build(&one).unet(unet).vae(vae).build().unwrap());
    assert_eq!(all(&one.join("unet"), &one.join("vae")), plain);
    let file = two.join("vae/diffusion_pytorch_model.safetensors");
    let swapped = all(&one.join("unet"), &file);
    assert_ne!(swapped, plain);
    assert_eq!(all(&one.join("unet"), &two.join("vae")), swapped);
    assert_ne!(all(&two.join("unet"), &one.join("vae")), plain);

    // The picture says so.
    let recipe = |pipeline: Pipeline| {
        let conditioning = sdxl::Conditioning::builder("a cat").build().unwrap();
        let request = sdxl::Request::builder(conditioning).steps(1).build().unwrap();
        let image = pipeline.generate(&request).unwrap().remove(0);
        let recipe: serde_json::Value = serde_json::from_str(image.text("sdxl").unwrap()).unwrap();
        let parameters = image.text("parameters").unwrap();
        let place = parameters.find("Model: ").unwrap();
        (recipe["unet"].clone(), recipe["vae"].clone(), parameters[place..].to_owned())
    };
    let (unet, vae, parameters) = recipe(build(&one).build().unwrap());
    assert!(unet.is_null() && vae.is_null() && !parameters.contains("VAE"), "{parameters}");
    let (unet, vae, parameters) = recipe(build(&one).unet(two.join("unet")).vae(&file).build().unwrap());
    assert_eq!(unet, "parts-two/unet");
    assert_eq!(vae, "parts-two/vae/diffusion_pytorch_model.safetensors");
    let both = format!("VAE: {}, UNet: parts-two/unet, RNG", vae.as_str().unwrap());
    assert!(parameters.contains(&both), "{parameters}");
    let own = one.join("fp16: fixed, small.safetensors");
    fs::copy(&file, &own).unwrap();
    let (_, vae, parameters) = recipe(build(&one).vae(&own).build().unwrap());
    assert_eq!(vae, "fp16: fixed, small.safetensors");
    assert!(parameters.contains("VAE: \"fp16: fixed, small.safetensors\", RNG"), "{parameters}");

    // A UNet of another input, as it is for the guidance scale; one that does not go with the text encoders.
    let lcm = scratch("parts-lcm");
    write_random_model(repository("tests/models/lcm"), &lcm, 0, Precision::F32).unwrap();
    let pipeline = build(&one).unet(lcm.join("unet")).build().unwrap();
    assert!(pipeline.config().unet.time_cond_proj_dim.is_some());
    let refiner = scratch("parts-refiner");
    write_random_model(repository("tests/models/refiner"), &refiner, 0, Precision::F32).unwrap();
    let error = build(&one).unet(refiner.join("unet")).check().unwrap_err();
    assert!(error.to_string().contains("cross_attention_dim"), "{error}");
    assert!(build(&one).vae(two.join("unet/diffusion_pytorch_model.safetensors")).check().is_err());
    assert!(build(&one).vae(two.join("absent")).check().is_err());
}
