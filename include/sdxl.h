// sdxl: Stable Diffusion XL as a shared library. Generated from src/ffi by cbindgen: do not edit.
//
//   #include <sdxl.h>
//   #include <stdio.h>
//
//   #define TRY(call) if ((call) != SDXL_STATUS_OK) { puts(sdxl_last_error_message()); return 1; }
//
//   int main(void) {
//     sdxl_pipeline_options options;
//     sdxl_pipeline pipeline;
//     sdxl_conditioning conditioning;
//     sdxl_request request;
//     sdxl_image image;
//     size_t count;
//     TRY(sdxl_pipeline_options_new("stable-diffusion-xl-base-1.0", &options));
//     TRY(sdxl_pipeline_load(options, &pipeline));
//     TRY(sdxl_conditioning_new("a lighthouse in a storm, oil painting", &conditioning));
//     TRY(sdxl_request_new(conditioning, &request));
//     TRY(sdxl_pipeline_generate(pipeline, request, &image, 1, &count));
//     TRY(sdxl_image_save_png(image, "lighthouse.png"));
//     return 0;
//   }
//
// Rules that hold everywhere:
//
// - Every function returns an sdxl_status, but for the few that return a version, a name or a message. Results go to
//   out_ parameters, and only on success. sdxl_last_error_message() says what was wrong, in words.
// - A handle is a number in a struct, to be copied freely and used from any thread. A function that makes one says who
//   frees it; a handle is freed once. One that is zero, freed, of another type or made up is
//   SDXL_STATUS_INVALID_HANDLE, never a crash. An object that is freed while another thread uses it lives until that
//   call has ended. Objects copy or share what they are given: free things in any order.
// - Pointers lead to what the function says, for the time of the call. NULL where a thing must be there is
//   SDXL_STATUS_NULL_POINTER.
// - Texts are UTF-8 that ends with a NUL; they are copied.
// - Structs begin with struct_size, which the caller sets to sizeof the struct, so that they can grow.
// - A setter checks its value at once, and changes nothing where it fails.
// - Nothing is printed but the text of an internal error, nothing is process-wide but sdxl_set_threads, and no exception
//   or panic leaves the library. It stays loaded once it is, because libtorch does not survive being unloaded. When the
//   process ends, what the library computes is cancelled and waited for, which takes a layer: a second, or some with large
//   pictures. What is asked for from then on fails with SDXL_STATUS_CANCELLED where it would compute.


#ifndef SDXL_H
#define SDXL_H

#include <stddef.h>
#include <stdint.h>

/// The version that this header belongs to; sdxl_version() is that of the library.
#define SDXL_VERSION "0.1.0"
#define SDXL_VERSION_MAJOR 0
#define SDXL_VERSION_MINOR 1
#define SDXL_VERSION_PATCH 0

/// The number of this interface. It grows when something is added, and functions that exist keep their meaning.
/// A program runs with every library whose sdxl_abi_version() is at least the SDXL_ABI_VERSION of its header.
#define SDXL_ABI_VERSION 1

/// How a call ended. 0 is success. Numbers are never reused; later versions may add some.
enum sdxl_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /// Success.
  SDXL_STATUS_OK = 0,
  /// A handle is zero, freed, of another type, or none of this library.
  SDXL_STATUS_INVALID_HANDLE = 100,
  /// A pointer is NULL that must not be.
  SDXL_STATUS_NULL_POINTER = 101,
  /// A text is not UTF-8.
  SDXL_STATUS_INVALID_TEXT = 102,
  /// The `struct_size` of a struct is none of this library's versions.
  SDXL_STATUS_INVALID_STRUCT_SIZE = 103,
  /// A buffer is too small; nothing was written into it.
  SDXL_STATUS_BUFFER_TOO_SMALL = 104,
  /// A value is outside its range. The message names it and the range.
  SDXL_STATUS_INVALID_VALUE = 200,
  /// The model lacks a part that the request needs.
  SDXL_STATUS_MISSING_PART = 201,
  /// A file cannot be read or written.
  SDXL_STATUS_IO = 300,
  /// A file was read, but its content is not what it should be.
  SDXL_STATUS_INVALID_FILE = 301,
  /// A checkpoint does not fit its model. The message lists every difference.
  SDXL_STATUS_INVALID_CHECKPOINT = 302,
  /// A LoRA is broken or not of this model. The message lists every difference.
  SDXL_STATUS_INVALID_LORA = 303,
  /// The device does not exist, or cannot do what is asked of it.
  SDXL_STATUS_DEVICE = 400,
  /// The machine or the device has no memory left. What was there before still works.
  SDXL_STATUS_OUT_OF_MEMORY = 401,
  /// libtorch reported an error, or cannot be loaded: the message names the library that is missing.
  SDXL_STATUS_LIBTORCH = 402,
  /// The weights, or the type that is computed in, gave numbers that are not finite.
  SDXL_STATUS_NON_FINITE = 500,
  /// The job was cancelled.
  SDXL_STATUS_CANCELLED = 600,
  /// The job has not finished yet.
  SDXL_STATUS_UNFINISHED = 601,
  /// The worker process of an isolated pipeline died or cannot be started. The next job starts another one.
  SDXL_STATUS_WORKER = 700,
  /// An error of the library itself: please report it. All objects can still be used and freed.
  SDXL_STATUS_INTERNAL = 900,
  /// The process is a fork of the one that used the library first, which libtorch does not survive.
  SDXL_STATUS_FORKED = 901,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sdxl_status sdxl_status;
#else
typedef int32_t sdxl_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/// What a model was made for.
enum sdxl_model_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /// Text to image: SDXL base, Turbo and fine-tunes of them.
  SDXL_MODEL_KIND_BASE = 0,
  /// The second stage, which refines latents of the first.
  SDXL_MODEL_KIND_REFINER = 1,
  /// A UNet that also takes a mask and the masked picture.
  SDXL_MODEL_KIND_INPAINT = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sdxl_model_kind sdxl_model_kind;
#else
typedef int32_t sdxl_model_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/// What a job is doing.
enum sdxl_job_state
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /// It waits for the jobs before it.
  SDXL_JOB_STATE_WAITING = 0,
  /// It encodes the prompts, and the picture that it begins with.
  SDXL_JOB_STATE_ENCODING = 1,
  /// It takes the steps.
  SDXL_JOB_STATE_SAMPLING = 2,
  /// It decodes the pictures.
  SDXL_JOB_STATE_DECODING = 3,
  /// It has ended: the pictures can be taken.
  SDXL_JOB_STATE_FINISHED = 100,
  /// It has ended with an error, which sdxl_job_wait returns.
  SDXL_JOB_STATE_FAILED = 101,
  /// It has ended because it was cancelled.
  SDXL_JOB_STATE_CANCELLED = 102,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sdxl_job_state sdxl_job_state;
#else
typedef int32_t sdxl_job_state;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/// How a pixel is stored. All are sRGB-encoded, floats from 0 to 1; alpha is written as opaque and not read.
enum sdxl_pixel_format
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /// Red, green, blue, of 8 bits.
  SDXL_PIXEL_FORMAT_RGB8 = 0,
  /// Red, green, blue, alpha, of 8 bits: Unity's RGBA32.
  SDXL_PIXEL_FORMAT_RGBA8 = 1,
  /// Blue, green, red, alpha, of 8 bits: Unreal's and Direct3D's.
  SDXL_PIXEL_FORMAT_BGRA8 = 2,
  /// Luminance of 8 bits: masks.
  SDXL_PIXEL_FORMAT_GRAY8 = 3,
  /// Red, green, blue, alpha, of 16-bit floats.
  SDXL_PIXEL_FORMAT_RGBA16F = 4,
  /// Red, green, blue, alpha, of 32-bit floats.
  SDXL_PIXEL_FORMAT_RGBA32F = 5,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sdxl_pixel_format sdxl_pixel_format;
#else
typedef int32_t sdxl_pixel_format;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/// In which order the rows of a picture lie in memory.
enum sdxl_row_order
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /// From top to bottom, as in image files.
  SDXL_ROW_ORDER_TOP_DOWN = 0,
  /// From bottom to top, as in OpenGL's and Unity's textures.
  SDXL_ROW_ORDER_BOTTOM_UP = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sdxl_row_order sdxl_row_order;
#else
typedef int32_t sdxl_row_order;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/// Whether a job goes on: what its callback returns.
enum sdxl_flow
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /// It goes on.
  SDXL_FLOW_CONTINUE = 0,
  /// It is cancelled, as every other number means too.
  SDXL_FLOW_CANCEL = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sdxl_flow sdxl_flow;
#else
typedef int32_t sdxl_flow;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/// Options for loading a model. Any number of pipelines can be loaded with them.
typedef struct {
  /// 0 is no handle.
  uint64_t id;
} sdxl_pipeline_options;

/// What a pipeline is.
typedef struct {
  /// sizeof(sdxl_pipeline_info), set by the caller.
  uint32_t struct_size;
  /// An sdxl_model_kind.
  int32_t kind;
  /// Width in pixels of the pictures that the model was trained for: 1024 for SDXL.
  uint32_t default_width;
  /// Height of the same.
  uint32_t default_height;
  /// Channels of the latents: 4.
  uint32_t latent_channels;
  /// Pixels for each of the latents' in both directions: 8. Sizes of pictures are multiples of it.
  uint32_t latent_factor;
  /// Width of the embeddings' context: 2048 for SDXL base.
  uint32_t context_width;
  /// Width of the pooled embedding: 1280 for SDXL.
  uint32_t pooled_width;
} sdxl_pipeline_info;

/// A model ready to draw. Its jobs run one after the other, on a thread of its own; those of its clones run at once.
typedef struct {
  /// 0 is no handle.
  uint64_t id;
} sdxl_pipeline;

/// An order for pictures: what they show, their size, steps, guidance and seeds. Jobs keep what it was when they
/// were started.
typedef struct {
  /// 0 is no handle.
  uint64_t id;
} sdxl_request;

/// A picture: RGB, 8 bits a channel, sRGB; with the texts that its file carries. It never changes.
typedef struct {
  /// 0 is no handle.
  uint64_t id;
} sdxl_image;

/// What a picture is to show: prompts or their embeddings, and the micro-conditioning. It belongs to no model and
/// serves any number of requests.
typedef struct {
  /// 0 is no handle.
  uint64_t id;
} sdxl_conditioning;

/// Encoded text: a context, token by token, and a pooled vector. It never changes.
typedef struct {
  /// 0 is no handle.
  uint64_t id;
} sdxl_embeddings;

/// Pictures as the UNet sees them: pictures x channels x height/8 x width/8 numbers. They never change.
typedef struct {
  /// 0 is no handle.
  uint64_t id;
} sdxl_latents;

/// A LoRA or one of its relatives (LoCon, LoHa, LoKr, DoRA), and how strongly it acts. Pipelines that it was given to
/// keep what it was then.
typedef struct {
  /// 0 is no handle.
  uint64_t id;
} sdxl_lora;

/// New words for prompts, with the vectors that the text encoders are given for them. Pipelines that it was given to
/// keep what it was then.
typedef struct {
  /// 0 is no handle.
  uint64_t id;
} sdxl_textual_inversion;

/// How a pipeline has one of its LoRAs.
typedef struct {
  /// sizeof(sdxl_lora_info), set by the caller.
  uint32_t struct_size;
  /// 1 where it was merged into the weights, 0 where it is kept beside them.
  uint32_t merged;
  /// How many keys of its file fit no layer of the model.
  uint32_t unmatched;
  /// 0.
  uint32_t reserved;
  /// Its weight in the UNet, but for blocks with a factor.
  double weight;
  /// Its weight in both text encoders.
  double text_encoders_weight;
} sdxl_lora_info;

/// A way of sampling. Requests that it was given to keep what it was then.
///
/// The sampler comes first: sdxl_scheduler_set_name starts again from the checkpoint's settings.
typedef struct {
  /// 0 is no handle.
  uint64_t id;
} sdxl_scheduler;

/// What holds in a request.
typedef struct {
  /// sizeof(sdxl_request_info), set by the caller.
  uint32_t struct_size;
  /// The number of pictures: so many handles sdxl_pipeline_generate needs room for.
  uint32_t pictures;
  /// Steps of the sampler.
  uint32_t steps;
  /// 0.
  uint32_t reserved;
  /// The scale of guidance; 1 or less is off.
  double guidance;
  /// The fraction of its rescaling.
  double guidance_rescale;
  /// How much is changed of a picture that the run begins with.
  double strength;
} sdxl_request_info;

/// A request under way on the pipeline's own thread: start it, poll it once a frame or wait for it, take the pictures.
typedef struct {
  /// 0 is no handle.
  uint64_t id;
} sdxl_job;

/// Where a job stands.
typedef struct {
  /// sizeof(sdxl_progress), set by the caller.
  uint32_t struct_size;
  /// An sdxl_job_state; from SDXL_JOB_STATE_FINISHED on, the job has ended.
  int32_t state;
  /// The steps taken.
  uint32_t step;
  /// All steps; 0 until the prompts are encoded.
  uint32_t of;
  /// The noise level reached, as a standard deviation; 0 before the first step.
  double sigma;
  /// Seconds since the job's turn came.
  double seconds;
  /// Seconds that the remaining steps will take, at the mean speed so far; decoding comes on top.
  double seconds_left;
} sdxl_progress;

/// Called on the pipeline's thread before the first and after every step of a job, which waits for it.
///
/// It gets the user_data of sdxl_job_start, the job, and where it stands (valid during the call). It returns an
/// sdxl_flow. It may call every function of the library, but sdxl_job_wait gives it the answer at once for jobs of
/// the same pipeline. It must return: no C++ exception and no longjmp may leave it.
typedef int32_t (*sdxl_progress_callback)(void *user_data, sdxl_job job, const sdxl_progress *progress);

/// How a picture lies in the caller's memory. NULL in its place means RGB8 from top to bottom without gaps.
typedef struct {
  /// sizeof(sdxl_pixel_layout), set by the caller.
  uint32_t struct_size;
  /// An sdxl_pixel_format.
  int32_t format;
  /// An sdxl_row_order.
  int32_t row_order;
  /// 0.
  uint32_t reserved;
  /// Bytes from the start of a row to the start of the next; 0 means that there are no gaps.
  uint64_t stride;
} sdxl_pixel_layout;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/// The number of the interface that the library has.
///
/// Returns SDXL_ABI_VERSION of the library's own header.
///
/// Any thread. Since 0.1.
uint32_t sdxl_abi_version(void);

/// The version of the library: SDXL_VERSION of its own header, such as "0.1.0".
///
/// Returns a text that is valid forever.
///
/// Any thread. Since 0.1.
const char *sdxl_version(void);

/// Sets the number of threads that libtorch computes with on the CPU, for the whole process.
///
/// - threads: 1 to 1024. Default: all cores.
///
/// Any thread, before the first job. Since 0.1.
sdxl_status sdxl_set_threads(uint32_t threads);

/// Finds out whether a device is there.
///
/// - device: "cpu", "cuda" (the first one) or "cuda:N".
///
/// Returns SDXL_STATUS_DEVICE where it is not, and SDXL_STATUS_LIBTORCH where libtorch cannot be loaded; the message says
/// what is missing.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_check_device(const char *device);

/// The message of the last call on this thread that failed: what was expected, what was found, and where.
///
/// Returns UTF-8 that is valid until the next failing call on the same thread; "" where none has failed.
/// It belongs to the library: copy it, do not free it.
///
/// Any thread. Since 0.1.
const char *sdxl_last_error_message(void);

/// The name of a status, such as "SDXL_STATUS_OK".
///
/// - status: any number; "unknown" for one that this version does not have.
///
/// Returns a text that is valid forever.
///
/// Any thread. Since 0.1.
const char *sdxl_status_name(int32_t status);

/// Makes options for a model on disk.
///
/// - model: a diffusers folder, a folder of the Hugging Face cache or the name of a repository in it
///   ("stabilityai/stable-diffusion-xl-base-1.0"), or a single .safetensors file.
/// - out_options: a new handle; free it with sdxl_pipeline_options_free.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_pipeline_options_new(const char *model, sdxl_pipeline_options *out_options);

/// Makes options for a model in the caller's memory, such as in a game's pack: add its files to them.
///
/// - name: what the model is called in pictures and messages.
/// - out_options: a new handle; free it with sdxl_pipeline_options_free.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_pipeline_options_new_in_memory(const char *name, sdxl_pipeline_options *out_options);

/// Adds a file of a model in memory. Nothing is copied: the bytes must stay as they are until the options are freed, and
/// until calls of sdxl_pipeline_load and sdxl_pipeline_options_check that use them have returned. Pipelines do not need
/// them, but for those of sdxl_pipeline_options_set_stream_text_encoders.
///
/// - options: whose; made by sdxl_pipeline_options_new_in_memory.
/// - name: where the file would lie in a diffusers folder, such as "unet/config.json"; or any name for a single
///   .safetensors file with the whole model, which is the only one then.
/// - data: the bytes of the file.
/// - size: how many they are.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_pipeline_options_add_file(sdxl_pipeline_options options,
                                           const char *name,
                                           const uint8_t *data,
                                           size_t size);

/// Chooses where the models compute.
///
/// - options: whose.
/// - device: "cpu", "cuda" (the first one) or "cuda:N". Default: "cpu".
///
/// Any thread. Since 0.1.
sdxl_status sdxl_pipeline_options_set_device(sdxl_pipeline_options options, const char *device);

/// Chooses the type in which the models compute. Stored weights keep the type of the file on the CPU whatever it is.
///
/// - options: whose.
/// - precision: "f32", "f16" or "bf16". Default: "f32", the only one on the CPU.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_pipeline_options_set_precision(sdxl_pipeline_options options, const char *precision);

/// Chooses among the files of a diffusers folder.
///
/// - options: whose.
/// - variant: the part of the file names before ".safetensors", such as "fp16". Default: "", the plain names, or
///   fp16 where there are no others.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_pipeline_options_set_variant(sdxl_pipeline_options options, const char *variant);

/// Decodes with a tiny autoencoder (TAESDXL) in the place of the model's own: much faster, a little less exact.
///
/// - options: whose.
/// - path: an AutoencoderTiny file or folder of diffusers, or a folder with TAESD's own two files. Default: none.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_pipeline_options_set_taesd(sdxl_pipeline_options options, const char *path);

/// Takes another autoencoder of the same shape, such as the one whose activations fit into 16 bits.
///
/// - options: whose.
/// - path: a diffusers folder with its config.json, or a file; a single file of a whole model will do. Default: the
///   model's own.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_pipeline_options_set_vae(sdxl_pipeline_options options, const char *path);

/// Takes another UNet, as distilled models come.
///
/// - options: whose.
/// - path: a diffusers folder with its config.json, or a file of one of the same shape; a single file of a whole model
///   will do. Default: the model's own.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_pipeline_options_set_unet(sdxl_pipeline_options options, const char *path);

/// Adds a textual inversion, under the words of its file.
///
/// - options: whose.
/// - path: the .safetensors file. Default: none.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_pipeline_options_add_embedding(sdxl_pipeline_options options, const char *path);

/// Adds a LoRA; several add up. What is wrong with it is found when the model is checked or loaded.
///
/// - options: whose.
/// - path: the .safetensors file, of diffusers, PEFT, kohya or LyCORIS. Default: none.
/// - weight: how strongly it acts; 1 as it was trained.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_pipeline_options_add_lora(sdxl_pipeline_options options, const char *path, double weight);

/// Merges the LoRAs into the weights while these are read: steps take no longer than without them.
///
/// - options: whose. Default: they are kept beside the weights.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_pipeline_options_merge_loras(sdxl_pipeline_options options);

/// Puts the pipeline into a process of its own: a crash there, a kill, or the end of memory ends its jobs with
/// SDXL_STATUS_WORKER, and the next job starts the process anew. Everything else is as it is without.
///
/// - options: whose.
/// - isolation: "none" or "process". Default: "none".
///
/// The process is the program sdxl-worker: see sdxl_pipeline_options_set_worker. It ends when the last of the pipeline, its
/// clones and their jobs is gone, and with the caller's process, however that ends. Files of sdxl_pipeline_options_add_file
/// are copied into memory that both processes share, and stay there as long as the pipeline.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_pipeline_options_set_isolation(sdxl_pipeline_options options, const char *isolation);

/// Says which program the process of an isolated pipeline is. It is of the same version as the library.
///
/// - options: whose.
/// - path: the program sdxl-worker. Default: that of the environment variable SDXL_WORKER, or else the one beside the
///   library, or in a folder sdxl there.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_pipeline_options_set_worker(sdxl_pipeline_options options, const char *path);

/// Encodes and decodes pictures strip by strip: in a third of the memory, for about a third more time. The pictures are the
/// same up to rounding, without seams.
///
/// - options: whose.
/// - vae_tiling: 1 for yes, 0 for no. Default: 0.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_pipeline_options_set_vae_tiling(sdxl_pipeline_options options, uint32_t vae_tiling);

/// Reads the text encoders' weights whenever a prompt is encoded, and keeps none of them: 1.6 GB less of SDXL in 16 bits.
/// The pictures are the same, to the last bit; a prompt that differs from the one before takes the time to read its
/// encoders' files, and its negative prompt once more.
///
/// - options: whose.
/// - stream_text_encoders: 1 for yes, 0 for no. Default: 0.
///
/// The files must stay as they are as long as the pipeline and those made of it, and so must memory given to
/// sdxl_pipeline_options_add_file.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_pipeline_options_set_stream_text_encoders(sdxl_pipeline_options options, uint32_t stream_text_encoders);

/// Makes a copy of options, to change some of them. Memory that was given to sdxl_pipeline_options_add_file must stay until
/// the copy is freed too.
///
/// - options: which ones.
/// - out_options: a new handle; free it with sdxl_pipeline_options_free.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_pipeline_options_clone(sdxl_pipeline_options options, sdxl_pipeline_options *out_options);

/// Checks the model without reading its weights: configurations, tokenizers, and names and shapes of all tensors.
///
/// - options: of which model.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_pipeline_options_check(sdxl_pipeline_options options);

/// Checks the model as sdxl_pipeline_options_check does, and says what it is.
///
/// - options: of which model.
/// - out_info: where it goes; the caller sets its struct_size first.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_pipeline_options_get_info(sdxl_pipeline_options options, sdxl_pipeline_info *out_info);

/// Frees options. Pipelines loaded with them live on.
///
/// - options: the handle, which means nothing afterwards.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_pipeline_options_free(sdxl_pipeline_options options);

/// Reads a model. This takes as long as reading its files.
///
/// - options: which model, and how.
/// - out_pipeline: a new handle; free it with sdxl_pipeline_free.
///
/// Any thread; a long-lived one, since libtorch keeps memory for every thread that it computes on. Since 0.1.
sdxl_status sdxl_pipeline_load(sdxl_pipeline_options options, sdxl_pipeline *out_pipeline);

/// Makes another pipeline with the same weights, which are not copied: its jobs run at the same time.
///
/// - pipeline: which one.
/// - out_pipeline: a new handle; free it with sdxl_pipeline_free. The weights live as long as one of them.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_pipeline_clone(sdxl_pipeline pipeline, sdxl_pipeline *out_pipeline);

/// Says what a pipeline is.
///
/// - pipeline: which one.
/// - out_info: where it goes; the caller sets its struct_size first.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_pipeline_get_info(sdxl_pipeline pipeline, sdxl_pipeline_info *out_info);

/// Copies the path that the model was loaded from.
///
/// - pipeline: which one.
/// - buffer: where the text goes, with its NUL; NULL to ask for the size alone.
/// - capacity: bytes of the buffer.
/// - out_size: the bytes that it takes, NUL included; may be NULL where there is a buffer.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_pipeline_path(sdxl_pipeline pipeline, char *buffer, size_t capacity, size_t *out_size);

/// Copies where a pipeline computes: "cpu" or "cuda:N".
///
/// - pipeline: which one.
/// - buffer: where the text goes, with its NUL; NULL to ask for the size alone.
/// - capacity: bytes of the buffer.
/// - out_size: the bytes that it takes, NUL included; may be NULL where there is a buffer.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_pipeline_device(sdxl_pipeline pipeline, char *buffer, size_t capacity, size_t *out_size);

/// Draws the pictures of a request and waits for them: sdxl_job_start, sdxl_job_wait and sdxl_job_take_images in one.
///
/// - pipeline: with which model.
/// - request: what to draw. Later changes of it have no effect.
/// - out_images: new handles, as many as the request has pictures; free each with sdxl_image_free.
/// - capacity: how many handles out_images has room for.
/// - out_count: how many pictures there are.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_pipeline_generate(sdxl_pipeline pipeline,
                                   sdxl_request request,
                                   sdxl_image *out_images,
                                   size_t capacity,
                                   size_t *out_count);

/// Encodes the prompts of a conditioning, to use them many times.
///
/// - pipeline: with which text encoders.
/// - conditioning: what to encode.
/// - out_positive: a new handle for the prompt; free it with sdxl_embeddings_free.
/// - out_negative: a new handle for the negative prompt; free it with sdxl_embeddings_free.
///
/// Any thread; a long-lived one, since libtorch keeps memory for every thread that it computes on. Since 0.1.
sdxl_status sdxl_pipeline_encode(sdxl_pipeline pipeline,
                                 sdxl_conditioning conditioning,
                                 sdxl_embeddings *out_positive,
                                 sdxl_embeddings *out_negative);

/// Copies the ends of prompts that do not fit into 77 tokens, one in a line; in a moment, since no text is encoded. None of
/// embeddings, and none where the syntax divides prompts into chunks.
///
/// - pipeline: with which tokenizers.
/// - conditioning: whose prompts.
/// - buffer: where the text goes, with its NUL; NULL to ask for the size alone.
/// - capacity: bytes of the buffer.
/// - out_size: the bytes that it takes, NUL included; may be NULL where there is a buffer. 1 where all prompts fit.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_pipeline_copy_cut(sdxl_pipeline pipeline,
                                   sdxl_conditioning conditioning,
                                   char *buffer,
                                   size_t capacity,
                                   size_t *out_size);

/// Encodes pictures to latents, as a run begins with them: for sdxl_request_set_image_latents, to encode a picture once.
///
/// - pipeline: with which autoencoder.
/// - images: all of one size, of multiples of 8 pixels.
/// - count: how many, 1 to 1024: 1, or as many as seeds.
/// - seeds: the encoder's distribution is sampled with their first noise, as a run does. Give a request with these latents
///   sdxl_request_set_skip_draws(1) for the noise that a run with the picture itself has.
/// - seed_count: how many, 1 to 1024: so many latents are made.
/// - out_latents: a new handle; free it with sdxl_latents_free.
///
/// Any thread; a long-lived one, since libtorch keeps memory for every thread that it computes on. Since 0.1.
sdxl_status sdxl_pipeline_encode_images(sdxl_pipeline pipeline,
                                        const sdxl_image *images,
                                        size_t count,
                                        const uint64_t *seeds,
                                        size_t seed_count,
                                        sdxl_latents *out_latents);

/// Decodes latents to pictures.
///
/// - pipeline: with which autoencoder.
/// - latents: of how many pictures there are.
/// - out_images: new handles; free each with sdxl_image_free.
/// - capacity: how many handles out_images has room for.
/// - out_count: how many pictures there are.
///
/// Any thread; a long-lived one, since libtorch keeps memory for every thread that it computes on. Since 0.1.
sdxl_status sdxl_pipeline_decode(sdxl_pipeline pipeline,
                                 sdxl_latents latents,
                                 sdxl_image *out_images,
                                 size_t capacity,
                                 size_t *out_count);

/// Decodes latents to numbers that are not rounded to 8 bits: red, green and blue in about -1 to 1.
///
/// - pipeline: with which autoencoder.
/// - latents: of how many pictures there are.
/// - buffer: where the numbers go, picture by picture, channel by channel, row by row; NULL to ask for their number alone,
///   without decoding.
/// - capacity: how many numbers the buffer has room for.
/// - out_count: how many numbers there are; may be NULL where there is a buffer.
///
/// Any thread; a long-lived one, since libtorch keeps memory for every thread that it computes on. Since 0.1.
sdxl_status sdxl_pipeline_decode_values(sdxl_pipeline pipeline,
                                        sdxl_latents latents,
                                        float *buffer,
                                        size_t capacity,
                                        size_t *out_count);

/// Frees a pipeline. Its jobs go on; the weights are freed with the last of them, and the last clone.
///
/// - pipeline: the handle, which means nothing afterwards.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_pipeline_free(sdxl_pipeline pipeline);

/// Reads a LoRA. It belongs to no model: whether it fits one is found where a pipeline is given it.
///
/// - path: the .safetensors file, of diffusers, PEFT, kohya or LyCORIS.
/// - out_lora: a new handle, with a weight of 1; free it with sdxl_lora_free.
///
/// Its numbers are read at once where this process has libtorch already, and otherwise when a pipeline of this process is
/// given it: then that call finds numbers that are not finite.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_lora_open(const char *path, sdxl_lora *out_lora);

/// Makes another handle of a LoRA, to give it other weights. The tensors are shared.
///
/// - lora: which one.
/// - out_lora: a new handle; free it with sdxl_lora_free.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_lora_clone(sdxl_lora lora, sdxl_lora *out_lora);

/// Sets how strongly a LoRA acts on the UNet, and on the text encoders unless they have a weight of their own.
///
/// - lora: which one.
/// - weight: -100 to 100; 1 as it was trained, 0 is off, a negative one does the reverse. Default: 1.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_lora_set_weight(sdxl_lora lora, double weight);

/// Sets another weight for both text encoders.
///
/// - lora: which one.
/// - weight: -100 to 100. Default: that of sdxl_lora_set_weight.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_lora_set_text_encoders_weight(sdxl_lora lora, double weight);

/// Multiplies the weight in a block of the UNet. Of several blocks that a layer is in, the innermost counts.
///
/// - lora: which one.
/// - block: diffusers' name: "down_blocks.2", "mid_block", "up_blocks.0.attentions.1". One that the model does not have
///   is found where a pipeline is given the LoRA.
/// - factor: -100 to 100. Default: 1.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_lora_set_block(sdxl_lora lora, const char *block, double factor);

/// Leaves out what does not fit a model, in the place of an error; sdxl_pipeline_copy_unmatched lists it.
///
/// - lora: which one. Default: what does not fit is an error.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_lora_ignore_unmatched(sdxl_lora lora);

/// Says how strongly a LoRA acts.
///
/// - lora: which one.
/// - out_weight: on the UNet, but for blocks with a factor.
/// - out_text_encoders_weight: on both text encoders.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_lora_weights(sdxl_lora lora, double *out_weight, double *out_text_encoders_weight);

/// Copies the blocks with a factor of their own, one in a line: "down_blocks.2 0.5".
///
/// - lora: of which one.
/// - buffer: where the text goes, with its NUL; NULL to ask for the size alone.
/// - capacity: bytes of the buffer.
/// - out_size: the bytes that it takes, NUL included; may be NULL where there is a buffer. 1 where there are none.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_lora_copy_blocks(sdxl_lora lora, char *buffer, size_t capacity, size_t *out_size);

/// Copies the path that a LoRA was read from.
///
/// - lora: which one.
/// - buffer: where the text goes, with its NUL; NULL to ask for the size alone.
/// - capacity: bytes of the buffer.
/// - out_size: the bytes that it takes, NUL included; may be NULL where there is a buffer.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_lora_path(sdxl_lora lora, char *buffer, size_t capacity, size_t *out_size);

/// Copies a few words about what the file looks like, such as "a LoRA for SDXL".
///
/// - lora: which one.
/// - buffer: where the text goes, with its NUL; NULL to ask for the size alone.
/// - capacity: bytes of the buffer.
/// - out_size: the bytes that it takes, NUL included; may be NULL where there is a buffer.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_lora_copy_looks_like(sdxl_lora lora, char *buffer, size_t capacity, size_t *out_size);

/// Frees a LoRA. Pipelines that it was given to live on.
///
/// - lora: the handle, which means nothing afterwards.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_lora_free(sdxl_lora lora);

/// Reads a textual inversion. It belongs to no model: whether it fits one is found where a pipeline is given it.
///
/// - path: the safetensors file, whatever its name ends in.
/// - out_textual_inversion: a new handle, with the words of its file; free it with sdxl_textual_inversion_free.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_textual_inversion_open(const char *path, sdxl_textual_inversion *out_textual_inversion);

/// Gives it other words.
///
/// - textual_inversion: which one.
/// - words: each of 1 to 128 bytes without spaces, which is checked where a pipeline is given it. Default: those of the
///   file.
/// - count: how many: 1, which has all vectors, or as many as there are vectors.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_textual_inversion_set_words(sdxl_textual_inversion textual_inversion,
                                             const char *const *words,
                                             size_t count);

/// Copies the words, one in a line.
///
/// - textual_inversion: of which one.
/// - buffer: where the text goes, with its NUL; NULL to ask for the size alone.
/// - capacity: bytes of the buffer.
/// - out_size: the bytes that it takes, NUL included; may be NULL where there is a buffer.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_textual_inversion_copy_words(sdxl_textual_inversion textual_inversion,
                                              char *buffer,
                                              size_t capacity,
                                              size_t *out_size);

/// Copies the path that it was read from.
///
/// - textual_inversion: which one.
/// - buffer: where the text goes, with its NUL; NULL to ask for the size alone.
/// - capacity: bytes of the buffer.
/// - out_size: the bytes that it takes, NUL included; may be NULL where there is a buffer.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_textual_inversion_path(sdxl_textual_inversion textual_inversion,
                                        char *buffer,
                                        size_t capacity,
                                        size_t *out_size);

/// Frees a textual inversion. Pipelines that it was given to live on.
///
/// - textual_inversion: the handle, which means nothing afterwards.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_textual_inversion_free(sdxl_textual_inversion textual_inversion);

/// Makes a pipeline with these LoRAs in the place of those that the given one has, kept beside the weights: instant, so
/// call it again for other weights.
///
/// The given pipeline is not changed, and draws what it drew before to the last bit. Weights are shared and not copied,
/// textual inversions stay. An empty list gives a pipeline without LoRAs, but for those that were merged while the model
/// was read. Jobs of the new pipeline do not wait for those of the given one.
///
/// - pipeline: which one.
/// - loras: what is to act, with its weights as they are now; several add up. NULL where there are none.
/// - count: how many they are, at most 1024.
/// - out_pipeline: a new handle; free it with sdxl_pipeline_free.
///
/// Returns SDXL_STATUS_INVALID_LORA where one does not fit the model; the message lists every key.
///
/// Any thread; a long-lived one, since libtorch keeps memory for every thread that it computes on. Since 0.1.
sdxl_status sdxl_pipeline_with_loras(sdxl_pipeline pipeline,
                                     const sdxl_lora *loras,
                                     size_t count,
                                     sdxl_pipeline *out_pipeline);

/// Makes a pipeline with these LoRAs merged into copies of the weights that they touch, rounded to their type: steps take
/// no longer than without LoRAs. Otherwise as sdxl_pipeline_with_loras.
///
/// - pipeline: which one.
/// - loras: what is to act, with its weights as they are now; several add up. NULL where there are none.
/// - count: how many they are, at most 1024.
/// - out_pipeline: a new handle; free it with sdxl_pipeline_free.
///
/// Any thread; a long-lived one, since libtorch keeps memory for every thread that it computes on. Since 0.1.
sdxl_status sdxl_pipeline_with_merged_loras(sdxl_pipeline pipeline,
                                            const sdxl_lora *loras,
                                            size_t count,
                                            sdxl_pipeline *out_pipeline);

/// Says how many LoRAs a pipeline has, those that were merged while the model was read included.
///
/// - pipeline: which one.
/// - out_count: their number.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_pipeline_lora_count(sdxl_pipeline pipeline, size_t *out_count);

/// Gives a LoRA of a pipeline, with the weights that it has there.
///
/// - pipeline: which one.
/// - index: of which LoRA, from 0.
/// - out_lora: a new handle; free it with sdxl_lora_free. Changes of it do not change the pipeline.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_pipeline_get_lora(sdxl_pipeline pipeline, uint32_t index, sdxl_lora *out_lora);

/// Says how a pipeline has one of its LoRAs.
///
/// - pipeline: which one.
/// - index: of which LoRA, from 0.
/// - out_info: where it goes; the caller sets its struct_size first.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_pipeline_get_lora_info(sdxl_pipeline pipeline, uint32_t index, sdxl_lora_info *out_info);

/// Copies the keys of a LoRA's file that fit no layer of the model, one in a line: none but after
/// sdxl_lora_ignore_unmatched.
///
/// - pipeline: which one.
/// - index: of which LoRA, from 0.
/// - buffer: where the text goes, with its NUL; NULL to ask for the size alone.
/// - capacity: bytes of the buffer.
/// - out_size: the bytes that it takes, NUL included; may be NULL where there is a buffer. 1 where all fit.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_pipeline_copy_unmatched(sdxl_pipeline pipeline,
                                         uint32_t index,
                                         char *buffer,
                                         size_t capacity,
                                         size_t *out_size);

/// Makes a pipeline with these textual inversions in the place of those that the given one has: their words may be used in
/// prompts. The given pipeline is not changed; weights are shared and not copied, and LoRAs stay. An empty list gives a
/// pipeline without them.
///
/// - pipeline: which one.
/// - textual_inversions: with their words as they are now. NULL where there are none.
/// - count: how many they are, at most 1024.
/// - out_pipeline: a new handle; free it with sdxl_pipeline_free.
///
/// Any thread; a long-lived one, since libtorch keeps memory for every thread that it computes on. Since 0.1.
sdxl_status sdxl_pipeline_with_textual_inversions(sdxl_pipeline pipeline,
                                                  const sdxl_textual_inversion *textual_inversions,
                                                  size_t count,
                                                  sdxl_pipeline *out_pipeline);

/// Says how many textual inversions a pipeline has.
///
/// - pipeline: which one.
/// - out_count: their number.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_pipeline_textual_inversion_count(sdxl_pipeline pipeline, size_t *out_count);

/// Gives a textual inversion of a pipeline, with the words that it has there.
///
/// - pipeline: which one.
/// - index: of which textual inversion, from 0.
/// - out_textual_inversion: a new handle; free it with sdxl_textual_inversion_free. Changes of it do not change the
///   pipeline.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_pipeline_get_textual_inversion(sdxl_pipeline pipeline,
                                                uint32_t index,
                                                sdxl_textual_inversion *out_textual_inversion);

/// Makes a conditioning of a prompt.
///
/// - prompt: what the picture shows, at most 64 KiB.
/// - out_conditioning: a new handle; free it with sdxl_conditioning_free.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_conditioning_new(const char *prompt, sdxl_conditioning *out_conditioning);

/// Makes a conditioning of embeddings that sdxl_pipeline_encode or another program made.
///
/// - embeddings: those of the prompt; they are shared, and may be freed afterwards.
/// - out_conditioning: a new handle; free it with sdxl_conditioning_free.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_conditioning_from_embeddings(sdxl_embeddings embeddings, sdxl_conditioning *out_conditioning);

/// Makes a copy of a conditioning, to change some of it.
///
/// - conditioning: which one.
/// - out_conditioning: a new handle; free it with sdxl_conditioning_free.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_conditioning_clone(sdxl_conditioning conditioning, sdxl_conditioning *out_conditioning);

/// Gives the second text encoder another prompt. A refiner, which has one encoder, reads the prompt alone.
///
/// - conditioning: whose; one of prompts.
/// - prompt: the text. Default, also for "": the prompt.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_conditioning_set_prompt_2(sdxl_conditioning conditioning, const char *prompt);

/// Says what the picture is not to show; evaluated where guidance is on.
///
/// - conditioning: whose; one of prompts.
/// - prompt: the text. Default: absent, which is not the same as "": SDXL base takes zeros for an absent negative
///   prompt, and encodes an empty one.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_conditioning_set_negative_prompt(sdxl_conditioning conditioning, const char *prompt);

/// Gives the second text encoder another negative prompt.
///
/// - conditioning: whose; one of prompts.
/// - prompt: the text. Default, also for "": the negative prompt.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_conditioning_set_negative_prompt_2(sdxl_conditioning conditioning, const char *prompt);

/// Chooses how all prompts are read.
///
/// - conditioning: whose; one of prompts.
/// - syntax: "plain" (brackets are characters, 75 tokens), "a1111" (`(word:1.3)`, `[word]`, BREAK, any length) or
///   "a1111_no_norm". Default: "plain".
///
/// Any thread. Since 0.1.
sdxl_status sdxl_conditioning_set_prompt_syntax(sdxl_conditioning conditioning, const char *syntax);

/// Gives the embeddings of the negative prompt.
///
/// - conditioning: whose; one of embeddings.
/// - embeddings: they are shared, and may be freed afterwards. Default: zeros, or those of "" where the model
///   asks for them.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_conditioning_set_negative_embeddings(sdxl_conditioning conditioning, sdxl_embeddings embeddings);

/// Takes the prompt's hidden states from lower layers of the text encoders. The negative prompt is always taken
/// from the usual layer.
///
/// - conditioning: whose; one of prompts.
/// - layers: how many below the usual one, which is the last but one. Default: 0.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_conditioning_set_clip_skip(sdxl_conditioning conditioning, uint32_t layers);

/// Tells the UNet the size of the original picture. Small ones give the look of small pictures scaled up.
///
/// - conditioning: whose.
/// - width: 1 to 16384 pixels. Default: that of the picture drawn.
/// - height: 1 to 16384 pixels. Default: that of the picture drawn.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_conditioning_set_original_size(sdxl_conditioning conditioning, uint32_t width, uint32_t height);

/// Tells the UNet what was cut off the original picture.
///
/// - conditioning: whose.
/// - left: 0 to 16384 pixels. Default: 0.
/// - top: 0 to 16384 pixels. Default: 0.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_conditioning_set_crop(sdxl_conditioning conditioning, uint32_t left, uint32_t top);

/// Tells the UNet the target size.
///
/// - conditioning: whose.
/// - width: 1 to 16384 pixels. Default: that of the picture drawn.
/// - height: 1 to 16384 pixels. Default: that of the picture drawn.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_conditioning_set_target_size(sdxl_conditioning conditioning, uint32_t width, uint32_t height);

/// Tells the UNet the size of the original picture for the negative prompt.
///
/// - conditioning: whose.
/// - width: 1 to 16384 pixels. Default: that for the prompt.
/// - height: 1 to 16384 pixels. Default: that for the prompt.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_conditioning_set_negative_original_size(sdxl_conditioning conditioning, uint32_t width, uint32_t height);

/// Tells the UNet what was cut off the original picture for the negative prompt.
///
/// - conditioning: whose.
/// - left: 0 to 16384 pixels. Default: that for the prompt.
/// - top: 0 to 16384 pixels. Default: that for the prompt.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_conditioning_set_negative_crop(sdxl_conditioning conditioning, uint32_t left, uint32_t top);

/// Tells the UNet the target size for the negative prompt.
///
/// - conditioning: whose.
/// - width: 1 to 16384 pixels. Default: that for the prompt.
/// - height: 1 to 16384 pixels. Default: that for the prompt.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_conditioning_set_negative_target_size(sdxl_conditioning conditioning, uint32_t width, uint32_t height);

/// Sets the refiner's aesthetic score for the prompt.
///
/// - conditioning: whose.
/// - score: 0 to 10. Default: 6.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_conditioning_set_aesthetic_score(sdxl_conditioning conditioning, double score);

/// Sets the refiner's aesthetic score for the negative prompt.
///
/// - conditioning: whose.
/// - score: 0 to 10. Default: 2.5.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_conditioning_set_negative_aesthetic_score(sdxl_conditioning conditioning, double score);

/// Frees a conditioning. Requests made with it live on.
///
/// - conditioning: the handle, which means nothing afterwards.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_conditioning_free(sdxl_conditioning conditioning);

/// Makes a scheduler for a model with Stable Diffusion XL's own settings.
///
/// - name: euler, euler_a, heun, dpm2, dpm2_a, dpmpp_2m, dpmpp_2m_sde, dpmpp_3m_sde, dpmpp_sde, dpmpp_2s_a, lms,
///   ddim, ddpm, pndm, unipc, deis, lcm, tcd, edm_euler or edm_dpmpp_2m.
/// - out_scheduler: a new handle; free it with sdxl_scheduler_free.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_scheduler_new(const char *name, sdxl_scheduler *out_scheduler);

/// Makes the scheduler that a distilled or fine-tuned model, or an adapter, was made for. The guide to the schedulers
/// (docs/schedulers.md) has the steps and guidance that go with each.
///
/// - name: dpmpp_2m_karras, dpmpp_2m_sde_karras, turbo, lightning, lightning_one_step, lcm, dmd2, hyper, hyper_unified,
///   hyper_one_step, tcd, v_prediction_zero_snr, playground_v2_5 or cosxl.
/// - out_scheduler: a new handle; free it with sdxl_scheduler_free.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_scheduler_new_preset(const char *name, sdxl_scheduler *out_scheduler);

/// Makes a copy of the scheduler that came with a model, to change some of it.
///
/// - pipeline: of which model.
/// - out_scheduler: a new handle; free it with sdxl_scheduler_free.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_scheduler_from_pipeline(sdxl_pipeline pipeline, sdxl_scheduler *out_scheduler);

/// Makes the scheduler of a diffusers scheduler_config.json: the way to every option of a solver.
///
/// - json: the text of the file, not its path.
/// - out_scheduler: a new handle; free it with sdxl_scheduler_free.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_scheduler_from_config(const char *json, sdxl_scheduler *out_scheduler);

/// Reads the scheduler of a diffusers scheduler_config.json.
///
/// - path: the file.
/// - out_scheduler: a new handle; free it with sdxl_scheduler_free.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_scheduler_open(const char *path, sdxl_scheduler *out_scheduler);

/// Makes a copy of a scheduler, to change some of it.
///
/// - scheduler: which one.
/// - out_scheduler: a new handle; free it with sdxl_scheduler_free.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_scheduler_clone(sdxl_scheduler scheduler, sdxl_scheduler *out_scheduler);

/// Takes another sampler for the same model. The settings of the checkpoint hold; others are its own defaults.
///
/// - scheduler: whose.
/// - name: one of those that sdxl_scheduler_new lists.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_scheduler_set_name(sdxl_scheduler scheduler, const char *name);

/// Chooses the timesteps or noise levels by name.
///
/// - scheduler: whose.
/// - name: leading, trailing, linspace, karras, exponential, beta, ays or sgm_uniform. Default: the checkpoint's.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_scheduler_set_spacing(sdxl_scheduler scheduler, const char *name);

/// Says what the UNet predicts.
///
/// - scheduler: whose.
/// - name: epsilon, v, sample or edm. Default: the checkpoint's.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_scheduler_set_prediction(sdxl_scheduler scheduler, const char *name);

/// Sets the share of fresh noise in each step of ddim and tcd.
///
/// - scheduler: whose.
/// - eta: 0 to 1; 0 for all other samplers. Default: 0.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_scheduler_set_eta(sdxl_scheduler scheduler, double eta);

/// Visits these timesteps.
///
/// - scheduler: whose.
/// - timesteps: numbers below 1000, each less than the one before it.
/// - count: how many, the steps of the request: 1 to 1001. Default: the checkpoint's spacing.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_scheduler_set_timesteps(sdxl_scheduler scheduler, const double *timesteps, size_t count);

/// Visits these noise levels.
///
/// - scheduler: whose.
/// - sigmas: each less than the one before it; the last one is where the run ends, and may be 0.
/// - count: how many, one more than the steps of the request: 2 to 1001. Default: the checkpoint's spacing.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_scheduler_set_sigmas(sdxl_scheduler scheduler, const double *sigmas, size_t count);

/// Visits multiples of 1000/steps from below.
///
/// - scheduler: whose.
/// - offset: by which they are moved up. Default: that of the checkpoint, 1 for Stable Diffusion XL.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_scheduler_set_leading(sdxl_scheduler scheduler, uint32_t offset);

/// Visits what lcm and tcd were distilled on.
///
/// - scheduler: whose.
/// - original_steps: 1 to 1000, the most steps that a run can have. Default, for lcm and tcd: 50.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_scheduler_set_distilled(sdxl_scheduler scheduler, uint32_t original_steps);

/// Spreads the noise levels evenly in sigma^(1/rho).
///
/// - scheduler: whose.
/// - rho: above 0; 7 in the paper, and for the spacing "karras".
///
/// Any thread. Since 0.1.
sdxl_status sdxl_scheduler_set_karras(sdxl_scheduler scheduler, double rho);

/// Spreads the noise levels as quantiles of a beta distribution.
///
/// - scheduler: whose.
/// - alpha: above 0; 0.6 in the paper, and for the spacing "beta".
/// - beta: above 0; 0.6 in the paper, and for the spacing "beta".
///
/// Any thread. Since 0.1.
sdxl_status sdxl_scheduler_set_beta(sdxl_scheduler scheduler, double alpha, double beta);

/// Sets the ends of karras, exponential or beta levels, which have to be chosen before.
///
/// - scheduler: whose.
/// - sigma_min: the lowest level, above 0. Default: that of the spacing or of the training.
/// - sigma_max: the highest level, above 0. Default: that of the spacing or of the training.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_scheduler_set_sigma_range(sdxl_scheduler scheduler, double sigma_min, double sigma_max);

/// Chooses the noise level that a run ends at.
///
/// - scheduler: whose.
/// - name: "zero" or "sigma_min", the lowest level of the training. Default: zero; samplers that cannot reach it, the
///   other.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_scheduler_set_terminal(sdxl_scheduler scheduler, const char *name);

/// Chooses what becomes of fractional timesteps before the UNet is told them.
///
/// - scheduler: whose.
/// - name: "reference" (as diffusers' class does), "exact", "nearest" or "down". Default: "reference".
///
/// Any thread. Since 0.1.
sdxl_status sdxl_scheduler_set_rounding(sdxl_scheduler scheduler, const char *name);

/// Chooses how the noise level between two training timesteps is found.
///
/// - scheduler: whose.
/// - name: "linear" (in sigma) or "log_linear". Default: "linear".
///
/// Any thread. Since 0.1.
sdxl_status sdxl_scheduler_set_interpolation(sdxl_scheduler scheduler, const char *name);

/// Chooses how strong the noise is that a run from nothing starts with.
///
/// - scheduler: whose.
/// - name: "sigma" (as if the data were zero) or "with_data" (as if they had unit variance). Default: as in diffusers,
///   "sigma" for the k-diffusion family with trailing or linspace spacing.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_scheduler_set_initial_noise(sdxl_scheduler scheduler, const char *name);

/// Keeps denoised samples between -range and range. Latents need no such thing.
///
/// - scheduler: whose.
/// - range: above 0. Default: unlimited.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_scheduler_set_clip(sdxl_scheduler scheduler, double range);

/// Keeps denoised samples below a quantile of their size (Imagen's dynamic thresholding). Latents need no such thing.
///
/// - scheduler: whose.
/// - ratio: the quantile, 0 to 1; diffusers: 0.995.
/// - max: the most that the limit may be, above 0; diffusers: 1.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_scheduler_set_dynamic_clip(sdxl_scheduler scheduler, double ratio, double max);

/// Copies the scheduler_config.json that the scheduler stands for.
///
/// - scheduler: whose.
/// - buffer: where the text goes, with its NUL; NULL to ask for the size alone.
/// - capacity: bytes of the buffer.
/// - out_size: the bytes that it takes, NUL included; may be NULL where there is a buffer.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_scheduler_copy_config(sdxl_scheduler scheduler, char *buffer, size_t capacity, size_t *out_size);

/// Frees a scheduler. Requests that it was given to live on.
///
/// - scheduler: the handle, which means nothing afterwards.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_scheduler_free(sdxl_scheduler scheduler);

/// Copies the noise levels that a whole run visits: standard deviations, downwards, the one that it ends at included.
///
/// - scheduler: whose.
/// - steps: 1 to 1000.
/// - buffer: where the numbers go; NULL to ask for their number alone.
/// - capacity: how many numbers the buffer has room for.
/// - out_count: how many numbers there are; may be NULL where there is a buffer.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_scheduler_copy_sigmas(sdxl_scheduler scheduler,
                                       uint32_t steps,
                                       double *buffer,
                                       size_t capacity,
                                       size_t *out_count);

/// Copies the timesteps that the UNet is told for the noise levels of sdxl_scheduler_copy_sigmas.
///
/// - scheduler: whose.
/// - steps: 1 to 1000.
/// - buffer: where the numbers go; NULL to ask for their number alone.
/// - capacity: how many numbers the buffer has room for.
/// - out_count: how many numbers there are; may be NULL where there is a buffer.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_scheduler_copy_timesteps(sdxl_scheduler scheduler,
                                          uint32_t steps,
                                          double *buffer,
                                          size_t capacity,
                                          size_t *out_count);

/// Makes a request: 50 steps, guidance 5, seed 0, one picture of the model's own size.
///
/// - conditioning: what the pictures show. Later changes of it have no effect.
/// - out_request: a new handle; free it with sdxl_request_free.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_request_new(sdxl_conditioning conditioning, sdxl_request *out_request);

/// Makes a copy of a request, to change some of it: the way to have one with a setting and one without.
///
/// - request: which one.
/// - out_request: a new handle; free it with sdxl_request_free.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_request_clone(sdxl_request request, sdxl_request *out_request);

/// Says what holds in a request, defaults included.
///
/// - request: which one.
/// - out_info: where it goes; the caller sets its struct_size first.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_request_get_info(sdxl_request request, sdxl_request_info *out_info);

/// Copies the seed of each picture.
///
/// - request: of which one.
/// - buffer: where the numbers go; NULL to ask for their number alone.
/// - capacity: how many numbers the buffer has room for.
/// - out_count: how many numbers there are; may be NULL where there is a buffer.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_request_copy_seeds(sdxl_request request, uint64_t *buffer, size_t capacity, size_t *out_count);

/// Sets the size of the pictures.
///
/// - request: whose.
/// - width: 8 to 8192 pixels, a multiple of 8. Default: the model's own, 1024 for SDXL.
/// - height: 8 to 8192 pixels, a multiple of 8. Default: the model's own, 1024 for SDXL.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_request_set_size(sdxl_request request, uint32_t width, uint32_t height);

/// Sets the width of the pictures alone; the height stays what it is.
///
/// - request: whose.
/// - width: 8 to 8192 pixels, a multiple of 8. Default: the model's own, 1024 for SDXL.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_request_set_width(sdxl_request request, uint32_t width);

/// Sets the height of the pictures alone; the width stays what it is.
///
/// - request: whose.
/// - height: 8 to 8192 pixels, a multiple of 8. Default: the model's own, 1024 for SDXL.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_request_set_height(sdxl_request request, uint32_t height);

/// Sets the steps of the sampler.
///
/// - request: whose.
/// - steps: 1 to 1000. Default: 50.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_request_set_steps(sdxl_request request, uint32_t steps);

/// Sets the scale of guidance: how strongly the pictures follow the prompt and avoid the negative prompt.
///
/// - request: whose.
/// - scale: 0 to 1000; 1 or less is off, which distilled models want and which takes half the time. Default: 5.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_request_set_guidance(sdxl_request request, double scale);

/// Pulls guidance back to the standard deviation of the prediction for the prompt.
///
/// - request: whose.
/// - fraction: by how much, 0 to 1. Default: 0; 0.7 for models trained with zero terminal SNR.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_request_set_guidance_rescale(sdxl_request request, double fraction);

/// Guides only at some noise levels, and saves the evaluation of the negative prompt elsewhere.
///
/// - request: whose.
/// - lowest: the lowest noise level (sigma), not negative. Default: 0.
/// - highest: the highest one. Default: infinity.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_request_set_guidance_interval(sdxl_request request, double lowest, double highest);

/// Guides away from what the UNet predicts where some of its self-attentions look at nothing but their own pixel
/// (perturbed-attention guidance, arXiv 2403.17377), beside the negative prompt or without one, for one evaluation of the
/// UNet more in each step.
///
/// - request: whose.
/// - scale: 0 to 1000; 0 is off. Default: off; 3 is usual.
/// - adaptive_scale: what is taken off the scale for each timestep below 1000, 0 to 1000; 0 for one scale everywhere.
/// - layers: in which self-attentions: parts of their names, such as "mid", "down_blocks.2" or
///   "up_blocks.0.attentions.1", which the model has to have. NULL for "mid".
/// - count: how many parts, at most 1024; 0 with NULL.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_request_set_perturbed_attention(sdxl_request request,
                                                 double scale,
                                                 double adaptive_scale,
                                                 const char *const *layers,
                                                 size_t count);

/// Changes the UNet's way up (FreeU, arXiv 2309.11497): more of its own, less of the skip connections, at no cost.
///
/// - request: whose.
/// - s1: factor of the skip connections' lowest frequencies in the first level, above 0 to 100. Default: not applied; its
///   authors advise 0.9 for SDXL.
/// - s2: the same in the second level; 0.2.
/// - b1: factor of the first half of the channels in the first level, above 0 to 100; 1.3.
/// - b2: the same in the second level; 1.4.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_request_set_freeu(sdxl_request request, double s1, double s2, double b1, double b2);

/// Evaluates the deep levels of the UNet only once in so many times, and reuses what they gave (DeepCache, arXiv
/// 2312.00858): faster, and the pictures change, the more the higher.
///
/// - request: whose.
/// - every: 1 to 100; 2 or 3 are usual, and 20 steps or more. Default: 1, every time.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_request_set_deep_cache(sdxl_request request, uint32_t every);

/// Draws the pictures once more, larger and beginning with the first ones (hires fix): the composition is that of the
/// model's own size, the details are those of the large one.
///
/// - request: whose; one that begins with noise and goes to the end.
/// - scale: so many times as wide and as high, above 1 to 8, rounded down to multiples of 8. Default: not once more.
/// - strength: how much of the first pictures is changed, above 0 to 1; 0.7 is usual.
/// - upscaler: how they become larger: "latent" (at once, and blurred: for strengths of 0.5 and more) or "pixel" (decoded,
///   Lanczos, encoded again: sharper).
/// - steps: of the second schedule, of which the strength takes a part: 1 to 1000; 0 for as many as in the first.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_request_set_hires(sdxl_request request,
                                   double scale,
                                   double strength,
                                   const char *upscaler,
                                   uint32_t steps);

/// Starts from noise on the way from the seed's to that of another seed, along a sphere: a variation of the seed's picture.
/// All pictures of a batch then have one seed, and the other seed counts up.
///
/// - request: whose.
/// - seed: the other one.
/// - strength: 0 to 1: 0 is the seed's own picture, 1 the other's. Default: 0.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_request_set_variation(sdxl_request request, uint64_t seed, double strength);

/// Sets the seed of the first picture; each further picture of the batch has the next number.
///
/// - request: whose.
/// - seed: any number. Default: 0.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_request_set_seed(sdxl_request request, uint64_t seed);

/// Sets the seed of each picture, and so the number of pictures.
///
/// - request: whose.
/// - seeds: the numbers.
/// - count: how many, 1 to 1024. With a number of pictures that was set before, exactly that.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_request_set_seeds(sdxl_request request, const uint64_t *seeds, size_t count);

/// Sets the number of pictures.
///
/// - request: whose.
/// - batch: 1 to 1024. Default: 1.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_request_set_batch(sdxl_request request, uint32_t batch);

/// Samples in another way than the model's own.
///
/// - request: whose.
/// - scheduler: which one. Later changes of it have no effect. Default: the checkpoint's.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_request_set_scheduler(sdxl_request request, sdxl_scheduler scheduler);

/// Marks the pictures with the invisible watermark of the reference pipeline, which the Python package invisible-watermark
/// reads. What an overlay puts back of the original picture carries none, and neither do previews, nor pictures narrower
/// than 256 pixels or of fewer than 256 x 256.
///
/// - request: whose.
/// - watermark: 1 for yes, 0 for no. Default: 0.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_request_set_watermark(sdxl_request request, uint32_t watermark);

/// Stops at a fraction of the schedule. The latents are then noisy, for another run to go on with; pictures are
/// not made of them.
///
/// - request: whose.
/// - fraction: above 0 to 1. Default: 1, the end.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_request_set_end_at(sdxl_request request, double fraction);

/// Chooses what a job makes.
///
/// - request: whose.
/// - name: "images" or "latents", without decoding them. Default: "images", and the latents are there too.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_request_set_output(sdxl_request request, const char *name);

/// Frees a request. Jobs started with it go on.
///
/// - request: the handle, which means nothing afterwards.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_request_free(sdxl_request request);

/// Starts from this noise instead of noise drawn from the seeds. It decides the size and the number of pictures.
///
/// - request: whose.
/// - noise: of unit variance. Default: drawn from the seeds.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_request_set_initial_noise(sdxl_request request, sdxl_latents noise);

/// Begins with a picture instead of noise (image to image).
///
/// - request: whose.
/// - image: the picture. Its size, rounded down to multiples of 8, is that of the pictures drawn unless a size is
///   set: then it is resized. Default: none.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_request_set_image(sdxl_request request, sdxl_image image);

/// Begins with several pictures, one for each seed. Without seeds or a batch there are as many as pictures.
///
/// - request: whose.
/// - images: the pictures. The first one's size, rounded down to multiples of 8, is that of the pictures drawn unless a
///   size is set; all are resized to it. Default: none.
/// - count: how many, 1 to 1024: 1, or as many as seeds.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_request_set_images(sdxl_request request, const sdxl_image *images, size_t count);

/// Begins with the latents of a picture instead of noise.
///
/// - request: whose.
/// - latents: one picture, or as many as seeds. Default: none.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_request_set_image_latents(sdxl_request request, sdxl_latents latents);

/// Repaints a part of a picture (inpainting).
///
/// - request: whose.
/// - image: the picture. Default: none.
/// - mask: a picture of the same size: what is lighter than half is repainted, the rest is kept.
/// - blur: softens the mask by that standard deviation in pixels, 0 to 1000; 0 is off.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_request_set_inpaint(sdxl_request request, sdxl_image image, sdxl_image mask, double blur);

/// Repaints a part of several pictures, one for each seed. Without seeds or a batch there are as many as pictures.
///
/// - request: whose.
/// - images: the pictures. Default: none.
/// - masks: for each picture one of the same size: what is lighter than half is repainted, the rest is kept.
/// - count: how many there are of both, 1 to 1024: 1, or as many as seeds.
/// - blur: softens the masks by that standard deviation in pixels, 0 to 1000; 0 is off.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_request_set_inpaint_each(sdxl_request request,
                                          const sdxl_image *images,
                                          const sdxl_image *masks,
                                          size_t count,
                                          double blur);

/// Paints more canvas around a picture, whose pixels are kept byte for byte.
///
/// - request: whose.
/// - image: the picture. Default: none.
/// - left: pixels to add on the left. With them both sides of the canvas are multiples of 8, 8 to 8192 pixels; a size that
///   is set must be the canvas's.
/// - top: pixels to add above.
/// - right: pixels to add on the right.
/// - bottom: pixels to add below. Of the four, one is not 0.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_request_set_outpaint(sdxl_request request,
                                      sdxl_image image,
                                      uint32_t left,
                                      uint32_t top,
                                      uint32_t right,
                                      uint32_t bottom);

/// Says whether inpainting puts the picture's own pixels back where the mask is black, byte for byte, and fades with a
/// soft mask. Otherwise they go through the autoencoder, which changes them a little. The picture is set before it.
///
/// - request: whose; one that inpaints.
/// - overlay: 1 for yes, 0 for no. Default: 1 with sdxl_request_set_padding_mask_crop and sdxl_request_set_outpaint,
///   otherwise 0.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_request_set_overlay(sdxl_request request, uint32_t overlay);

/// Redraws only the surroundings of the mask, enlarged to the size asked for, and puts the result into the picture again.
/// The picture is set before it.
///
/// - request: whose; one that inpaints, with a mask that is not all black.
/// - padding: so many pixels around what is not black in the mask, and more for the shape of the size. Default: the whole
///   picture is redrawn.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_request_set_padding_mask_crop(sdxl_request request, uint32_t padding);

/// Sets how much of the picture is changed: that fraction of the steps is taken. The picture is set before it.
///
/// - request: whose; with a picture to begin with.
/// - strength: above 0 to 1. Default: 0.3; with a mask 0.9999.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_request_set_strength(sdxl_request request, double strength);

/// Goes on with latents that another run left: the second stage of base and refiner.
///
/// - request: whose.
/// - latents: those of sdxl_job_latents. Default: none.
/// - at: the fraction of the schedule at which that run ended, 0 to below 1.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_request_set_resume(sdxl_request request, sdxl_latents latents, double at);

/// Passes over the first noise that the seeds give: what the first stage of an ensemble drew, so that the second one does
/// not draw the same again.
///
/// - request: whose.
/// - count: sdxl_job_draws of the first stage, 0 to 10000. Default: 0.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_request_set_skip_draws(sdxl_request request, uint32_t count);

/// Starts a request on the pipeline's own thread and returns at once. Jobs of one pipeline run one after the other.
/// What does not fit the model is an error of the job.
///
/// - pipeline: with which model. It may be freed before the job has ended.
/// - request: what to draw. Later changes of it have no effect, and it may be freed.
/// - callback: called before the first and after every step; NULL for none.
/// - user_data: what the callback gets; must be valid until the job has ended or is freed.
/// - out_job: a new handle; free it with sdxl_job_free.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_job_start(sdxl_pipeline pipeline,
                           sdxl_request request,
                           sdxl_progress_callback callback,
                           void *user_data,
                           sdxl_job *out_job);

/// Says where a job stands. Never waits for its work.
///
/// - job: which one.
/// - out_progress: where it goes; the caller sets its struct_size first.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_job_poll(sdxl_job job, sdxl_progress *out_progress);

/// Waits until a job has ended.
///
/// - job: which one.
/// - milliseconds: at most that long; negative for as long as it takes, 0 to ask.
///
/// Returns SDXL_STATUS_OK where it has finished, SDXL_STATUS_UNFINISHED where the time was too short,
/// SDXL_STATUS_CANCELLED, or what the job met; the message then says it. Its callback is not called afterwards,
/// unless the job is unfinished.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_job_wait(sdxl_job job, int64_t milliseconds);

/// Ends a job within one layer, which takes seconds at most, or at once if it still waits for its turn, and returns
/// without waiting for that. The pipeline is as it was before. Without effect on a job that has ended.
///
/// - job: which one.
///
/// Any thread, at any time, any number of times. Since 0.1.
sdxl_status sdxl_job_cancel(sdxl_job job);

/// Makes a small picture of what the UNet takes the picture for after the last step, one pixel for each of the latents',
/// in about a millisecond.
///
/// - job: which one; under way.
/// - index: of which picture, from 0.
/// - out_image: a new handle; free it with sdxl_image_free.
///
/// Returns SDXL_STATUS_UNFINISHED before the first step and after the end, when there is none.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_job_preview(sdxl_job job, uint32_t index, sdxl_image *out_image);

/// Gives what the UNet takes the pictures for after the last step, as latents without noise: sdxl_pipeline_decode makes a
/// preview of full size of them, sdxl_latents_preview a small one.
///
/// - job: which one; under way.
/// - out_latents: a new handle; free it with sdxl_latents_free.
///
/// Returns SDXL_STATUS_UNFINISHED before the first step and after the end, when there are none.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_job_denoised(sdxl_job job, sdxl_latents *out_latents);

/// Says how large the pictures will be.
///
/// - job: which one.
/// - out_width: pixels from left to right.
/// - out_height: pixels from top to bottom.
///
/// Returns SDXL_STATUS_UNFINISHED until the prompts are encoded.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_job_size(sdxl_job job, uint32_t *out_width, uint32_t *out_height);

/// Says how many tensors of noise each seed has given so far, for sdxl_request_set_skip_draws of a second stage.
///
/// - job: which one.
/// - out_count: their number; 0 until the prompts are encoded.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_job_draws(sdxl_job job, size_t *out_count);

/// Says how many pictures can be taken.
///
/// - job: which one.
/// - out_count: 0 before the end.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_job_image_count(sdxl_job job, size_t *out_count);

/// Takes the pictures of a job that has finished, all at once; they are given once.
///
/// - job: which one.
/// - out_images: new handles; free each with sdxl_image_free.
/// - capacity: how many handles out_images has room for.
/// - out_count: how many pictures there are.
///
/// Returns what sdxl_job_wait returns where there are none yet, or never will be.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_job_take_images(sdxl_job job, sdxl_image *out_images, size_t capacity, size_t *out_count);

/// Gives the latents of a job that has finished: those of its pictures, or what it left at the end of its part of the
/// schedule.
///
/// - job: which one.
/// - out_latents: a new handle; free it with sdxl_latents_free.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_job_latents(sdxl_job job, sdxl_latents *out_latents);

/// Copies the ends of prompts that did not fit into 77 tokens, one in a line.
///
/// - job: which one, as soon as it takes its steps.
/// - buffer: where the text goes, with its NUL; NULL to ask for the size alone.
/// - capacity: bytes of the buffer.
/// - out_size: the bytes that it takes, NUL included; may be NULL where there is a buffer. 1 where all prompts fit.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_job_copy_cut(sdxl_job job, char *buffer, size_t capacity, size_t *out_size);

/// Frees a job; one that is under way is cancelled. When this returns, its callback has returned and is not called any
/// more. Called by the callback itself, that call is the last one.
///
/// - job: the handle, which means nothing afterwards.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_job_free(sdxl_job job);

/// Makes a picture of pixels, which are copied.
///
/// - width: 1 to 16384 pixels.
/// - height: 1 to 16384 pixels.
/// - layout: how the pixels lie; NULL for RGB8 from top to bottom without gaps.
/// - pixels: the pixels.
/// - size: bytes of the pixels; the last row needs no gap behind it.
/// - out_image: a new handle; free it with sdxl_image_free.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_image_new(uint32_t width,
                           uint32_t height,
                           const sdxl_pixel_layout *layout,
                           const uint8_t *pixels,
                           size_t size,
                           sdxl_image *out_image);

/// Reads a PNG, JPEG or WebP file; an alpha channel is dropped.
///
/// - path: the file.
/// - out_image: a new handle; free it with sdxl_image_free.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_image_open(const char *path, sdxl_image *out_image);

/// Says how large a picture is.
///
/// - image: which one.
/// - out_width: pixels from left to right.
/// - out_height: pixels from top to bottom.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_image_size(sdxl_image image, uint32_t *out_width, uint32_t *out_height);

/// Writes the pixels into the caller's memory, such as that of a texture; gaps between rows are left alone.
///
/// - image: which one.
/// - layout: how the pixels are to lie; NULL for RGB8 from top to bottom without gaps.
/// - pixels: where they go.
/// - size: bytes of that memory. Without gaps, width x height x bytes of a pixel are needed.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_image_copy_pixels(sdxl_image image, const sdxl_pixel_layout *layout, uint8_t *pixels, size_t size);

/// Copies the text that a picture carries under a keyword.
///
/// - image: which one.
/// - keyword: "parameters" for the line that other programs read, "sdxl" for JSON with every setting, "XML:com.adobe.xmp"
///   for the XMP packet that says that a model made it.
/// - buffer: where the text goes, with its NUL; NULL to ask for the size alone.
/// - capacity: bytes of the buffer.
/// - out_size: the bytes that it takes, NUL included; may be NULL where there is a buffer. 1 for a text that is not
///   there.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_image_copy_text(sdxl_image image, const char *keyword, char *buffer, size_t capacity, size_t *out_size);

/// Saves a PNG file that carries the texts, in full or not at all.
///
/// - image: which one.
/// - path: the file; one that is there is replaced.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_image_save_png(sdxl_image image, const char *path);

/// Makes a PNG file in the caller's memory.
///
/// - image: which one.
/// - buffer: where the bytes go; NULL to ask for the size alone.
/// - capacity: bytes of the buffer.
/// - out_size: the bytes that it takes; may be NULL where there is a buffer.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_image_encode_png(sdxl_image image, uint8_t *buffer, size_t capacity, size_t *out_size);

/// Frees a picture. Requests made with it live on.
///
/// - image: the handle, which means nothing afterwards.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_image_free(sdxl_image image);

/// Reads the size of a PNG, JPEG or WebP file from its header.
///
/// - path: the file.
/// - out_width: pixels from left to right of the picture that sdxl_image_open makes.
/// - out_height: pixels from top to bottom.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_image_file_size(const char *path, uint32_t *out_width, uint32_t *out_height);

/// Makes the picture of another size, byte for byte as Pillow's Lanczos filter. Texts are left behind.
///
/// - image: which one.
/// - width: 1 to 16384 pixels.
/// - height: 1 to 16384 pixels.
/// - out_image: a new handle; free it with sdxl_image_free.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_image_resize(sdxl_image image, uint32_t width, uint32_t height, sdxl_image *out_image);

/// Cuts a part out of a picture. Texts are left behind.
///
/// - image: which one.
/// - left: the first column, less than right.
/// - top: the first row, less than bottom.
/// - right: behind the last column, at most the width.
/// - bottom: behind the last row, at most the height.
/// - out_image: a new handle; free it with sdxl_image_free.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_image_crop(sdxl_image image,
                            uint32_t left,
                            uint32_t top,
                            uint32_t right,
                            uint32_t bottom,
                            sdxl_image *out_image);

/// Makes the mask of a picture with soft edges: its luminance, blurred byte for byte as Pillow blurs.
///
/// - mask: which picture.
/// - deviation: the standard deviation in pixels, above 0 to 1000.
/// - out_image: a new handle, of a grey picture; free it with sdxl_image_free.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_image_blur_mask(sdxl_image mask, double deviation, sdxl_image *out_image);

/// Says which part of a picture sdxl_request_set_padding_mask_crop redraws.
///
/// - mask: a picture that is not all black.
/// - width: that of the pictures drawn, 1 to 16384: the part has their shape.
/// - height: that of the pictures drawn, 1 to 16384.
/// - padding: so many pixels around what is not black.
/// - out_rectangle: four numbers, as sdxl_image_crop takes them: left, top, right, bottom.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_image_mask_region(sdxl_image mask,
                                   uint32_t width,
                                   uint32_t height,
                                   uint32_t padding,
                                   uint32_t *out_rectangle);

/// Puts a picture on a larger canvas, whose new area has the colours of the nearest edge, softened; and makes the mask of
/// what is new. sdxl_request_set_outpaint does so by itself.
///
/// - image: which one.
/// - left: pixels to add on the left; sides are at most 16384 pixels long.
/// - top: pixels to add above.
/// - right: pixels to add on the right.
/// - bottom: pixels to add below. Of the four, one is not 0.
/// - out_image: a new handle of the canvas; free it with sdxl_image_free.
/// - out_mask: a new handle of the mask, white where the canvas is new; free it with sdxl_image_free.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_image_outpaint(sdxl_image image,
                                uint32_t left,
                                uint32_t top,
                                uint32_t right,
                                uint32_t bottom,
                                sdxl_image *out_image,
                                sdxl_image *out_mask);

/// Makes the same picture with a text more, which its PNG file then carries.
///
/// - image: which one.
/// - keyword: 1 to 79 Latin-1 characters; what a file cannot carry is found where one is made.
/// - content: the text.
/// - out_image: a new handle; free it with sdxl_image_free.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_image_add_text(sdxl_image image, const char *keyword, const char *content, sdxl_image *out_image);

/// Copies the keywords of the texts that a picture carries, one in a line.
///
/// - image: which one.
/// - buffer: where the text goes, with its NUL; NULL to ask for the size alone.
/// - capacity: bytes of the buffer.
/// - out_size: the bytes that it takes, NUL included; may be NULL where there is a buffer. 1 where there are none.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_image_copy_keywords(sdxl_image image, char *buffer, size_t capacity, size_t *out_size);

/// Makes latents of numbers, which are copied.
///
/// - values: the numbers, picture by picture, channel by channel, row by row.
/// - count: how many they are.
/// - shape: four numbers: pictures, channels, height and width of the latents. Their product is the count.
/// - out_latents: a new handle; free it with sdxl_latents_free.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_latents_new(const float *values, size_t count, const uint32_t *shape, sdxl_latents *out_latents);

/// Makes the noise that seeds give: what requests of these seeds start with, of unit variance.
///
/// - seeds: one for each picture.
/// - count: how many, 1 to 1024.
/// - channels: 1 to 64; 4 for SDXL.
/// - height: 1 to 1024: an eighth of the pictures'.
/// - width: 1 to 1024: an eighth of the pictures'.
/// - skip_draws: passes over so many such tensors, 0 to 10000.
/// - out_latents: a new handle; free it with sdxl_latents_free.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_latents_new_noise(const uint64_t *seeds,
                                   size_t count,
                                   uint32_t channels,
                                   uint32_t height,
                                   uint32_t width,
                                   uint32_t skip_draws,
                                   sdxl_latents *out_latents);

/// Reads the tensor "latents" of a safetensors file.
///
/// - path: the file.
/// - out_latents: a new handle; free it with sdxl_latents_free.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_latents_open(const char *path, sdxl_latents *out_latents);

/// Saves a safetensors file with the tensor "latents", in full or not at all.
///
/// - latents: which ones.
/// - path: the file; one that is there is replaced.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_latents_save(sdxl_latents latents, const char *path);

/// Says how large latents are.
///
/// - latents: which ones.
/// - out_shape: four numbers: pictures, channels, height and width of the latents.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_latents_shape(sdxl_latents latents, uint32_t *out_shape);

/// Copies the numbers.
///
/// - latents: which ones.
/// - buffer: where they go, in the order of sdxl_latents_new; NULL to ask for their number alone.
/// - capacity: how many numbers the buffer has room for.
/// - out_count: how many numbers there are; may be NULL where there is a buffer.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_latents_copy(sdxl_latents latents, float *buffer, size_t capacity, size_t *out_count);

/// Makes a small picture of latents, one pixel for each of theirs, without an autoencoder.
///
/// - latents: with 4 channels.
/// - index: of which picture, from 0.
/// - out_image: a new handle; free it with sdxl_image_free.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_latents_preview(sdxl_latents latents, uint32_t index, sdxl_image *out_image);

/// Frees latents. Requests made with them live on.
///
/// - latents: the handle, which means nothing afterwards.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_latents_free(sdxl_latents latents);

/// Makes embeddings of numbers, which are copied.
///
/// - context: rows x tokens x context_width numbers.
/// - context_count: how many numbers those are.
/// - pooled: rows x pooled_width numbers.
/// - pooled_count: how many numbers those are.
/// - rows: 1, or as many as a request has pictures.
/// - tokens: 77 for each chunk of the prompt.
/// - out_embeddings: a new handle; free it with sdxl_embeddings_free.
///
/// The widths follow from the counts; whether they are those of the model is found when a job uses them.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_embeddings_new(const float *context,
                                size_t context_count,
                                const float *pooled,
                                size_t pooled_count,
                                uint32_t rows,
                                uint32_t tokens,
                                sdxl_embeddings *out_embeddings);

/// Reads the tensors "context" and "pooled" of a safetensors file.
///
/// - path: the file.
/// - out_embeddings: a new handle; free it with sdxl_embeddings_free.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_embeddings_open(const char *path, sdxl_embeddings *out_embeddings);

/// Saves a safetensors file with the tensors "context" and "pooled", in full or not at all.
///
/// - embeddings: which ones.
/// - path: the file; one that is there is replaced.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_embeddings_save(sdxl_embeddings embeddings, const char *path);

/// Says how large embeddings are.
///
/// - embeddings: which ones.
/// - out_shape: four numbers: rows, tokens, width of the context, width of the pooled vector.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_embeddings_shape(sdxl_embeddings embeddings, uint32_t *out_shape);

/// Copies the context.
///
/// - embeddings: which ones.
/// - buffer: where the numbers go, row by row and token by token; NULL to ask for their number alone.
/// - capacity: how many numbers the buffer has room for.
/// - out_count: how many numbers there are; may be NULL where there is a buffer.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_embeddings_copy_context(sdxl_embeddings embeddings, float *buffer, size_t capacity, size_t *out_count);

/// Copies the pooled vectors.
///
/// - embeddings: which ones.
/// - buffer: where the numbers go, row by row; NULL to ask for their number alone.
/// - capacity: how many numbers the buffer has room for.
/// - out_count: how many numbers there are; may be NULL where there is a buffer.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_embeddings_copy_pooled(sdxl_embeddings embeddings, float *buffer, size_t capacity, size_t *out_count);

/// Frees embeddings. Conditionings made with them live on.
///
/// - embeddings: the handle, which means nothing afterwards.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_embeddings_free(sdxl_embeddings embeddings);

/// Copies the names that a text parameter may have, one in a line.
///
/// - what: "scheduler" (for sdxl_scheduler_new), "preset", "spacing", "prediction", "prompt_syntax" or "hires_upscaler".
/// - buffer: where the text goes, with its NUL; NULL to ask for the size alone.
/// - capacity: bytes of the buffer.
/// - out_size: the bytes that it takes, NUL included; may be NULL where there is a buffer.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_copy_names(const char *what, char *buffer, size_t capacity, size_t *out_size);

/// Copies the sizes of pictures that SDXL was trained on: 40 widths and heights, from wide to tall.
///
/// - buffer: where the numbers go: width, height, width, height and so on; NULL to ask for their number alone.
/// - capacity: how many numbers the buffer has room for.
/// - out_count: how many numbers there are, 80; may be NULL where there is a buffer.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_copy_buckets(uint32_t *buffer, size_t capacity, size_t *out_count);

/// Says which size that SDXL was trained on is nearest in shape.
///
/// - width: pixels from left to right; 0 counts as 1.
/// - height: pixels from top to bottom; 0 counts as 1.
/// - out_width: pixels from left to right.
/// - out_height: pixels from top to bottom.
///
/// Any thread. Since 0.1.
sdxl_status sdxl_nearest_bucket(uint32_t width, uint32_t height, uint32_t *out_width, uint32_t *out_height);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SDXL_H */
