//! Sequences of calls of the C interface without a model: handles that are right, stale, of another type or made up; sizes
//! and numbers of any kind. Pointers are valid, since C promises that.
#![no_main]

use std::ffi::{CString, c_char};
use std::ptr::null;

use libfuzzer_sys::fuzz_target;
use sdxl::ffi::*;
use sdxl_fuzz::{Bytes, file};

/// What may be passed as a text.
const TEXTS: [&str; 14] = [
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
];

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

fuzz_target!(|data: &[u8]| {
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
        ];
        assert!(freed.iter().filter(|status| **status == sdxl_status::SDXL_STATUS_OK).count() <= 1);
    }
});

fn call(b: &mut Bytes, pool: &mut Pool, numbers: &[f32], room: &mut [u64]) -> sdxl_status {
    let id = pool.id(b);
    let options = sdxl_pipeline_options { id };
    let conditioning = sdxl_conditioning { id };
    let scheduler = sdxl_scheduler { id };
    let request = sdxl_request { id };
    let image = sdxl_image { id };
    let latents = sdxl_latents { id };
    let embeddings = sdxl_embeddings { id };
    let (capacity, buffer) = (b.size().min(8 * room.len()), room.as_mut_ptr().cast::<u8>());
    let (mut count, mut shape) = (0usize, [0u32; 4]);
    let count = &raw mut count;
    let string = text(b);
    let text: *const c_char = string.as_ptr();
    let other = pool.id(b);
    let (x, y) = (b.size() as u32, b.size() as u32);
    let doubles: Vec<f64> = (0..8).map(|_| b.real()).collect();
    let real = doubles[0];
    unsafe {
        match b.below(76) {
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
                let path = CString::new(path.to_string_lossy().as_bytes()).expect("no NUL");
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
            _ => sdxl_latents_free(latents),
        }
    }
}
