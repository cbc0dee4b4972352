// Generated from include/sdxl.h by scripts/csharp: do not edit.
using System;
using System.Runtime.InteropServices;

namespace Sdxl.Native
{
    [StructLayout(LayoutKind.Sequential)]
    internal struct sdxl_pipeline_options
    {
        internal ulong id;

        internal sdxl_pipeline_options(ulong id) { this.id = id; }
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct sdxl_pipeline_info
    {
        internal uint struct_size;
        internal int kind;
        internal uint default_width;
        internal uint default_height;
        internal uint latent_channels;
        internal uint latent_factor;
        internal uint context_width;
        internal uint pooled_width;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct sdxl_pipeline
    {
        internal ulong id;

        internal sdxl_pipeline(ulong id) { this.id = id; }
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct sdxl_request
    {
        internal ulong id;

        internal sdxl_request(ulong id) { this.id = id; }
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct sdxl_image
    {
        internal ulong id;

        internal sdxl_image(ulong id) { this.id = id; }
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct sdxl_conditioning
    {
        internal ulong id;

        internal sdxl_conditioning(ulong id) { this.id = id; }
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct sdxl_embeddings
    {
        internal ulong id;

        internal sdxl_embeddings(ulong id) { this.id = id; }
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct sdxl_latents
    {
        internal ulong id;

        internal sdxl_latents(ulong id) { this.id = id; }
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct sdxl_lora
    {
        internal ulong id;

        internal sdxl_lora(ulong id) { this.id = id; }
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct sdxl_textual_inversion
    {
        internal ulong id;

        internal sdxl_textual_inversion(ulong id) { this.id = id; }
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct sdxl_lora_info
    {
        internal uint struct_size;
        internal uint merged;
        internal uint unmatched;
        internal uint reserved;
        internal double weight;
        internal double text_encoders_weight;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct sdxl_scheduler
    {
        internal ulong id;

        internal sdxl_scheduler(ulong id) { this.id = id; }
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct sdxl_request_info
    {
        internal uint struct_size;
        internal uint pictures;
        internal uint steps;
        internal uint reserved;
        internal double guidance;
        internal double guidance_rescale;
        internal double strength;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct sdxl_job
    {
        internal ulong id;

        internal sdxl_job(ulong id) { this.id = id; }
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct sdxl_progress
    {
        internal uint struct_size;
        internal int state;
        internal uint step;
        internal uint of;
        internal double sigma;
        internal double seconds;
        internal double seconds_left;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct sdxl_pixel_layout
    {
        internal uint struct_size;
        internal int format;
        internal int row_order;
        internal uint reserved;
        internal ulong stride;
    }

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    internal unsafe delegate int sdxl_progress_callback(IntPtr user_data, sdxl_job job, sdxl_progress* progress);

    internal static unsafe class NativeMethods
    {
        internal const uint AbiVersion = 1;
        internal const string Version = "0.1.0";

        // iOS has no libraries of its own.
#if UNITY_IOS && !UNITY_EDITOR
        const string Library = "__Internal";
#else
        const string Library = "sdxl";
#endif

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern uint sdxl_abi_version();

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern byte* sdxl_version();

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_set_threads(uint threads);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_check_device(byte* device);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern byte* sdxl_last_error_message();

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern byte* sdxl_status_name(int status);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_pipeline_options_new(byte* model, sdxl_pipeline_options* out_options);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_pipeline_options_new_in_memory(byte* name, sdxl_pipeline_options* out_options);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_pipeline_options_add_file(sdxl_pipeline_options options, byte* name, byte* data, UIntPtr size);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_pipeline_options_set_device(sdxl_pipeline_options options, byte* device);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_pipeline_options_set_precision(sdxl_pipeline_options options, byte* precision);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_pipeline_options_set_variant(sdxl_pipeline_options options, byte* variant);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_pipeline_options_set_taesd(sdxl_pipeline_options options, byte* path);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_pipeline_options_set_vae(sdxl_pipeline_options options, byte* path);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_pipeline_options_set_unet(sdxl_pipeline_options options, byte* path);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_pipeline_options_add_embedding(sdxl_pipeline_options options, byte* path);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_pipeline_options_add_lora(sdxl_pipeline_options options, byte* path, double weight);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_pipeline_options_merge_loras(sdxl_pipeline_options options);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_pipeline_options_set_isolation(sdxl_pipeline_options options, byte* isolation);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_pipeline_options_set_worker(sdxl_pipeline_options options, byte* path);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_pipeline_options_set_vae_tiling(sdxl_pipeline_options options, uint vae_tiling);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_pipeline_options_set_stream_text_encoders(sdxl_pipeline_options options, uint stream_text_encoders);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_pipeline_options_clone(sdxl_pipeline_options options, sdxl_pipeline_options* out_options);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_pipeline_options_check(sdxl_pipeline_options options);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_pipeline_options_get_info(sdxl_pipeline_options options, sdxl_pipeline_info* out_info);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_pipeline_options_free(sdxl_pipeline_options options);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_pipeline_load(sdxl_pipeline_options options, sdxl_pipeline* out_pipeline);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_pipeline_clone(sdxl_pipeline pipeline, sdxl_pipeline* out_pipeline);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_pipeline_get_info(sdxl_pipeline pipeline, sdxl_pipeline_info* out_info);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_pipeline_path(sdxl_pipeline pipeline, byte* buffer, UIntPtr capacity, UIntPtr* out_size);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_pipeline_device(sdxl_pipeline pipeline, byte* buffer, UIntPtr capacity, UIntPtr* out_size);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_pipeline_generate(sdxl_pipeline pipeline, sdxl_request request, sdxl_image* out_images, UIntPtr capacity, UIntPtr* out_count);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_pipeline_encode(sdxl_pipeline pipeline, sdxl_conditioning conditioning, sdxl_embeddings* out_positive, sdxl_embeddings* out_negative);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_pipeline_copy_cut(sdxl_pipeline pipeline, sdxl_conditioning conditioning, byte* buffer, UIntPtr capacity, UIntPtr* out_size);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_pipeline_encode_images(sdxl_pipeline pipeline, sdxl_image* images, UIntPtr count, ulong* seeds, UIntPtr seed_count, sdxl_latents* out_latents);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_pipeline_decode(sdxl_pipeline pipeline, sdxl_latents latents, sdxl_image* out_images, UIntPtr capacity, UIntPtr* out_count);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_pipeline_decode_values(sdxl_pipeline pipeline, sdxl_latents latents, float* buffer, UIntPtr capacity, UIntPtr* out_count);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_pipeline_free(sdxl_pipeline pipeline);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_lora_open(byte* path, sdxl_lora* out_lora);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_lora_clone(sdxl_lora lora, sdxl_lora* out_lora);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_lora_set_weight(sdxl_lora lora, double weight);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_lora_set_text_encoders_weight(sdxl_lora lora, double weight);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_lora_set_block(sdxl_lora lora, byte* block, double factor);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_lora_ignore_unmatched(sdxl_lora lora);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_lora_weights(sdxl_lora lora, double* out_weight, double* out_text_encoders_weight);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_lora_copy_blocks(sdxl_lora lora, byte* buffer, UIntPtr capacity, UIntPtr* out_size);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_lora_path(sdxl_lora lora, byte* buffer, UIntPtr capacity, UIntPtr* out_size);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_lora_copy_looks_like(sdxl_lora lora, byte* buffer, UIntPtr capacity, UIntPtr* out_size);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_lora_free(sdxl_lora lora);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_textual_inversion_open(byte* path, sdxl_textual_inversion* out_textual_inversion);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_textual_inversion_set_words(sdxl_textual_inversion textual_inversion, byte** words, UIntPtr count);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_textual_inversion_copy_words(sdxl_textual_inversion textual_inversion, byte* buffer, UIntPtr capacity, UIntPtr* out_size);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_textual_inversion_path(sdxl_textual_inversion textual_inversion, byte* buffer, UIntPtr capacity, UIntPtr* out_size);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_textual_inversion_free(sdxl_textual_inversion textual_inversion);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_pipeline_with_loras(sdxl_pipeline pipeline, sdxl_lora* loras, UIntPtr count, sdxl_pipeline* out_pipeline);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_pipeline_with_merged_loras(sdxl_pipeline pipeline, sdxl_lora* loras, UIntPtr count, sdxl_pipeline* out_pipeline);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_pipeline_lora_count(sdxl_pipeline pipeline, UIntPtr* out_count);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_pipeline_get_lora(sdxl_pipeline pipeline, uint index, sdxl_lora* out_lora);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_pipeline_get_lora_info(sdxl_pipeline pipeline, uint index, sdxl_lora_info* out_info);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_pipeline_copy_unmatched(sdxl_pipeline pipeline, uint index, byte* buffer, UIntPtr capacity, UIntPtr* out_size);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_pipeline_with_textual_inversions(sdxl_pipeline pipeline, sdxl_textual_inversion* textual_inversions, UIntPtr count, sdxl_pipeline* out_pipeline);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_pipeline_textual_inversion_count(sdxl_pipeline pipeline, UIntPtr* out_count);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_pipeline_get_textual_inversion(sdxl_pipeline pipeline, uint index, sdxl_textual_inversion* out_textual_inversion);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_conditioning_new(byte* prompt, sdxl_conditioning* out_conditioning);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_conditioning_from_embeddings(sdxl_embeddings embeddings, sdxl_conditioning* out_conditioning);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_conditioning_clone(sdxl_conditioning conditioning, sdxl_conditioning* out_conditioning);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_conditioning_set_prompt_2(sdxl_conditioning conditioning, byte* prompt);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_conditioning_set_negative_prompt(sdxl_conditioning conditioning, byte* prompt);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_conditioning_set_negative_prompt_2(sdxl_conditioning conditioning, byte* prompt);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_conditioning_set_prompt_syntax(sdxl_conditioning conditioning, byte* syntax);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_conditioning_set_negative_embeddings(sdxl_conditioning conditioning, sdxl_embeddings embeddings);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_conditioning_set_clip_skip(sdxl_conditioning conditioning, uint layers);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_conditioning_set_original_size(sdxl_conditioning conditioning, uint width, uint height);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_conditioning_set_crop(sdxl_conditioning conditioning, uint left, uint top);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_conditioning_set_target_size(sdxl_conditioning conditioning, uint width, uint height);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_conditioning_set_negative_original_size(sdxl_conditioning conditioning, uint width, uint height);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_conditioning_set_negative_crop(sdxl_conditioning conditioning, uint left, uint top);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_conditioning_set_negative_target_size(sdxl_conditioning conditioning, uint width, uint height);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_conditioning_set_aesthetic_score(sdxl_conditioning conditioning, double score);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_conditioning_set_negative_aesthetic_score(sdxl_conditioning conditioning, double score);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_conditioning_free(sdxl_conditioning conditioning);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_scheduler_new(byte* name, sdxl_scheduler* out_scheduler);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_scheduler_new_preset(byte* name, sdxl_scheduler* out_scheduler);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_scheduler_from_pipeline(sdxl_pipeline pipeline, sdxl_scheduler* out_scheduler);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_scheduler_from_config(byte* json, sdxl_scheduler* out_scheduler);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_scheduler_open(byte* path, sdxl_scheduler* out_scheduler);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_scheduler_clone(sdxl_scheduler scheduler, sdxl_scheduler* out_scheduler);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_scheduler_set_name(sdxl_scheduler scheduler, byte* name);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_scheduler_set_spacing(sdxl_scheduler scheduler, byte* name);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_scheduler_set_prediction(sdxl_scheduler scheduler, byte* name);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_scheduler_set_eta(sdxl_scheduler scheduler, double eta);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_scheduler_set_timesteps(sdxl_scheduler scheduler, double* timesteps, UIntPtr count);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_scheduler_set_sigmas(sdxl_scheduler scheduler, double* sigmas, UIntPtr count);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_scheduler_set_leading(sdxl_scheduler scheduler, uint offset);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_scheduler_set_distilled(sdxl_scheduler scheduler, uint original_steps);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_scheduler_set_karras(sdxl_scheduler scheduler, double rho);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_scheduler_set_beta(sdxl_scheduler scheduler, double alpha, double beta);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_scheduler_set_sigma_range(sdxl_scheduler scheduler, double sigma_min, double sigma_max);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_scheduler_set_terminal(sdxl_scheduler scheduler, byte* name);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_scheduler_set_rounding(sdxl_scheduler scheduler, byte* name);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_scheduler_set_interpolation(sdxl_scheduler scheduler, byte* name);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_scheduler_set_initial_noise(sdxl_scheduler scheduler, byte* name);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_scheduler_set_clip(sdxl_scheduler scheduler, double range);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_scheduler_set_dynamic_clip(sdxl_scheduler scheduler, double ratio, double max);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_scheduler_copy_config(sdxl_scheduler scheduler, byte* buffer, UIntPtr capacity, UIntPtr* out_size);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_scheduler_free(sdxl_scheduler scheduler);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_scheduler_copy_sigmas(sdxl_scheduler scheduler, uint steps, double* buffer, UIntPtr capacity, UIntPtr* out_count);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_scheduler_copy_timesteps(sdxl_scheduler scheduler, uint steps, double* buffer, UIntPtr capacity, UIntPtr* out_count);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_request_new(sdxl_conditioning conditioning, sdxl_request* out_request);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_request_clone(sdxl_request request, sdxl_request* out_request);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_request_get_info(sdxl_request request, sdxl_request_info* out_info);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_request_copy_seeds(sdxl_request request, ulong* buffer, UIntPtr capacity, UIntPtr* out_count);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_request_set_size(sdxl_request request, uint width, uint height);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_request_set_width(sdxl_request request, uint width);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_request_set_height(sdxl_request request, uint height);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_request_set_steps(sdxl_request request, uint steps);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_request_set_guidance(sdxl_request request, double scale);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_request_set_guidance_rescale(sdxl_request request, double fraction);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_request_set_guidance_interval(sdxl_request request, double lowest, double highest);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_request_set_perturbed_attention(sdxl_request request, double scale, double adaptive_scale, byte** layers, UIntPtr count);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_request_set_freeu(sdxl_request request, double s1, double s2, double b1, double b2);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_request_set_deep_cache(sdxl_request request, uint every);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_request_set_hires(sdxl_request request, double scale, double strength, byte* upscaler, uint steps);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_request_set_variation(sdxl_request request, ulong seed, double strength);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_request_set_seed(sdxl_request request, ulong seed);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_request_set_seeds(sdxl_request request, ulong* seeds, UIntPtr count);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_request_set_batch(sdxl_request request, uint batch);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_request_set_scheduler(sdxl_request request, sdxl_scheduler scheduler);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_request_set_watermark(sdxl_request request, uint watermark);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_request_set_end_at(sdxl_request request, double fraction);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_request_set_output(sdxl_request request, byte* name);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_request_free(sdxl_request request);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_request_set_initial_noise(sdxl_request request, sdxl_latents noise);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_request_set_image(sdxl_request request, sdxl_image image);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_request_set_images(sdxl_request request, sdxl_image* images, UIntPtr count);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_request_set_image_latents(sdxl_request request, sdxl_latents latents);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_request_set_inpaint(sdxl_request request, sdxl_image image, sdxl_image mask, double blur);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_request_set_inpaint_each(sdxl_request request, sdxl_image* images, sdxl_image* masks, UIntPtr count, double blur);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_request_set_outpaint(sdxl_request request, sdxl_image image, uint left, uint top, uint right, uint bottom);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_request_set_overlay(sdxl_request request, uint overlay);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_request_set_padding_mask_crop(sdxl_request request, uint padding);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_request_set_strength(sdxl_request request, double strength);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_request_set_resume(sdxl_request request, sdxl_latents latents, double at);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_request_set_skip_draws(sdxl_request request, uint count);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_job_start(sdxl_pipeline pipeline, sdxl_request request, IntPtr callback, IntPtr user_data, sdxl_job* out_job);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_job_poll(sdxl_job job, sdxl_progress* out_progress);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_job_wait(sdxl_job job, long milliseconds);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_job_cancel(sdxl_job job);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_job_preview(sdxl_job job, uint index, sdxl_image* out_image);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_job_denoised(sdxl_job job, sdxl_latents* out_latents);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_job_size(sdxl_job job, uint* out_width, uint* out_height);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_job_draws(sdxl_job job, UIntPtr* out_count);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_job_image_count(sdxl_job job, UIntPtr* out_count);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_job_take_images(sdxl_job job, sdxl_image* out_images, UIntPtr capacity, UIntPtr* out_count);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_job_latents(sdxl_job job, sdxl_latents* out_latents);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_job_copy_cut(sdxl_job job, byte* buffer, UIntPtr capacity, UIntPtr* out_size);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_job_free(sdxl_job job);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_image_new(uint width, uint height, sdxl_pixel_layout* layout, byte* pixels, UIntPtr size, sdxl_image* out_image);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_image_open(byte* path, sdxl_image* out_image);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_image_size(sdxl_image image, uint* out_width, uint* out_height);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_image_copy_pixels(sdxl_image image, sdxl_pixel_layout* layout, byte* pixels, UIntPtr size);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_image_copy_text(sdxl_image image, byte* keyword, byte* buffer, UIntPtr capacity, UIntPtr* out_size);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_image_save_png(sdxl_image image, byte* path);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_image_encode_png(sdxl_image image, byte* buffer, UIntPtr capacity, UIntPtr* out_size);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_image_free(sdxl_image image);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_image_file_size(byte* path, uint* out_width, uint* out_height);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_image_resize(sdxl_image image, uint width, uint height, sdxl_image* out_image);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_image_crop(sdxl_image image, uint left, uint top, uint right, uint bottom, sdxl_image* out_image);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_image_blur_mask(sdxl_image mask, double deviation, sdxl_image* out_image);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_image_mask_region(sdxl_image mask, uint width, uint height, uint padding, uint* out_rectangle);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_image_outpaint(sdxl_image image, uint left, uint top, uint right, uint bottom, sdxl_image* out_image, sdxl_image* out_mask);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_image_add_text(sdxl_image image, byte* keyword, byte* content, sdxl_image* out_image);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_image_copy_keywords(sdxl_image image, byte* buffer, UIntPtr capacity, UIntPtr* out_size);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_latents_new(float* values, UIntPtr count, uint* shape, sdxl_latents* out_latents);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_latents_new_noise(ulong* seeds, UIntPtr count, uint channels, uint height, uint width, uint skip_draws, sdxl_latents* out_latents);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_latents_open(byte* path, sdxl_latents* out_latents);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_latents_save(sdxl_latents latents, byte* path);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_latents_shape(sdxl_latents latents, uint* out_shape);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_latents_copy(sdxl_latents latents, float* buffer, UIntPtr capacity, UIntPtr* out_count);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_latents_preview(sdxl_latents latents, uint index, sdxl_image* out_image);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_latents_free(sdxl_latents latents);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_embeddings_new(float* context, UIntPtr context_count, float* pooled, UIntPtr pooled_count, uint rows, uint tokens, sdxl_embeddings* out_embeddings);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_embeddings_open(byte* path, sdxl_embeddings* out_embeddings);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_embeddings_save(sdxl_embeddings embeddings, byte* path);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_embeddings_shape(sdxl_embeddings embeddings, uint* out_shape);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_embeddings_copy_context(sdxl_embeddings embeddings, float* buffer, UIntPtr capacity, UIntPtr* out_count);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_embeddings_copy_pooled(sdxl_embeddings embeddings, float* buffer, UIntPtr capacity, UIntPtr* out_count);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_embeddings_free(sdxl_embeddings embeddings);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_copy_names(byte* what, byte* buffer, UIntPtr capacity, UIntPtr* out_size);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_copy_buckets(uint* buffer, UIntPtr capacity, UIntPtr* out_count);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sdxl_nearest_bucket(uint width, uint height, uint* out_width, uint* out_height);
    }
}
