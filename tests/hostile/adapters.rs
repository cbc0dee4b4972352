//! LoRA files and textual inversions. `tests/loras.rs` has those of a foreign model.

use sdxl::Lora;
use sdxl::weights::save_safetensors;
use tch::{Kind, Tensor};

use super::case::{Case, Open};
use super::weights::{file, row};

const LAYER: &str = "lora_unet_mid_block_attentions_0_proj_in";

/// The tensors of a layer: role, type, shape; all zeros.
fn layer(rows: &[(&str, &str, &[u64])]) -> Vec<u8> {
    named(
        &rows
            .iter()
            .map(|(role, dtype, shape)| (format!("{LAYER}.{role}"), *dtype, *shape))
            .collect::<Vec<_>>(),
    )
}

fn named(rows: &[(String, &str, &[u64])]) -> Vec<u8> {
    let mut end = 0;
    let rows: Vec<String> = rows
        .iter()
        .map(|(name, dtype, shape)| {
            let start = end;
            let width = if dtype.ends_with("32") { 4 } else { 2 };
            end += shape.iter().product::<u64>() * width;
            row(name, dtype, &format!("{shape:?}"), &format!("[{start},{end}]"))
        })
        .collect();
    file(format!("{{{}}}", rows.join(",")), end as usize)
}

/// A layer of rank 2 with one number everywhere.
fn filled(name: &'static str, alpha: f32, number: f64, says: &'static str) -> Case {
    Case::new(name, Open::LoraFile, says, move |folder| {
        let path = folder.join("lora.safetensors");
        let full = |shape: &[i64]| Tensor::full(shape, number, (Kind::Float, tch::Device::Cpu));
        let (down, up, alpha) = (full(&[2, 32]), full(&[32, 2]), Tensor::from_slice(&[alpha]));
        let (down_name, up_name) = (format!("{LAYER}.lora_down.weight"), format!("{LAYER}.lora_up.weight"));
        let alpha_name = format!("{LAYER}.alpha");
        save_safetensors(&path, &[(&down_name, &down), (&up_name, &up), (&alpha_name, &alpha)]).unwrap();
        path
    })
}

/// A file of vectors with one number everywhere.
fn vectors(name: &'static str, shape: &'static [i64], number: f64, says: &'static str) -> Case {
    Case::new(format!("word: {name}"), Open::Inversion, says, move |folder| {
        let path = folder.join("word.safetensors");
        let tensor = Tensor::full(shape, number, (Kind::Float, tch::Device::Cpu));
        save_safetensors(&path, &[("emb_params", &tensor)]).unwrap();
        path
    })
}

pub(crate) fn cases() -> Vec<Case> {
    const DOWN: &str = "lora_down.weight";
    const UP: &str = "lora_up.weight";
    let lora = |name: &str, bytes: Vec<u8>, says: &'static str| {
        Case::file(format!("lora: {name}"), Open::LoraFile, says, bytes)
    };
    let pair = |more: (&'static str, &'static str, &'static [u64])| {
        layer(&[(DOWN, "F32", &[2, 32]), (UP, "F32", &[32, 2]), more])
    };
    let metadata = |text: &str| {
        let text = serde_json::Value::from(text);
        let rows = [
            row("unet.mid_block.attentions.0.proj_in.lora_A.weight", "F32", "[2,32]", "[0,256]"),
            row("unet.mid_block.attentions.0.proj_in.lora_B.weight", "F32", "[32,2]", "[256,512]"),
        ];
        file(format!(r#"{{"__metadata__":{{"lora_adapter_metadata":{text}}},{}}}"#, rows.join(",")), 512)
    };
    let many: Vec<(String, &str, &[u64])> =
        (0..30_000).map(|i| (format!("lora_unet_x{i}.{DOWN}"), "F16", [0u64, 1].as_slice())).collect();
    vec![
        lora("nothing in it", file("{}", 0), "an empty file"),
        lora("rank 0", layer(&[(DOWN, "F32", &[0, 32]), (UP, "F32", &[32, 0])]), "has shape [0, 32]"),
        lora("rank 5000", layer(&[(DOWN, "F16", &[5000, 2]), (UP, "F16", &[2, 5000])]), "has rank 5000"),
        lora("two ranks", layer(&[(DOWN, "F32", &[2, 32]), (UP, "F32", &[32, 3])]), "do not go together"),
        lora("half of it", layer(&[(DOWN, "F32", &[2, 32])]), "its other half"),
        lora("scalars", layer(&[(DOWN, "F32", &[]), (UP, "F32", &[])]), "do not go together"),
        lora(
            "rank 5 of tensors",
            layer(&[(DOWN, "F32", &[2, 1, 1, 1, 1]), (UP, "F32", &[1, 2])]),
            "has shape",
        ),
        lora(
            "whole numbers",
            layer(&[(DOWN, "I32", &[2, 32]), (UP, "I32", &[32, 2])]),
            "expected a float type",
        ),
        lora("an alpha of many numbers", pair(("alpha", "F32", &[7])), "no single number"),
        lora("an alpha of no numbers", pair(("alpha", "F32", &[0])), "alpha has shape [0]"),
        lora("an alpha alone", layer(&[("alpha", "F32", &[])]), "stands alone"),
        lora("a magnitude of another size", pair(("dora_scale", "F32", &[7, 1])), "dora_scale has shape"),
        lora("two kinds at once", pair(("diff", "F32", &[32, 32])), "of different kinds"),
        lora(
            "factors whose product overflows",
            layer(&[
                ("lokr_w1", "F16", &[1, 1]),
                ("lokr_w2_a", "F16", &[1 << 20, 1]),
                ("lokr_w2_b", "F16", &[1, 1 << 20]),
            ]),
            "",
        )
        .valid(),
        lora(
            "one core of two",
            layer(&[
                ("hada_w1_a", "F32", &[2, 2]),
                ("hada_w1_b", "F32", &[2, 2]),
                ("hada_w2_a", "F32", &[2, 2]),
                ("hada_w2_b", "F32", &[2, 2]),
                ("hada_t1", "F32", &[2, 2, 3, 3]),
            ]),
            "hada_t2 is missing",
        ),
        lora("30 000 halves", named(&many), "has 30000 tensors"),
        lora("settings that are no JSON", metadata("{"), "lora_adapter_metadata"),
        lora("settings nested deeply", metadata(&"[".repeat(1 << 20)), "invalid type"),
        lora("an alpha that is a text", metadata(r#"{"unet.lora_alpha":"x"}"#), "expected a number"),
        lora("an alpha beyond all numbers", metadata(r#"{"unet.lora_alpha":1e999}"#), "out of range"),
        filled("lora: NaN", 1., f64::NAN, "not finite"),
        filled("lora: infinity", 1., f64::INFINITY, "not finite"),
        filled("lora: an alpha of NaN", f32::NAN, 1., "not finite"),
        // Finite: the run will say where numbers cease to be.
        filled("lora: an alpha of 1e38", 1e38, 1., "").valid(),
        vectors("NaN", &[1, 32], f64::NAN, "not finite"),
        vectors("no vectors", &[0, 32], 0., "has shape [0, 32]"),
        vectors("vectors of nothing", &[1, 0], 0., "has shape [1, 0]"),
        vectors("rank 3", &[1, 1, 32], 0., "no textual inversion"),
        vectors("100 000 vectors", &[100_000, 4], 0., "").valid(),
        Case::file("word: whole numbers", Open::Inversion, "expected a float type", {
            file(format!("{{{}}}", row("emb_params", "I32", "[1,32]", "[0,128]")), 128)
        }),
        Case::file("word: other counts", Open::Inversion, "1 and 2 vectors", {
            let rows = [row("clip_l", "F32", "[1,4]", "[0,16]"), row("clip_g", "F32", "[2,4]", "[16,48]")];
            file(format!("{{{}}}", rows.join(",")), 48)
        }),
    ]
}

/// What a case takes for granted.
#[test]
fn a_sound_lora_is_read() {
    let folder = super::scratch("hostile-sound-lora");
    let case = filled("", 1., 0.5, "");
    Lora::open((case.make)(&folder)).unwrap();
}
