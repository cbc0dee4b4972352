//! Sequences of calls of the C interface without a model: handles that are right, stale, of another type or made up; sizes
//! and numbers of any kind. Pointers are valid, since C promises that.
#![no_main]

use std::ffi::{CString, c_char};
use std::path::Path;
use std::ptr::null;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use sdxl::ffi::*;
use sdxl_fuzz::{Bytes, file, safetensors};

/// What may be passed as a text.
const TEXTS: [&str; 22] = [
    "",
    "a cat",
    "euler",
    "dpmpp_2m",
    "turbo",
    "karras",
    "trailing",
    "v",
    "zero",
    "exact",
    "a1111",
    "latents",
    "cpu",
    "{\"_class_name\":\"DDIMScheduler\"}",
    "scheduler",
    "preset",
    "pixel",
    "with_data",
    "log_linear",
    "mid_block",
    "parameters",
    "<s0>",
];

/// A LoRA and a textual inversion, for handles of them: their own targets have the files.
const LORA: &str = r#"{"lora_unet_conv_in.lora_down.weight":{"dtype":"F32","shape":[1,4,3,3],"data_offsets":[0,144]},
    "lora_unet_conv_in.lora_up.weight":{"dtype":"F32","shape":[8,1,1,1],"data_offsets":[144,176]}}"#;
const WORDS: &str = r#"{"clip_g":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},
    "clip_l":{"dtype":"F32","shape":[2,2],"data_offsets":[24,40]}}"#;
static PATHS: OnceLock<[CString; 2]> = OnceLock::new();

fn c_path(path: &Path) -> CString {
    CString::new(path.to_string_lossy().as_bytes()).expect("no NUL")
}

/// The handles so far, whatever they are.
struct Pool(Vec<u64>);

impl Pool {
    fn id(&self, bytes: &mut Bytes) -> u64 {
        match bytes.byte() {
            0 => 0,
            1 => bytes.number(),
            any => self.0.get(usize::from(any) % self.0.len().max(1)).copied().unwrap_or(0),
        }
    }
}

fn text(bytes: &mut Bytes) -> CString {
    match bytes.below(TEXTS.len() + 1) {
        index if index < TEXTS.len() => CString::new(TEXTS[index]),
        _ => {
            let length = bytes.below(40);
            CString::new(bytes.take(length).iter().copied().filter(|&byte| byte != 0).collect::<Vec<u8>>())
        }
    }
    .expect("no NUL")
}

/// A call that makes an object: its handle goes into the pool where it succeeds, and 0 stays where it does not.
macro_rules! make {
    ($pool:ident, $type:ident, |$out:ident| $call:expr) => {{
        let mut made = $type { id: 0 };
        let $out = &raw mut made;
        let status = $call;
        assert_eq!(status == sdxl_status::SDXL_STATUS_OK, made.id != 0);
        if made.id != 0 {
            $pool.0.push(made.id);
        }
        status
    }};
}

fuzz_target!(init: {
    // See `picture`.
    drop(std::panic::take_hook());
    let files = [("a.safetensors", safetensors(LORA, 176)), ("b.safetensors", safetensors(WORDS, 40))];
    let paths = files.map(|(name, content)| c_path(&file(name, &content)));
    let [lora, words] = &paths;
    let (mut one, mut other) = (sdxl_lora { id: 0 }, sdxl_textual_inversion { id: 0 });
    let opened = unsafe {
        [sdxl_lora_open(lora.as_ptr(), &raw mut one), sdxl_textual_inversion_open(words.as_ptr(), &raw mut other)]
    };
    assert!(opened.iter().all(|status| *status == sdxl_status::SDXL_STATUS_OK));
    PATHS.get_or_init(|| paths);
}, |data: &[u8]| {
    let mut bytes = Bytes(data);
    let mut pool = Pool(Vec::new());
    let numbers = [0.5f32; 4096];
    let mut room = [0u64; 1 << 12];
    for _ in 0..64 {
        if bytes.is_empty() {
            break;
        }
        let status = call(&mut bytes, &mut pool, &numbers, &mut room);
        assert!(status != sdxl_status::SDXL_STATUS_INTERNAL, "a panic");
        if status != sdxl_status::SDXL_STATUS_OK {
            let message = unsafe { std::ffi::CStr::from_ptr(sdxl_last_error_message()) };
            assert!(!message.is_empty());
        }
    }
    // Whatever a handle is of, one of these frees it.
    for id in pool.0 {
        let freed = [
            sdxl_pipeline_options_free(sdxl_pipeline_options { id }),
            sdxl_conditioning_free(sdxl_conditioning { id }),
            sdxl_scheduler_free(sdxl_scheduler { id }),
            sdxl_request_free(sdxl_request { id }),
            sdxl_image_free(sdxl_image { id }),
            sdxl_latents_free(sdxl_latents { id }),
            sdxl_embeddings_free(sdxl_embeddings { id }),
            sdxl_lora_free(sdxl_lora { id }),
            sdxl_textual_inversion_free(sdxl_textual_inversion { id }),
        ];
        assert!(freed.iter().filter(|status| **status == sdxl_status::SDXL_STATUS_OK).count() <= 1);
    }
});

/// A number above the limit, which is refused, or one of little work.
fn modest(number: u32, limit: u32, little: u32) -> u32 {
    if number > limit { number } else { number % little }
}

fn call(b: &mut Bytes, pool: &mut Pool, numbers: &[f32], room: &mut [u64]) -> sdxl_status {
    let id = pool.id(b);
    let options = sdxl_pipeline_options { id };
    let conditioning = sdxl_conditioning { id };
    let scheduler = sdxl_scheduler { id };
    let request = sdxl_request { id };
    let image = sdxl_image { id };
    let latents = sdxl_latents { id };
    let embeddings = sdxl_embeddings { id };
    let (lora, words) = (sdxl_lora { id }, sdxl_textual_inversion { id });
    let (pipeline, job) = (sdxl_pipeline { id }, sdxl_job { id });
    let (capacity, buffer) = (b.size().min(8 * room.len()), room.as_mut_ptr().cast::<u8>());
    let (mut count, mut shape) = (0usize, [0u32; 4]);
    let count = &raw mut count;
    let string = text(b);
    let text: *const c_char = string.as_ptr();
    let other = pool.id(b);
    let (x, y) = (b.size() as u32, b.size() as u32);
    let side = |size| modest(size, 16_384, 100);
    let doubles: Vec<f64> = (0..8).map(|_| b.real()).collect();
    let real = doubles[0];
    // The first field of a struct that is written into the room is its size.
    let room_start = buffer.cast::<u32>();
    let path = |index: usize| PATHS.get().map_or(null(), |paths| paths[index].as_ptr());
    unsafe {
        match b.below(147) {
            0 => make!(pool, sdxl_pipeline_options, |out| sdxl_pipeline_options_new(text, out)),
            1 => make!(pool, sdxl_pipeline_options, |out| sdxl_pipeline_options_new_in_memory(text, out)),
            2 => {
                let content = b.take(64);
                sdxl_pipeline_options_add_file(options, text, content.as_ptr(), content.len())
            }
            3 => sdxl_pipeline_options_set_device(options, text),
            4 => sdxl_pipeline_options_set_precision(options, text),
            5 => sdxl_pipeline_options_set_variant(options, text),
            6 => sdxl_pipeline_options_add_lora(options, text, real),
            7 => sdxl_pipeline_options_merge_loras(options),
            8 => sdxl_pipeline_options_check(options),
            9 => sdxl_pipeline_options_free(options),
            10 | 11 => make!(pool, sdxl_conditioning, |out| sdxl_conditioning_new(text, out)),
            12 => make!(pool, sdxl_conditioning, |out| sdxl_conditioning_from_embeddings(embeddings, out)),
            13 => sdxl_conditioning_set_prompt_2(conditioning, text),
            14 => sdxl_conditioning_set_negative_prompt(conditioning, text),
            15 => sdxl_conditioning_set_negative_prompt_2(conditioning, text),
            16 => sdxl_conditioning_set_prompt_syntax(conditioning, text),
            17 => sdxl_conditioning_set_negative_embeddings(conditioning, sdxl_embeddings { id: other }),
            18 => sdxl_conditioning_set_clip_skip(conditioning, x),
            19 => sdxl_conditioning_set_original_size(conditioning, x, y),
            20 => sdxl_conditioning_set_crop(conditioning, x, y),
            21 => sdxl_conditioning_set_target_size(conditioning, x, y),
            22 => sdxl_conditioning_set_negative_original_size(conditioning, x, y),
            23 => sdxl_conditioning_set_negative_crop(conditioning, x, y),
            24 => sdxl_conditioning_set_negative_target_size(conditioning, x, y),
            25 => sdxl_conditioning_set_aesthetic_score(conditioning, real),
            26 => sdxl_conditioning_set_negative_aesthetic_score(conditioning, real),
            27 => sdxl_conditioning_free(conditioning),
            28 => make!(pool, sdxl_scheduler, |out| sdxl_scheduler_new(text, out)),
            29 => make!(pool, sdxl_scheduler, |out| sdxl_scheduler_new_preset(text, out)),
            30 => make!(pool, sdxl_scheduler, |out| sdxl_scheduler_from_config(text, out)),
            31 => sdxl_scheduler_set_name(scheduler, text),
            32 => sdxl_scheduler_set_spacing(scheduler, text),
            33 => sdxl_scheduler_set_prediction(scheduler, text),
            34 => sdxl_scheduler_set_eta(scheduler, real),
            35 => sdxl_scheduler_set_timesteps(scheduler, doubles.as_ptr(), b.below(9)),
            36 => sdxl_scheduler_set_sigmas(scheduler, doubles.as_ptr(), b.below(9)),
            37 => sdxl_scheduler_set_leading(scheduler, x),
            38 => sdxl_scheduler_set_distilled(scheduler, x),
            39 => sdxl_scheduler_set_karras(scheduler, real),
            40 => sdxl_scheduler_set_beta(scheduler, real, doubles[1]),
            41 => sdxl_scheduler_set_sigma_range(scheduler, real, doubles[1]),
            42 => sdxl_scheduler_set_terminal(scheduler, text),
            43 => sdxl_scheduler_set_rounding(scheduler, text),
            44 => sdxl_scheduler_set_clip(scheduler, real),
            45 => sdxl_scheduler_set_dynamic_clip(scheduler, real, doubles[1]),
            46 => sdxl_scheduler_copy_config(scheduler, buffer.cast(), capacity, count),
            47 => sdxl_scheduler_free(scheduler),
            48 | 49 => make!(pool, sdxl_request, |out| sdxl_request_new(conditioning, out)),
            50 => sdxl_request_set_size(request, x, y),
            51 => sdxl_request_set_steps(request, x),
            52 => sdxl_request_set_guidance(request, real),
            53 => sdxl_request_set_guidance_interval(request, real, doubles[1]),
            54 => sdxl_request_set_seeds(request, [1u64, 2, 3, 4].as_ptr(), b.below(5)),
            55 => sdxl_request_set_batch(request, x),
            56 => sdxl_request_set_scheduler(request, sdxl_scheduler { id: other }),
            57 => sdxl_request_set_initial_noise(request, sdxl_latents { id: other }),
            58 => sdxl_request_set_image(request, sdxl_image { id: other }),
            59 => sdxl_request_set_image_latents(request, sdxl_latents { id: other }),
            60 => sdxl_request_set_inpaint(request, sdxl_image { id: other }, image, real),
            61 => sdxl_request_set_strength(request, real),
            62 => sdxl_request_set_resume(request, sdxl_latents { id: other }, real),
            63 => sdxl_request_set_end_at(request, real),
            64 => sdxl_request_free(request),
            65 | 66 => {
                let layout = sdxl_pixel_layout {
                    struct_size: if b.below(8) == 0 { x } else { 24 },
                    format: b.below(7) as i32,
                    row_order: b.below(3) as i32,
                    reserved: u32::from(b.below(16) == 0),
                    stride: if b.below(2) == 0 { 0 } else { b.size() as u64 },
                };
                let layout = if b.below(4) == 0 { null() } else { &raw const layout };
                make!(pool, sdxl_image, |out| sdxl_image_new(x, y, layout, buffer, capacity, out))
            }
            67 => {
                let path = file("c.png", b.take(200));
                let path = c_path(&path);
                make!(pool, sdxl_image, |out| sdxl_image_open(path.as_ptr(), out))
            }
            68 => sdxl_image_size(image, &raw mut shape[0], &raw mut shape[1]),
            69 => sdxl_image_copy_pixels(image, null(), buffer, capacity),
            70 => sdxl_image_encode_png(image, buffer, capacity, count),
            71 => sdxl_image_free(image),
            72 => {
                let shape = [(); 4].map(|()| b.below(9) as u32);
                make!(pool, sdxl_latents, |out| sdxl_latents_new(
                    numbers.as_ptr(),
                    capacity.min(4096),
                    shape.as_ptr(),
                    out
                ))
            }
            73 => sdxl_latents_copy(latents, buffer.cast(), capacity / 4, count),
            74 => make!(pool, sdxl_image, |out| sdxl_latents_preview(latents, x, out)),
            75 => sdxl_copy_names(text, buffer.cast(), capacity, count),
            76 => sdxl_copy_buckets(buffer.cast(), capacity / 4, count),
            77 => sdxl_nearest_bucket(x, y, &raw mut shape[0], &raw mut shape[1]),
            78 => make!(pool, sdxl_conditioning, |out| sdxl_conditioning_clone(conditioning, out)),
            79 => make!(pool, sdxl_pipeline_options, |out| sdxl_pipeline_options_clone(options, out)),
            80 => make!(pool, sdxl_request, |out| sdxl_request_clone(request, out)),
            81 => make!(pool, sdxl_scheduler, |out| sdxl_scheduler_clone(scheduler, out)),
            82 => make!(pool, sdxl_lora, |out| sdxl_lora_clone(lora, out)),
            83 => {
                let (first, second) = (b.size().min(4096), b.size().min(4096));
                let (rows, tokens) = (b.below(5) as u32, b.below(200) as u32);
                let all = numbers.as_ptr();
                make!(pool, sdxl_embeddings, |out| sdxl_embeddings_new(
                    all, first, all, second, rows, tokens, out
                ))
            }
            84 => sdxl_embeddings_copy_context(embeddings, buffer.cast(), capacity / 4, count),
            85 => sdxl_embeddings_copy_pooled(embeddings, buffer.cast(), capacity / 4, count),
            86 => sdxl_embeddings_shape(embeddings, shape.as_mut_ptr()),
            87 => make!(pool, sdxl_image, |out| sdxl_image_add_text(image, text, text, out)),
            88 => sdxl_image_copy_keywords(image, buffer.cast(), capacity, count),
            89 => sdxl_image_copy_text(image, text, buffer.cast(), capacity, count),
            90 => make!(pool, sdxl_image, |out| sdxl_image_blur_mask(image, real, out)),
            91 => {
                let (right, bottom) = (b.size() as u32, b.size() as u32);
                make!(pool, sdxl_image, |out| sdxl_image_crop(image, x, y, right, bottom, out))
            }
            92 => sdxl_image_mask_region(image, x, y, b.size() as u32, shape.as_mut_ptr()),
            93 => make!(pool, sdxl_image, |out| sdxl_image_resize(image, side(x), side(y), out)),
            94 => {
                let (right, bottom) = (side(b.size() as u32), side(b.size() as u32));
                let mut mask = sdxl_image { id: 0 };
                let out_mask = &raw mut mask;
                let status = make!(pool, sdxl_image, |out| sdxl_image_outpaint(
                    image,
                    side(x),
                    side(y),
                    right,
                    bottom,
                    out,
                    out_mask
                ));
                pool.0.extend(Some(mask.id).filter(|id| *id != 0));
                status
            }
            95 => {
                let channels = modest(b.size() as u32, 64, 9);
                let draws = modest(b.size() as u32, 10_000, 5);
                make!(pool, sdxl_latents, |out| sdxl_latents_new_noise(
                    [7, 7, 9].as_ptr(),
                    b.below(4),
                    channels,
                    side(x),
                    side(y),
                    draws,
                    out
                ))
            }
            96 => sdxl_latents_shape(latents, shape.as_mut_ptr()),
            97 => make!(pool, sdxl_lora, |out| sdxl_lora_open(path(0), out)),
            98 => sdxl_lora_copy_blocks(lora, buffer.cast(), capacity, count),
            99 => sdxl_lora_copy_looks_like(lora, buffer.cast(), capacity, count),
            100 => sdxl_lora_path(lora, buffer.cast(), capacity, count),
            101 => sdxl_lora_ignore_unmatched(lora),
            102 => sdxl_lora_set_block(lora, text, real),
            103 => sdxl_lora_set_weight(lora, real),
            104 => sdxl_lora_set_text_encoders_weight(lora, real),
            105 => {
                let mut weights = [0.; 2];
                sdxl_lora_weights(lora, &raw mut weights[0], &raw mut weights[1])
            }
            106 => sdxl_lora_free(lora),
            107 => make!(pool, sdxl_textual_inversion, |out| sdxl_textual_inversion_open(path(1), out)),
            108 => sdxl_textual_inversion_copy_words(words, buffer.cast(), capacity, count),
            109 => sdxl_textual_inversion_path(words, buffer.cast(), capacity, count),
            110 => sdxl_textual_inversion_set_words(words, [text, text].as_ptr(), b.below(3)),
            111 => sdxl_textual_inversion_free(words),
            112 => sdxl_pipeline_options_add_embedding(options, text),
            113 => {
                let size = size_of::<sdxl_pipeline_info>();
                *room_start = if b.below(8) == 0 { x } else { size as u32 };
                sdxl_pipeline_options_get_info(options, buffer.cast())
            }
            114 => sdxl_pipeline_options_set_taesd(options, text),
            115 => sdxl_pipeline_options_set_unet(options, text),
            116 => sdxl_pipeline_options_set_vae(options, text),
            117 => sdxl_pipeline_options_set_vae_tiling(options, x),
            118 => sdxl_request_copy_seeds(request, buffer.cast(), capacity / 8, count),
            119 => {
                let size = size_of::<sdxl_request_info>();
                *room_start = if b.below(8) == 0 { x } else { size as u32 };
                sdxl_request_get_info(request, buffer.cast())
            }
            120 => sdxl_request_set_freeu(request, real, doubles[1], doubles[2], doubles[3]),
            121 => sdxl_request_set_guidance_rescale(request, real),
            122 => sdxl_request_set_width(request, x),
            123 => sdxl_request_set_height(request, x),
            124 => sdxl_request_set_hires(request, real, doubles[1], text, x),
            125 => sdxl_request_set_images(request, [image, sdxl_image { id: other }].as_ptr(), b.below(3)),
            126 => {
                let images = [image, sdxl_image { id: other }];
                sdxl_request_set_inpaint_each(request, images.as_ptr(), images.as_ptr(), b.below(3), real)
            }
            127 => {
                let (right, bottom) = (side(b.size() as u32), side(b.size() as u32));
                sdxl_request_set_outpaint(request, sdxl_image { id: other }, side(x), side(y), right, bottom)
            }
            128 => sdxl_request_set_output(request, text),
            129 => sdxl_request_set_overlay(request, x),
            130 => sdxl_request_set_padding_mask_crop(request, x),
            131 => sdxl_request_set_perturbed_attention(
                request,
                real,
                doubles[1],
                [text, text].as_ptr(),
                b.below(3),
            ),
            132 => sdxl_request_set_seed(request, b.number()),
            133 => sdxl_request_set_skip_draws(request, x),
            134 => sdxl_request_set_variation(request, b.number(), real),
            135 => {
                let steps = modest(x, 1_000_000, 300);
                sdxl_scheduler_copy_sigmas(scheduler, steps, buffer.cast(), capacity / 8, count)
            }
            136 => {
                let steps = modest(x, 1_000_000, 300);
                sdxl_scheduler_copy_timesteps(scheduler, steps, buffer.cast(), capacity / 8, count)
            }
            137 => sdxl_scheduler_set_initial_noise(scheduler, text),
            138 => sdxl_scheduler_set_interpolation(scheduler, text),
            139 => sdxl_pipeline_lora_count(pipeline, count),
            140 => sdxl_pipeline_copy_unmatched(pipeline, x, buffer.cast(), capacity, count),
            141 => make!(pool, sdxl_pipeline, |out| sdxl_pipeline_clone(pipeline, out)),
            142 => make!(pool, sdxl_job, |out| sdxl_job_start(
                pipeline,
                request,
                None,
                std::ptr::null_mut(),
                out
            )),
            143 => sdxl_job_cancel(job),
            144 => sdxl_job_wait(job, 0),
            145 => sdxl_job_image_count(job, count),
            _ => sdxl_latents_free(latents),
        }
    }
}
