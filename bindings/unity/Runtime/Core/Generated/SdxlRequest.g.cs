// Generated from include/sdxl.h by scripts/csharp: do not edit.
using System;
using Sdxl.Native;

namespace Sdxl
{
    /// <summary>
    /// An order for pictures: what they show, their size, steps, guidance and seeds. Jobs keep what it was when they
    /// were started.
    /// </summary>
    public sealed unsafe partial class SdxlRequest : SdxlObject
    {
        internal SdxlRequest(ulong id) : base(new RequestHandle(id)) { }

        /// <summary>Makes a request: 50 steps, guidance 5, seed 0, one picture of the model's own size.</summary>
        /// <param name="conditioning">what the pictures show. Later changes of it have no effect.</param>
        public SdxlRequest(SdxlConditioning conditioning) : this(New(conditioning)) { }

        static ulong New(SdxlConditioning conditioning)
        {
            using (var conditioningHeld = Borrow(conditioning, "conditioning"))
            {
                sdxl_request nativeRequest;
                Check(NativeMethods.sdxl_request_new(new sdxl_conditioning(conditioningHeld.Id), &nativeRequest));
                return nativeRequest.id;
            }
        }

        /// <summary>Makes a copy of a request, to change some of it: the way to have one with a setting and one without.</summary>
        public SdxlRequest Clone()
        {
            using (var self = Borrow())
            {
                sdxl_request nativeRequest;
                Check(NativeMethods.sdxl_request_clone(new sdxl_request(self.Id), &nativeRequest));
                return new SdxlRequest(nativeRequest.id);
            }
        }

        /// <summary>Says what holds in a request, defaults included.</summary>
        public SdxlRequestInfo Info()
        {
            using (var self = Borrow())
            {
                var nativeInfo = new sdxl_request_info { struct_size = (uint)sizeof(sdxl_request_info) };
                Check(NativeMethods.sdxl_request_get_info(new sdxl_request(self.Id), &nativeInfo));
                return new SdxlRequestInfo(nativeInfo);
            }
        }

        /// <summary>Copies the seed of each picture.</summary>
        public ulong[] Seeds()
        {
            using (var self = Borrow())
            {
                UIntPtr size;
                Check(NativeMethods.sdxl_request_copy_seeds(new sdxl_request(self.Id), null, UIntPtr.Zero, &size));
                var found = new ulong[checked((int)size.ToUInt64())];
                fixed (ulong* items = found) Check(NativeMethods.sdxl_request_copy_seeds(new sdxl_request(self.Id), items, size, &size));
                return found;
            }
        }

        /// <summary>Sets the size of the pictures.</summary>
        /// <param name="width">8 to 8192 pixels, a multiple of 8. Default: the model's own, 1024 for SDXL.</param>
        /// <param name="height">8 to 8192 pixels, a multiple of 8. Default: the model's own, 1024 for SDXL.</param>
        public SdxlRequest SetSize(int width, int height)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_request_set_size(new sdxl_request(self.Id), Unsigned(width, "width"), Unsigned(height, "height")));
                return this;
            }
        }

        /// <summary>Sets the width of the pictures alone; the height stays what it is.</summary>
        /// <param name="width">8 to 8192 pixels, a multiple of 8. Default: the model's own, 1024 for SDXL.</param>
        public SdxlRequest SetWidth(int width)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_request_set_width(new sdxl_request(self.Id), Unsigned(width, "width")));
                return this;
            }
        }

        /// <summary>Sets the height of the pictures alone; the width stays what it is.</summary>
        /// <param name="height">8 to 8192 pixels, a multiple of 8. Default: the model's own, 1024 for SDXL.</param>
        public SdxlRequest SetHeight(int height)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_request_set_height(new sdxl_request(self.Id), Unsigned(height, "height")));
                return this;
            }
        }

        /// <summary>Sets the steps of the sampler.</summary>
        /// <param name="steps">1 to 1000. Default: 50.</param>
        public SdxlRequest SetSteps(int steps)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_request_set_steps(new sdxl_request(self.Id), Unsigned(steps, "steps")));
                return this;
            }
        }

        /// <summary>Sets the scale of guidance: how strongly the pictures follow the prompt and avoid the negative prompt.</summary>
        /// <param name="scale">0 to 1000; 1 or less is off, which distilled models want and which takes half the time. Default: 5.</param>
        public SdxlRequest SetGuidance(double scale)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_request_set_guidance(new sdxl_request(self.Id), scale));
                return this;
            }
        }

        /// <summary>Pulls guidance back to the standard deviation of the prediction for the prompt.</summary>
        /// <param name="fraction">by how much, 0 to 1. Default: 0; 0.7 for models trained with zero terminal SNR.</param>
        public SdxlRequest SetGuidanceRescale(double fraction)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_request_set_guidance_rescale(new sdxl_request(self.Id), fraction));
                return this;
            }
        }

        /// <summary>Guides only at some noise levels, and saves the evaluation of the negative prompt elsewhere.</summary>
        /// <param name="lowest">the lowest noise level (sigma), not negative. Default: 0.</param>
        /// <param name="highest">the highest one. Default: infinity.</param>
        public SdxlRequest SetGuidanceInterval(double lowest, double highest)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_request_set_guidance_interval(new sdxl_request(self.Id), lowest, highest));
                return this;
            }
        }

        /// <summary>
        /// Guides away from what the UNet predicts where some of its self-attentions look at nothing but their own pixel
        /// (perturbed-attention guidance, arXiv 2403.17377), beside the negative prompt or without one, for one evaluation of the
        /// UNet more in each step.
        /// </summary>
        /// <param name="scale">0 to 1000; 0 is off. Default: off; 3 is usual.</param>
        /// <param name="adaptiveScale">what is taken off the scale for each timestep below 1000, 0 to 1000; 0 for one scale everywhere.</param>
        /// <param name="layers">
        /// in which self-attentions: parts of their names, such as "mid", "down_blocks.2" or
        /// "up_blocks.0.attentions.1", which the model has to have. null for "mid".
        /// </param>
        public SdxlRequest SetPerturbedAttention(double scale, double adaptiveScale, string[] layers)
        {
            using (var self = Borrow())
            using (var layersHeld = new Utf8List(layers, "layers"))
            fixed (void* layersItems = layersHeld.Items)
            {
                Check(NativeMethods.sdxl_request_set_perturbed_attention(new sdxl_request(self.Id), scale, adaptiveScale, (byte**)layersItems, Count(layers)));
                return this;
            }
        }

        /// <summary>Changes the UNet's way up (FreeU, arXiv 2309.11497): more of its own, less of the skip connections, at no cost.</summary>
        /// <param name="s1">
        /// factor of the skip connections' lowest frequencies in the first level, above 0 to 100. Default: not applied; its
        /// authors advise 0.9 for SDXL.
        /// </param>
        /// <param name="s2">the same in the second level; 0.2.</param>
        /// <param name="b1">factor of the first half of the channels in the first level, above 0 to 100; 1.3.</param>
        /// <param name="b2">the same in the second level; 1.4.</param>
        public SdxlRequest SetFreeu(double s1, double s2, double b1, double b2)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_request_set_freeu(new sdxl_request(self.Id), s1, s2, b1, b2));
                return this;
            }
        }

        /// <summary>
        /// Evaluates the deep levels of the UNet only once in so many times, and reuses what they gave (DeepCache, arXiv
        /// 2312.00858): faster, and the pictures change, the more the higher.
        /// </summary>
        /// <param name="every">1 to 100; 2 or 3 are usual, and 20 steps or more. Default: 1, every time.</param>
        public SdxlRequest SetDeepCache(int every)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_request_set_deep_cache(new sdxl_request(self.Id), Unsigned(every, "every")));
                return this;
            }
        }

        /// <summary>
        /// Draws the pictures once more, larger and beginning with the first ones (hires fix): the composition is that of the
        /// model's own size, the details are those of the large one.
        /// </summary>
        /// <param name="scale">so many times as wide and as high, above 1 to 8, rounded down to multiples of 8. Default: not once more.</param>
        /// <param name="strength">how much of the first pictures is changed, above 0 to 1; 0.7 is usual.</param>
        /// <param name="upscaler">
        /// how they become larger: "latent" (at once, and blurred: for strengths of 0.5 and more) or "pixel" (decoded,
        /// Lanczos, encoded again: sharper).
        /// </param>
        /// <param name="steps">of the second schedule, of which the strength takes a part: 1 to 1000; 0 for as many as in the first.</param>
        public SdxlRequest SetHires(double scale, double strength, string upscaler, int steps)
        {
            using (var self = Borrow())
            fixed (byte* upscalerText = Utf8.Encode(upscaler, "upscaler"))
            {
                Check(NativeMethods.sdxl_request_set_hires(new sdxl_request(self.Id), scale, strength, upscalerText, Unsigned(steps, "steps")));
                return this;
            }
        }

        /// <summary>
        /// Starts from noise on the way from the seed's to that of another seed, along a sphere: a variation of the seed's picture.
        /// All pictures of a batch then have one seed, and the other seed counts up.
        /// </summary>
        /// <param name="seed">the other one.</param>
        /// <param name="strength">0 to 1: 0 is the seed's own picture, 1 the other's. Default: 0.</param>
        public SdxlRequest SetVariation(ulong seed, double strength)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_request_set_variation(new sdxl_request(self.Id), seed, strength));
                return this;
            }
        }

        /// <summary>Sets the seed of the first picture; each further picture of the batch has the next number.</summary>
        /// <param name="seed">any number. Default: 0.</param>
        public SdxlRequest SetSeed(ulong seed)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_request_set_seed(new sdxl_request(self.Id), seed));
                return this;
            }
        }

        /// <summary>Sets the seed of each picture, and so the number of pictures.</summary>
        /// <param name="seeds">the numbers.</param>
        public SdxlRequest SetSeeds(ulong[] seeds)
        {
            using (var self = Borrow())
            fixed (ulong* seedsItems = NotNull(seeds, "seeds"))
            {
                Check(NativeMethods.sdxl_request_set_seeds(new sdxl_request(self.Id), seedsItems, Count(seeds)));
                return this;
            }
        }

        /// <summary>Sets the number of pictures.</summary>
        /// <param name="batch">1 to 1024. Default: 1.</param>
        public SdxlRequest SetBatch(int batch)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_request_set_batch(new sdxl_request(self.Id), Unsigned(batch, "batch")));
                return this;
            }
        }

        /// <summary>Samples in another way than the model's own.</summary>
        /// <param name="scheduler">which one. Later changes of it have no effect. Default: the checkpoint's.</param>
        public SdxlRequest SetScheduler(SdxlScheduler scheduler)
        {
            using (var self = Borrow())
            using (var schedulerHeld = Borrow(scheduler, "scheduler"))
            {
                Check(NativeMethods.sdxl_request_set_scheduler(new sdxl_request(self.Id), new sdxl_scheduler(schedulerHeld.Id)));
                return this;
            }
        }

        /// <summary>
        /// Marks the pictures with the invisible watermark of the reference pipeline, which the Python package invisible-watermark
        /// reads. What an overlay puts back of the original picture carries none, and neither do previews, nor pictures narrower
        /// than 256 pixels or of fewer than 256 x 256.
        /// </summary>
        /// <param name="watermark">1 for yes, 0 for no. Default: 0.</param>
        public SdxlRequest SetWatermark(bool watermark)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_request_set_watermark(new sdxl_request(self.Id), watermark ? 1u : 0u));
                return this;
            }
        }

        /// <summary>
        /// Stops at a fraction of the schedule. The latents are then noisy, for another run to go on with; pictures are
        /// not made of them.
        /// </summary>
        /// <param name="fraction">above 0 to 1. Default: 1, the end.</param>
        public SdxlRequest SetEndAt(double fraction)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_request_set_end_at(new sdxl_request(self.Id), fraction));
                return this;
            }
        }

        /// <summary>Chooses what a job makes.</summary>
        /// <param name="name">"images" or "latents", without decoding them. Default: "images", and the latents are there too.</param>
        public SdxlRequest SetOutput(string name)
        {
            using (var self = Borrow())
            fixed (byte* nameText = Utf8.Encode(name, "name"))
            {
                Check(NativeMethods.sdxl_request_set_output(new sdxl_request(self.Id), nameText));
                return this;
            }
        }

        /// <summary>Starts from this noise instead of noise drawn from the seeds. It decides the size and the number of pictures.</summary>
        /// <param name="noise">of unit variance. Default: drawn from the seeds.</param>
        public SdxlRequest SetInitialNoise(SdxlLatents noise)
        {
            using (var self = Borrow())
            using (var noiseHeld = Borrow(noise, "noise"))
            {
                Check(NativeMethods.sdxl_request_set_initial_noise(new sdxl_request(self.Id), new sdxl_latents(noiseHeld.Id)));
                return this;
            }
        }

        /// <summary>Begins with a picture instead of noise (image to image).</summary>
        /// <param name="image">
        /// the picture. Its size, rounded down to multiples of 8, is that of the pictures drawn unless a size is
        /// set: then it is resized. Default: none.
        /// </param>
        public SdxlRequest SetImage(SdxlImage image)
        {
            using (var self = Borrow())
            using (var imageHeld = Borrow(image, "image"))
            {
                Check(NativeMethods.sdxl_request_set_image(new sdxl_request(self.Id), new sdxl_image(imageHeld.Id)));
                return this;
            }
        }

        /// <summary>Begins with several pictures, one for each seed. Without seeds or a batch there are as many as pictures.</summary>
        /// <param name="images">
        /// the pictures. The first one's size, rounded down to multiples of 8, is that of the pictures drawn unless a
        /// size is set; all are resized to it. Default: none.
        /// </param>
        public SdxlRequest SetImages(SdxlImage[] images)
        {
            NotNull(images, "images");
            using (var self = Borrow())
            using (var imagesHeld = new BorrowedMany(images, "images"))
            fixed (void* imagesItems = imagesHeld.Items)
            {
                Check(NativeMethods.sdxl_request_set_images(new sdxl_request(self.Id), (sdxl_image*)imagesItems, Count(images)));
                return this;
            }
        }

        /// <summary>Begins with the latents of a picture instead of noise.</summary>
        /// <param name="latents">one picture, or as many as seeds. Default: none.</param>
        public SdxlRequest SetImageLatents(SdxlLatents latents)
        {
            using (var self = Borrow())
            using (var latentsHeld = Borrow(latents, "latents"))
            {
                Check(NativeMethods.sdxl_request_set_image_latents(new sdxl_request(self.Id), new sdxl_latents(latentsHeld.Id)));
                return this;
            }
        }

        /// <summary>Repaints a part of a picture (inpainting).</summary>
        /// <param name="image">the picture. Default: none.</param>
        /// <param name="mask">a picture of the same size: what is lighter than half is repainted, the rest is kept.</param>
        /// <param name="blur">softens the mask by that standard deviation in pixels, 0 to 1000; 0 is off.</param>
        public SdxlRequest SetInpaint(SdxlImage image, SdxlImage mask, double blur = 0)
        {
            using (var self = Borrow())
            using (var imageHeld = Borrow(image, "image"))
            using (var maskHeld = Borrow(mask, "mask"))
            {
                Check(NativeMethods.sdxl_request_set_inpaint(new sdxl_request(self.Id), new sdxl_image(imageHeld.Id), new sdxl_image(maskHeld.Id), blur));
                return this;
            }
        }

        /// <summary>Repaints a part of several pictures, one for each seed. Without seeds or a batch there are as many as pictures.</summary>
        /// <param name="images">the pictures. Default: none.</param>
        /// <param name="masks">for each picture one of the same size: what is lighter than half is repainted, the rest is kept.</param>
        /// <param name="blur">softens the masks by that standard deviation in pixels, 0 to 1000; 0 is off.</param>
        public SdxlRequest SetInpaintEach(SdxlImage[] images, SdxlImage[] masks, double blur = 0)
        {
            NotNull(images, "images");
            NotNull(masks, "masks");
            using (var self = Borrow())
            using (var imagesHeld = new BorrowedMany(images, "images"))
            fixed (void* imagesItems = imagesHeld.Items)
            using (var masksHeld = new BorrowedMany(masks, "masks"))
            fixed (void* masksItems = masksHeld.Items)
            {
                Check(NativeMethods.sdxl_request_set_inpaint_each(new sdxl_request(self.Id), (sdxl_image*)imagesItems, (sdxl_image*)masksItems, Count(images, masks), blur));
                return this;
            }
        }

        /// <summary>Paints more canvas around a picture, whose pixels are kept byte for byte.</summary>
        /// <param name="image">the picture. Default: none.</param>
        /// <param name="left">
        /// pixels to add on the left. With them both sides of the canvas are multiples of 8, 8 to 8192 pixels; a size that
        /// is set must be the canvas's.
        /// </param>
        /// <param name="top">pixels to add above.</param>
        /// <param name="right">pixels to add on the right.</param>
        /// <param name="bottom">pixels to add below. Of the four, one is not 0.</param>
        public SdxlRequest SetOutpaint(SdxlImage image, int left, int top, int right, int bottom)
        {
            using (var self = Borrow())
            using (var imageHeld = Borrow(image, "image"))
            {
                Check(NativeMethods.sdxl_request_set_outpaint(new sdxl_request(self.Id), new sdxl_image(imageHeld.Id), Unsigned(left, "left"), Unsigned(top, "top"), Unsigned(right, "right"), Unsigned(bottom, "bottom")));
                return this;
            }
        }

        /// <summary>
        /// Says whether inpainting puts the picture's own pixels back where the mask is black, byte for byte, and fades with a
        /// soft mask. Otherwise they go through the autoencoder, which changes them a little. The picture is set before it.
        /// </summary>
        /// <param name="overlay">
        /// 1 for yes, 0 for no. Default: 1 with SdxlRequest.SetPaddingMaskCrop and SdxlRequest.SetOutpaint,
        /// otherwise 0.
        /// </param>
        public SdxlRequest SetOverlay(bool overlay)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_request_set_overlay(new sdxl_request(self.Id), overlay ? 1u : 0u));
                return this;
            }
        }

        /// <summary>
        /// Redraws only the surroundings of the mask, enlarged to the size asked for, and puts the result into the picture again.
        /// The picture is set before it.
        /// </summary>
        /// <param name="padding">
        /// so many pixels around what is not black in the mask, and more for the shape of the size. Default: the whole
        /// picture is redrawn.
        /// </param>
        public SdxlRequest SetPaddingMaskCrop(int padding)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_request_set_padding_mask_crop(new sdxl_request(self.Id), Unsigned(padding, "padding")));
                return this;
            }
        }

        /// <summary>Sets how much of the picture is changed: that fraction of the steps is taken. The picture is set before it.</summary>
        /// <param name="strength">above 0 to 1. Default: 0.3; with a mask 0.9999.</param>
        public SdxlRequest SetStrength(double strength)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_request_set_strength(new sdxl_request(self.Id), strength));
                return this;
            }
        }

        /// <summary>Goes on with latents that another run left: the second stage of base and refiner.</summary>
        /// <param name="latents">those of SdxlJob.Latents. Default: none.</param>
        /// <param name="at">the fraction of the schedule at which that run ended, 0 to below 1.</param>
        public SdxlRequest SetResume(SdxlLatents latents, double at)
        {
            using (var self = Borrow())
            using (var latentsHeld = Borrow(latents, "latents"))
            {
                Check(NativeMethods.sdxl_request_set_resume(new sdxl_request(self.Id), new sdxl_latents(latentsHeld.Id), at));
                return this;
            }
        }

        /// <summary>
        /// Passes over the first noise that the seeds give: what the first stage of an ensemble drew, so that the second one does
        /// not draw the same again.
        /// </summary>
        /// <param name="count">SdxlJob.Draws of the first stage, 0 to 10000. Default: 0.</param>
        public SdxlRequest SetSkipDraws(int count)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_request_set_skip_draws(new sdxl_request(self.Id), Unsigned(count, "count")));
                return this;
            }
        }
    }
}
