//! Every function of `include/sdxl.h`, with every argument invalid in turn: a status and a message each time, never a
//! crash. The C program is generated from the header, so that a new function without a test fails here.
#![cfg(test)]

mod common;

use std::fmt::Write;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::c::{
    Function, base, build, expect_success, functions, has, is_soak, library, program, write_lora,
    write_textual_inversion,
};
use common::headers::scratch;
use common::repository;

/// The types of handles.
const HANDLES: &[&str] = &[
    "sdxl_pipeline_options",
    "sdxl_pipeline",
    "sdxl_lora",
    "sdxl_textual_inversion",
    "sdxl_conditioning",
    "sdxl_scheduler",
    "sdxl_request",
    "sdxl_job",
    "sdxl_image",
    "sdxl_latents",
    "sdxl_embeddings",
];

/// Files of that folder.
const LORA: &str = "lora.safetensors";
const INVERSION: &str = "inversion.safetensors";
const SCHEDULER: &str = "scheduler.json";

/// Functions that compute in the program's own process, whatever the pipelines do.
const NEED_LIBTORCH: &[&str] = &["sdxl_check_device", "sdxl_latents_new_noise"];

/// Functions that cannot fail: `tests/c/version.c` calls them.
const CANNOT_FAIL: &[&str] =
    &["sdxl_abi_version", "sdxl_version", "sdxl_last_error_message", "sdxl_status_name"];

/// An object that is not the usual one: function, parameter, and what makes it.
const SPECIAL_OBJECTS: &[(&str, &str)] = &[
    ("sdxl_pipeline_options_add_file", "make_options_in_memory"),
    ("sdxl_conditioning_set_negative_embeddings", "make_conditioning_of_embeddings"),
    ("sdxl_scheduler_set_sigma_range", "make_karras_scheduler"),
    ("sdxl_request_set_strength", "make_image_request"),
    ("sdxl_request_set_overlay", "make_inpaint_request"),
    ("sdxl_request_set_padding_mask_crop", "make_inpaint_request"),
    ("sdxl_job_preview", "make_paused_job"),
    ("sdxl_job_denoised", "make_paused_job"),
    ("sdxl_pipeline_get_lora", "make_adapted_pipeline"),
    ("sdxl_pipeline_get_lora_info", "make_adapted_pipeline"),
    ("sdxl_pipeline_copy_unmatched", "make_adapted_pipeline"),
    ("sdxl_pipeline_get_textual_inversion", "make_adapted_pipeline"),
];

/// A valid value and invalid ones for parameters that are no handles: by `function.parameter`, or the name alone.
/// Sizes are in C, where `out` is a buffer of 64 KiB and `out_size` a size.
const VALUES: &[(&str, &str, &[&str])] = &[
    // Texts. NULL and what is not UTF-8 is tried with all of them.
    ("sdxl_pipeline_options_new.model", "model_path", &[]),
    (
        "sdxl_check_device.device",
        "\"cpu\"",
        &["\"\"", "\"gpu\"", "\"cuda:99\"", "\"cuda:-1\"", "\"cuda:99999999999999999999\""],
    ),
    ("device", "\"cpu\"", &["\"\"", "\"gpu\"", "\"cuda:x\"", "\"cuda:99999999999999999999\""]),
    ("sdxl_pipeline_options_new_in_memory.name", "\"painter\"", &[]),
    (
        "sdxl_pipeline_options_add_file.name",
        "\"unet/config.json\"",
        &["\"\"", "\"/etc/passwd\"", "\"../x\"", "\"a/../../x\""],
    ),
    ("data", "(const uint8_t *)numbers", &["NULL"]),
    ("sdxl_pipeline_options_add_file.size", "100", &["SIZE_MAX"]),
    ("precision", "\"f32\"", &["\"\"", "\"f64\""]),
    ("variant", "\"fp16\"", &[]),
    ("sdxl_pipeline_options_set_taesd.path", "\"taesd\"", &[]),
    ("sdxl_pipeline_options_set_vae.path", "\"vae\"", &[]),
    ("sdxl_pipeline_options_set_unet.path", "\"unet\"", &[]),
    ("sdxl_pipeline_options_set_worker.path", "\"sdxl-worker\"", &[]),
    ("isolation", "\"none\"", &["\"\"", "\"Process\"", "\"thread\""]),
    ("sdxl_pipeline_options_add_embedding.path", "\"embedding.safetensors\"", &[]),
    ("sdxl_pipeline_options_add_lora.path", "\"lora.safetensors\"", &[]),
    ("sdxl_pipeline_options_add_lora.weight", "0.8", &[]),
    ("vae_tiling", "1", &["2", "UINT32_MAX"]),
    ("every", "2", &["0", "101", "UINT32_MAX"]),
    ("stream_text_encoders", "1", &["2", "UINT32_MAX"]),
    ("sdxl_lora_open.path", "lora_path", &["\"/nowhere/x.safetensors\"", "\"/\"", "\"\"", "\"/dev/null\""]),
    (
        "sdxl_textual_inversion_open.path",
        "inversion_path",
        &["\"/nowhere/x.safetensors\"", "\"/\"", "\"\"", "\"/dev/null\""],
    ),
    (
        "sdxl_scheduler_open.path",
        "scheduler_path",
        &["\"/nowhere/x.json\"", "\"/\"", "\"\"", "\"/dev/null\""],
    ),
    (
        "sdxl_image_file_size.path",
        "scratch_path",
        &["\"/nowhere/x.png\"", "\"/\"", "\"\"", "\"/dev/null\"", "lora_path"],
    ),
    ("weight", "0.8", &["-101.", "101.", "NAN", "INFINITY"]),
    ("block", "\"mid_block\"", &[]),
    ("factor", "0.5", &["-101.", "101.", "NAN", "INFINITY"]),
    ("what", "\"scheduler\"", &["\"\"", "\"colour\""]),
    ("upscaler", "\"pixel\"", &["\"\"", "\"bicubic\""]),
    ("content", "\"a text\"", &[]),
    ("sdxl_image_open.path", "scratch_path", &["\"/nowhere/x.png\"", "\"/\"", "\"\"", "\"/dev/null\""]),
    (
        "sdxl_latents_open.path",
        "scratch_path",
        &["\"/nowhere/x.safetensors\"", "\"/\"", "\"\"", "\"/dev/null\""],
    ),
    (
        "sdxl_embeddings_open.path",
        "scratch_path",
        &["\"/nowhere/x.safetensors\"", "\"/\"", "\"\"", "\"/dev/null\""],
    ),
    ("path", "scratch_path", &["\"/nowhere/x\"", "\"/\"", "\"\""]),
    ("prompt", "\"a cat\"", &[]),
    ("syntax", "\"a1111\"", &["\"\"", "\"A1111\""]),
    (
        "json",
        "\"{\\\"_class_name\\\": \\\"DDIMScheduler\\\"}\"",
        &["\"\"", "\"[]\"", "\"{}\"", "\"{\\\"_class_name\\\": 3}\""],
    ),
    ("sdxl_scheduler_new_preset.name", "\"turbo\"", &["\"\"", "\"slow\""]),
    ("sdxl_scheduler_set_spacing.name", "\"karras\"", &["\"\"", "\"even\""]),
    ("sdxl_scheduler_set_prediction.name", "\"v\"", &["\"\"", "\"noise\"", "\"edm\""]),
    ("sdxl_scheduler_set_terminal.name", "\"zero\"", &["\"\"", "\"one\""]),
    ("sdxl_scheduler_set_rounding.name", "\"exact\"", &["\"\"", "\"up\""]),
    ("sdxl_scheduler_set_interpolation.name", "\"linear\"", &["\"\"", "\"cubic\""]),
    ("sdxl_scheduler_set_initial_noise.name", "\"sigma\"", &["\"\"", "\"none\""]),
    ("sdxl_request_set_output.name", "\"latents\"", &["\"\"", "\"video\""]),
    ("name", "\"euler\"", &["\"\"", "\"Euler\"", "\"euler_b\""]),
    ("keyword", "\"sdxl\"", &[]),
    // Numbers.
    ("overlay", "1", &["2", "UINT32_MAX"]),
    ("watermark", "1", &["2", "UINT32_MAX"]),
    ("padding", "4", &[]),
    ("sdxl_request_set_outpaint.left", "8", &["3", "16385", "UINT32_MAX"]),
    ("sdxl_request_set_outpaint.top", "8", &["3", "16385", "UINT32_MAX"]),
    ("sdxl_request_set_outpaint.right", "8", &["3", "16385", "UINT32_MAX"]),
    ("sdxl_request_set_outpaint.bottom", "8", &["3", "16385", "UINT32_MAX"]),
    ("sdxl_image_outpaint.right", "8", &["16385", "UINT32_MAX"]),
    ("sdxl_image_outpaint.bottom", "8", &["16385", "UINT32_MAX"]),
    ("sdxl_image_crop.left", "8", &["16", "17", "65", "UINT32_MAX"]),
    ("sdxl_image_crop.top", "8", &["16", "17", "65", "UINT32_MAX"]),
    ("sdxl_image_crop.right", "16", &["0", "8", "65", "UINT32_MAX"]),
    ("sdxl_image_crop.bottom", "16", &["0", "8", "65", "UINT32_MAX"]),
    ("deviation", "1.", &["0.", "-1.", "1001.", "NAN", "INFINITY"]),
    ("sdxl_nearest_bucket.width", "640", &[]),
    ("sdxl_nearest_bucket.height", "480", &[]),
    ("sdxl_latents_new_noise.channels", "4", &["0", "65", "UINT32_MAX"]),
    ("sdxl_latents_new_noise.height", "8", &["0", "1025", "UINT32_MAX"]),
    ("sdxl_latents_new_noise.width", "8", &["0", "1025", "UINT32_MAX"]),
    ("skip_draws", "1", &["10001", "UINT32_MAX"]),
    ("sdxl_request_set_skip_draws.count", "1", &["10001", "UINT32_MAX"]),
    ("adaptive_scale", "0.001", &["-1.", "1001.", "NAN", "INFINITY"]),
    ("s1", "0.9", &["0.", "-1.", "101.", "NAN", "INFINITY"]),
    ("s2", "0.2", &["0.", "-1.", "101.", "NAN", "INFINITY"]),
    ("b1", "1.3", &["0.", "-1.", "101.", "NAN", "INFINITY"]),
    ("b2", "1.4", &["0.", "-1.", "101.", "NAN", "INFINITY"]),
    ("sdxl_request_set_hires.scale", "1.5", &["1.", "0.", "-1.", "8.1", "NAN", "INFINITY"]),
    ("sdxl_request_set_hires.steps", "0", &["1001", "UINT32_MAX"]),
    ("sdxl_request_set_variation.strength", "0.5", &["-0.1", "1.1", "NAN", "INFINITY"]),
    ("threads", "2", &["0", "1025", "UINT32_MAX"]),
    ("layers", "1", &[]),
    ("sdxl_request_set_size.width", "64", &["0", "4", "65", "8200", "UINT32_MAX"]),
    ("sdxl_request_set_size.height", "64", &["0", "4", "65", "8200", "UINT32_MAX"]),
    ("sdxl_image_new.width", "64", &["0", "65", "16385", "UINT32_MAX"]),
    ("sdxl_image_new.height", "64", &["0", "65", "16385", "UINT32_MAX"]),
    ("width", "64", &["0", "16385", "UINT32_MAX"]),
    ("height", "64", &["0", "16385", "UINT32_MAX"]),
    ("left", "8", &["16385", "UINT32_MAX"]),
    ("top", "8", &["16385", "UINT32_MAX"]),
    ("score", "5.", &["-0.1", "10.1", "NAN", "INFINITY", "-INFINITY"]),
    ("eta", "0.5", &["-0.1", "1.1", "NAN", "INFINITY"]),
    ("offset", "1", &[]),
    ("original_steps", "50", &["0", "1001", "UINT32_MAX"]),
    ("rho", "7.", &["0.", "-1.", "NAN", "INFINITY"]),
    ("alpha", "0.6", &["0.", "-1.", "NAN", "INFINITY"]),
    ("beta", "0.6", &["0.", "-1.", "NAN", "INFINITY"]),
    ("sigma_min", "0.1", &["0.", "-1.", "NAN", "INFINITY"]),
    ("sigma_max", "10.", &["0.", "-1.", "NAN", "INFINITY"]),
    ("range", "1.", &["0.", "-1.", "NAN"]),
    ("ratio", "0.995", &["-0.1", "1.1", "NAN"]),
    ("max", "1.", &["0.", "-1.", "NAN"]),
    ("steps", "2", &["0", "1001", "UINT32_MAX"]),
    ("scale", "7.", &["-1.", "1001.", "NAN", "INFINITY"]),
    ("sdxl_request_set_guidance_rescale.fraction", "0.7", &["-0.1", "1.1", "NAN"]),
    ("sdxl_request_set_end_at.fraction", "0.8", &["0.", "-1.", "1.1", "NAN"]),
    ("lowest", "1.", &["-1.", "11.", "NAN", "INFINITY"]),
    ("highest", "10.", &["0.5", "-1.", "NAN"]),
    ("seed", "1", &[]),
    ("batch", "2", &["0", "1025", "UINT32_MAX"]),
    ("blur", "1.", &["-1.", "1001.", "NAN", "INFINITY"]),
    ("strength", "0.5", &["0.", "-1.", "1.1", "NAN"]),
    ("at", "0.8", &["-0.1", "1.", "2.", "NAN"]),
    ("milliseconds", "-1", &[]),
    ("index", "0", &["1", "UINT32_MAX"]),
    ("rows", "1", &["0", "3", "UINT32_MAX"]),
    ("tokens", "77", &["0", "5", "UINT32_MAX"]),
    // Lists and their counts.
    (
        "loras",
        "loras",
        &["NULL", "(&(sdxl_lora){0})", "&stale_lora", "(&(sdxl_lora){12345})", "(const sdxl_lora *)pictures"],
    ),
    (
        "textual_inversions",
        "inversions",
        &[
            "NULL",
            "(&(sdxl_textual_inversion){0})",
            "&stale_textual_inversion",
            "(&(sdxl_textual_inversion){12345})",
            "(const sdxl_textual_inversion *)pictures",
        ],
    ),
    (
        "images",
        "pictures",
        &[
            "NULL",
            "(&(sdxl_image){0})",
            "&stale_image",
            "(&(sdxl_image){12345})",
            "(const sdxl_image *)loras",
        ],
    ),
    (
        "masks",
        "pictures",
        &[
            "NULL",
            "(&(sdxl_image){0})",
            "&stale_image",
            "(&(sdxl_image){12345})",
            "(const sdxl_image *)loras",
        ],
    ),
    ("sdxl_pipeline_with_loras.count", "1", &["1025", "SIZE_MAX", "SIZE_MAX / 8"]),
    ("sdxl_pipeline_with_merged_loras.count", "1", &["1025", "SIZE_MAX", "SIZE_MAX / 8"]),
    ("sdxl_pipeline_with_textual_inversions.count", "1", &["1025", "SIZE_MAX", "SIZE_MAX / 8"]),
    ("sdxl_pipeline_encode_images.count", "1", &["0", "1025", "SIZE_MAX", "SIZE_MAX / 8"]),
    ("seed_count", "2", &["0", "1025", "SIZE_MAX", "SIZE_MAX / 8"]),
    ("sdxl_request_set_images.count", "1", &["0", "1025", "SIZE_MAX", "SIZE_MAX / 8"]),
    ("sdxl_request_set_inpaint_each.count", "1", &["0", "1025", "SIZE_MAX", "SIZE_MAX / 8"]),
    ("sdxl_latents_new_noise.count", "2", &["0", "1025", "SIZE_MAX", "SIZE_MAX / 8"]),
    (
        "words",
        "(const char *[]){\"mossy\"}",
        &["NULL", "((const char *[]){NULL})", "((const char *[]){\"a\\xff\\xfe\"})"],
    ),
    ("sdxl_textual_inversion_set_words.count", "1", &["0", "1025", "SIZE_MAX", "SIZE_MAX / 8"]),
    (
        "sdxl_request_set_perturbed_attention.layers",
        "(const char *[]){\"mid\"}",
        &[
            "NULL",
            "((const char *[]){NULL})",
            "((const char *[]){\"a\\xff\\xfe\"})",
            "((const char *[]){\"\"})",
        ],
    ),
    ("sdxl_request_set_perturbed_attention.count", "1", &["1025", "SIZE_MAX", "SIZE_MAX / 8"]),
    (
        "timesteps",
        "(double[]){900, 500, 100}",
        &[
            "NULL",
            "((double[]){1, 2, 3})",
            "((double[]){2000, 2, 1})",
            "((double[]){5, NAN, 1})",
            "((double[]){5, 1, -1})",
        ],
    ),
    (
        "sigmas",
        "(double[]){10, 1, 0}",
        &["NULL", "((double[]){1, 2, 3})", "((double[]){INFINITY, 2, 1})", "((double[]){5, 1, -1})"],
    ),
    ("sdxl_scheduler_set_timesteps.count", "3", &["0", "1002", "SIZE_MAX", "SIZE_MAX / 8"]),
    ("sdxl_scheduler_set_sigmas.count", "3", &["0", "1", "1002", "SIZE_MAX", "SIZE_MAX / 8"]),
    ("seeds", "(uint64_t[]){1, 2}", &["NULL"]),
    ("sdxl_request_set_seeds.count", "2", &["0", "1025", "SIZE_MAX", "SIZE_MAX / 8"]),
    ("values", "numbers", &["NULL"]),
    ("sdxl_latents_new.count", "256", &["0", "255", "257", "SIZE_MAX"]),
    (
        "shape",
        "(uint32_t[]){1, 4, 8, 8}",
        &[
            "NULL",
            "((uint32_t[]){0, 4, 8, 8})",
            "((uint32_t[]){1, 4, 8, 9})",
            "((uint32_t[]){UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX})",
        ],
    ),
    ("context", "numbers", &["NULL"]),
    ("context_count", "616", &["0", "615", "SIZE_MAX", "SIZE_MAX / 8"]),
    ("pooled", "numbers", &["NULL"]),
    ("pooled_count", "4", &["0", "SIZE_MAX", "SIZE_MAX / 8"]),
    // Pixels.
    (
        "layout",
        "NULL",
        &[
            "(&(sdxl_pixel_layout){0})",
            "(&(sdxl_pixel_layout){.struct_size = 4})",
            "(&(sdxl_pixel_layout){.struct_size = 1000})",
            "(&(sdxl_pixel_layout){sizeof(sdxl_pixel_layout), -1, 0, 0, 0})",
            "(&(sdxl_pixel_layout){sizeof(sdxl_pixel_layout), 6, 0, 0, 0})",
            "(&(sdxl_pixel_layout){sizeof(sdxl_pixel_layout), 0, -1, 0, 0})",
            "(&(sdxl_pixel_layout){sizeof(sdxl_pixel_layout), 0, 2, 0, 0})",
            "(&(sdxl_pixel_layout){sizeof(sdxl_pixel_layout), 0, 0, 1, 0})",
            "(&(sdxl_pixel_layout){sizeof(sdxl_pixel_layout), 0, 0, 0, 191})",
            "(&(sdxl_pixel_layout){sizeof(sdxl_pixel_layout), 0, 0, 0, UINT64_MAX})",
            "(&(sdxl_pixel_layout){sizeof(sdxl_pixel_layout), SDXL_PIXEL_FORMAT_RGBA32F, 0, 0, 0})",
        ],
    ),
    ("sdxl_image_new.pixels", "(const uint8_t *)numbers", &["NULL"]),
    ("sdxl_image_copy_pixels.pixels", "(uint8_t *)out", &["NULL"]),
    ("size", "PICTURE", &["0", "PICTURE - 1", "SIZE_MAX"]),
    // Places for results.
    ("sdxl_pipeline_generate.capacity", "4", &["0", "SIZE_MAX"]),
    ("sdxl_pipeline_decode.capacity", "4", &["0", "SIZE_MAX"]),
    ("sdxl_job_take_images.capacity", "4", &["0", "SIZE_MAX"]),
    ("sdxl_request_copy_seeds.capacity", "sizeof out / 8", &["0", "SIZE_MAX"]),
    ("sdxl_scheduler_copy_sigmas.capacity", "sizeof out / 8", &["0", "2", "SIZE_MAX"]),
    ("sdxl_scheduler_copy_timesteps.capacity", "sizeof out / 8", &["0", "2", "SIZE_MAX"]),
    ("sdxl_pipeline_decode_values.capacity", "PICTURE", &["0", "PICTURE - 1", "SIZE_MAX"]),
    ("capacity", "sizeof out / 4", &["0", "SIZE_MAX"]),
    ("buffer", "(void *)out", &[]),
    ("out_size", "&size", &[]),
    ("sdxl_job_image_count.out_count", "&size", &["NULL"]),
    ("sdxl_job_draws.out_count", "&size", &["NULL"]),
    ("sdxl_pipeline_lora_count.out_count", "&size", &["NULL"]),
    ("sdxl_pipeline_textual_inversion_count.out_count", "&size", &["NULL"]),
    ("out_weight", "&reals[0]", &["NULL"]),
    ("out_text_encoders_weight", "&reals[1]", &["NULL"]),
    ("out_rectangle", "sides", &["NULL"]),
    ("sdxl_pipeline_generate.out_count", "&size", &["NULL"]),
    ("sdxl_pipeline_decode.out_count", "&size", &["NULL"]),
    ("sdxl_job_take_images.out_count", "&size", &["NULL"]),
    ("out_count", "&size", &[]),
    ("out_images", "images", &["NULL"]),
    ("out_shape", "sides", &["NULL"]),
    ("out_width", "&sides[0]", &["NULL"]),
    ("out_height", "&sides[1]", &["NULL"]),
    (
        "sdxl_request_get_info.out_info",
        "&request_info",
        &[
            "NULL",
            "(&(sdxl_request_info){0})",
            "(&(sdxl_request_info){.struct_size = 36})",
            "(&(sdxl_request_info){.struct_size = 1000})",
        ],
    ),
    (
        "sdxl_pipeline_get_lora_info.out_info",
        "&lora_info",
        &[
            "NULL",
            "(&(sdxl_lora_info){0})",
            "(&(sdxl_lora_info){.struct_size = 28})",
            "(&(sdxl_lora_info){.struct_size = 1000})",
        ],
    ),
    (
        "out_info",
        "&info",
        &[
            "NULL",
            "(&(sdxl_pipeline_info){0})",
            "(&(sdxl_pipeline_info){.struct_size = 28})",
            "(&(sdxl_pipeline_info){.struct_size = 1000})",
        ],
    ),
    (
        "out_progress",
        "&progress",
        &[
            "NULL",
            "(&(sdxl_progress){0})",
            "(&(sdxl_progress){.struct_size = 36})",
            "(&(sdxl_progress){.struct_size = 1000})",
        ],
    ),
    // Callbacks: none is fine, and whatever they are to get is.
    ("callback", "NULL", &[]),
    ("user_data", "NULL", &[]),
];

#[test]
fn every_invalid_argument_has_a_status_and_a_message() {
    let source = scratch("ffi-misuse").join("misuse.c");
    fs::write(&source, generate(&functions())).unwrap();
    let arguments = [base(), &files("ffi-misuse-files")];
    let plain = build("misuse", &["-lm"], &[&source]);
    let said = expect_success(program(&plain).args(arguments));
    println!("{said}");
    let count = said.split_whitespace().next().unwrap().parse::<usize>().unwrap();
    assert!(count > 700, "{said}");

    let flags = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-lm"];
    let sanitized = build("misuse-asan", &flags, &[&source]);
    expect_success(program(&sanitized).args(arguments).env("ASAN_OPTIONS", "detect_leaks=0"));
}

/// The same in a program that cannot load libtorch: with pipelines in processes of their own nothing is missing, and
/// without any what needs it has a status that says so.
#[test]
fn without_libtorch_all_but_a_pipeline_of_ones_own_works() {
    if Path::new("/usr/lib/libtorch_cpu.so").exists() {
        eprintln!("skipped: this system has a libtorch of its own");
        return;
    }
    let source = scratch("ffi-misuse-without-libtorch").join("misuse.c");
    fs::write(&source, generate(&functions())).unwrap();
    let misuse = build("misuse-without-libtorch", &["-lm"], &[&source]);
    let alone = scratch("ffi-misuse-alone");
    let library = library().join("libsdxl.so").canonicalize().unwrap();
    symlink(library, alone.join("libsdxl.so.0.1")).unwrap();
    let run = |model: &Path, isolation: &str| {
        let mut command = program(&misuse);
        command.arg(model).arg(files("ffi-misuse-without-libtorch-files"));
        command.env("LD_LIBRARY_PATH", &alone).env("SDXL_WORKER", env!("CARGO_BIN_EXE_sdxl-worker"));
        command.env("SDXL_TEST_WITHOUT_LIBTORCH", "1").env("SDXL_TEST_ISOLATION", isolation);
        command
    };
    expect_success(&mut run(base(), "process"));
    expect_success(&mut run(Path::new("-"), "none"));
    let refused = run(base(), "none").output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(
        said.contains("SDXL_STATUS_LIBTORCH, expected SDXL_STATUS_OK (libtorch: cannot be loaded: "),
        "{said}"
    );
    assert!(said.contains("libtorch_cpu.so"), "{said}");
}

/// The same under valgrind, which also sees what the library itself reads: what needs no model, and in `make soak`
/// everything, which takes two minutes.
#[test]
fn misuse_is_clean_under_valgrind() {
    if !has("valgrind") {
        return;
    }
    let source = scratch("ffi-misuse-valgrind-source").join("misuse.c");
    fs::write(&source, generate(&functions())).unwrap();
    let misuse = build("misuse-valgrind", &["-lm"], &[&source]);
    let model = if is_soak() { base() } else { Path::new("-") };
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--quiet", "--error-exitcode=9", "--leak-check=no"]);
    valgrind.arg(format!("--suppressions={}", repository("tests/c/valgrind.supp").display()));
    valgrind.arg(misuse).arg(model);
    expect_success(valgrind.arg(files("ffi-misuse-valgrind-files")).env_remove("LD_LIBRARY_PATH"));
}

/// A folder with files to open.
fn files(name: &str) -> PathBuf {
    let folder = scratch(name);
    write_lora(&folder.join(LORA));
    write_textual_inversion(&folder.join(INVERSION));
    let scheduler = repository("tests/models/base/scheduler/scheduler_config.json");
    fs::copy(scheduler, folder.join(SCHEDULER)).unwrap();
    folder
}

/// A program that calls every function.
fn generate(functions: &[Function]) -> String {
    let mut code = String::from("#include <math.h>\n#include \"fixtures.h\"\n\n");
    code.push_str(
        "static float numbers[16384], out[16384];\nstatic sdxl_image images[4];\nstatic uint32_t sides[4];\n",
    );
    code.push_str("static size_t size;\nstatic double reals[2];\nstatic sdxl_image pictures[1];\n");
    code.push_str("static sdxl_lora loras[1];\nstatic sdxl_textual_inversion inversions[1];\n\n");
    for handle in HANDLES {
        let stale = handle.trim_start_matches("sdxl_");
        writeln!(code, "static {handle} stale_{stale};").unwrap();
    }
    let mut calls = String::new();
    for function in functions.iter().filter(|function| !CANNOT_FAIL.contains(&function.name.as_str())) {
        code.push_str(&test(function));
        let needs_model =
            function.parameters.iter().any(|(kind, _)| kind == "sdxl_pipeline" || kind == "sdxl_job")
                || function.name == "sdxl_pipeline_load"
                || function.name == "sdxl_pipeline_options_check"
                || function.name == "sdxl_pipeline_options_get_info";
        let condition = if needs_model { "if (has_model) " } else { "" };
        writeln!(calls, "  {condition}test_{}();", function.name).unwrap();
    }
    code.push_str("\nint main(int argc, char **argv) {\n  EXPECT(argc == 3);\n");
    code.push_str("  model_path = argv[1];\n  int has_model = strcmp(model_path, \"-\") != 0;\n");
    for (path, file) in [
        ("scratch_path", "file"),
        ("lora_path", LORA),
        ("inversion_path", INVERSION),
        ("scheduler_path", SCHEDULER),
    ] {
        writeln!(code, "  snprintf({path}, sizeof {path}, \"%s/{file}\", argv[2]);").unwrap();
    }
    code.push_str("  pictures[0] = make_image(), loras[0] = make_lora();\n");
    code.push_str("  inversions[0] = make_textual_inversion();\n");
    code.push_str("  if (has_model) the_pipeline = load(model_path);\n");
    for handle in HANDLES {
        let name = handle.trim_start_matches("sdxl_");
        let condition = if ["pipeline", "job"].contains(&name) { "if (has_model) " } else { "" };
        writeln!(code, "  {condition}{{ stale_{name} = make_{name}(); OK({handle}_free(stale_{name})); }}")
            .unwrap();
    }
    code.push_str(&calls);
    code.push_str("  printf(\"%d calls refused\\n\", checks);\n  return failures != 0;\n}\n");
    code
}

/// One function: every argument invalid in turn, and then the call with valid ones alone, which must succeed, so that
/// the refusals before are due to the argument that was tried.
fn test(function: &Function) -> String {
    let name = &function.name;
    let mut code = format!("static void test_{name}(void) {{\n");
    code.push_str("  sdxl_pipeline_info info = {.struct_size = sizeof info};\n");
    code.push_str(
        "  sdxl_progress progress = {.struct_size = sizeof progress};\n  (void)info, (void)progress;\n",
    );
    code.push_str("  sdxl_request_info request_info = {.struct_size = sizeof request_info};\n");
    code.push_str("  sdxl_lora_info lora_info = {.struct_size = sizeof lora_info};\n");
    code.push_str("  (void)request_info, (void)lora_info;\n");
    let mut valid = Vec::new();
    let mut invalid: Vec<(usize, String)> = Vec::new();
    for (index, (kind, parameter)) in function.parameters.iter().enumerate() {
        if let Some(handle) = HANDLES.iter().find(|handle| *handle == kind) {
            let object = handle.trim_start_matches("sdxl_");
            let special = SPECIAL_OBJECTS.iter().find(|(special, _)| special == name && index == 0);
            let make = special.map_or(format!("make_{object}"), |(_, make)| (*make).to_owned());
            writeln!(code, "  {kind} object_{index} = {make}();").unwrap();
            valid.push(format!("object_{index}"));
            let other = if *handle == "sdxl_image" { "make_scheduler" } else { "make_image" };
            invalid.push((index, format!("(({kind}){{0}})")));
            invalid.push((index, format!("stale_{object}")));
            invalid.push((index, format!("(({kind}){{12345}})")));
            invalid.push((index, format!("(({kind}){{{other}().id}})")));
        } else if let Some(handle) =
            HANDLES.iter().find(|handle| format!("{handle} *") == *kind && parameter != "out_images")
        {
            writeln!(code, "  {handle} new_{index};").unwrap();
            valid.push(format!("&new_{index}"));
            invalid.push((index, "NULL".into()));
        } else {
            let entry = VALUES
                .iter()
                .find(|(key, ..)| *key == format!("{name}.{parameter}"))
                .or_else(|| VALUES.iter().find(|(key, ..)| key == parameter))
                .unwrap_or_else(|| panic!("{name}: no values for {kind} {parameter}: add a row to VALUES"));
            valid.push(entry.1.to_owned());
            invalid.extend(entry.2.iter().map(|value| (index, (*value).to_owned())));
            if kind == "const char *" {
                invalid.push((index, "NULL".into()));
                invalid.push((index, "\"a\\xff\\xfe\"".into()));
            }
        }
    }
    let call = |replaced: Option<(usize, &str)>| {
        let arguments = valid.iter().enumerate().map(|(index, value)| match replaced {
            Some((at, invalid)) if at == index => invalid,
            _ => value.as_str(),
        });
        format!("{name}({})", arguments.collect::<Vec<_>>().join(", "))
    };
    prepare(name, &mut code);
    for (index, value) in &invalid {
        writeln!(code, "  REFUSED({});", call(Some((*index, value)))).unwrap();
    }
    // A buffer and the size alone may be absent, not both.
    let parameters: Vec<&str> = function.parameters.iter().map(|(_, name)| name.as_str()).collect();
    if let (Some(buffer), true) = (parameters.iter().position(|name| *name == "buffer"), parameters.len() > 3)
    {
        let mut arguments = valid.clone();
        arguments[buffer] = "NULL".into();
        writeln!(code, "  OK({name}({}));", arguments.join(", ")).unwrap();
        arguments[buffer + 2] = "NULL".into();
        writeln!(code, "  REFUSED({name}({}));", arguments.join(", ")).unwrap();
    }
    if NEED_LIBTORCH.contains(&name.as_str()) {
        let status = format!("EXPECT_STATUS(SDXL_STATUS_LIBTORCH, {})", call(None));
        writeln!(code, "  if (getenv(\"SDXL_TEST_WITHOUT_LIBTORCH\") != NULL) {{ {status}; return; }}")
            .unwrap();
    }
    writeln!(code, "  OK({});", call(None)).unwrap();
    if name.ends_with("_free") {
        writeln!(code, "  REFUSED({});", call(None)).unwrap();
    } else {
        tidy(function, &mut code);
    }
    code.push_str("}\n\n");
    code
}

/// What has to be there before the valid call.
fn prepare(name: &str, code: &mut String) {
    let object = match name {
        // Files that the test has made.
        "sdxl_lora_open" | "sdxl_textual_inversion_open" | "sdxl_scheduler_open" => return,
        "sdxl_image_file_size" => "sdxl_image",
        _ if name.ends_with("_open") => name.trim_end_matches("_open"),
        _ => return,
    };
    let save = if object == "sdxl_image" { "sdxl_image_save_png" } else { &format!("{object}_save") };
    let make = object.trim_start_matches("sdxl_");
    writeln!(code, "  {object} saved = make_{make}();\n  OK({save}(saved, scratch_path));").unwrap();
    writeln!(code, "  OK({object}_free(saved));").unwrap();
}

/// Frees what the valid call made, and what it was given.
fn tidy(function: &Function, code: &mut String) {
    if ["sdxl_job_preview", "sdxl_job_denoised"].contains(&function.name.as_str()) {
        code.push_str("  go_on();\n");
    }
    for (index, (kind, parameter)) in function.parameters.iter().enumerate() {
        for handle in HANDLES {
            if kind == handle {
                writeln!(code, "  OK({handle}_free(object_{index}));").unwrap();
            } else if *kind == format!("{handle} *") && parameter != "out_images" {
                writeln!(code, "  OK({handle}_free(new_{index}));").unwrap();
            }
        }
    }
}
