// Generated from include/sdxl.h by scripts/csharp: do not edit.
using System;
using Sdxl.Native;

namespace Sdxl
{
    /// <summary>A model ready to draw. Its jobs run one after the other, on a thread of its own; those of its clones run at once.</summary>
    public sealed unsafe partial class SdxlPipeline : SdxlObject
    {
        internal SdxlPipeline(ulong id) : base(new PipelineHandle(id)) { }

        /// <summary>Reads a model. This takes as long as reading its files.</summary>
        /// <param name="options">which model, and how.</param>
        /// <remarks>Any thread; a long-lived one, since libtorch keeps memory for every thread that it computes on.</remarks>
        public static SdxlPipeline Load(SdxlPipelineOptions options)
        {
            using (var optionsHeld = Borrow(options, "options"))
            {
                sdxl_pipeline nativePipeline;
                Check(NativeMethods.sdxl_pipeline_load(new sdxl_pipeline_options(optionsHeld.Id), &nativePipeline));
                return new SdxlPipeline(nativePipeline.id);
            }
        }

        /// <summary>Makes another pipeline with the same weights, which are not copied: its jobs run at the same time.</summary>
        public SdxlPipeline Clone()
        {
            using (var self = Borrow())
            {
                sdxl_pipeline nativePipeline;
                Check(NativeMethods.sdxl_pipeline_clone(new sdxl_pipeline(self.Id), &nativePipeline));
                return new SdxlPipeline(nativePipeline.id);
            }
        }

        /// <summary>Says what a pipeline is.</summary>
        public SdxlPipelineInfo Info()
        {
            using (var self = Borrow())
            {
                var nativeInfo = new sdxl_pipeline_info { struct_size = (uint)sizeof(sdxl_pipeline_info) };
                Check(NativeMethods.sdxl_pipeline_get_info(new sdxl_pipeline(self.Id), &nativeInfo));
                return new SdxlPipelineInfo(nativeInfo);
            }
        }

        /// <summary>Copies the path that the model was loaded from.</summary>
        public string Path()
        {
            using (var self = Borrow())
            {
                UIntPtr size;
                Check(NativeMethods.sdxl_pipeline_path(new sdxl_pipeline(self.Id), null, UIntPtr.Zero, &size));
                var found = new byte[checked((int)size.ToUInt64())];
                fixed (byte* items = found) Check(NativeMethods.sdxl_pipeline_path(new sdxl_pipeline(self.Id), items, size, &size));
                return Utf8.Decode(found);
            }
        }

        /// <summary>Copies where a pipeline computes: "cpu" or "cuda:N".</summary>
        public string Device()
        {
            using (var self = Borrow())
            {
                UIntPtr size;
                Check(NativeMethods.sdxl_pipeline_device(new sdxl_pipeline(self.Id), null, UIntPtr.Zero, &size));
                var found = new byte[checked((int)size.ToUInt64())];
                fixed (byte* items = found) Check(NativeMethods.sdxl_pipeline_device(new sdxl_pipeline(self.Id), items, size, &size));
                return Utf8.Decode(found);
            }
        }

        /// <summary>Encodes the prompts of a conditioning, to use them many times.</summary>
        /// <param name="conditioning">what to encode.</param>
        /// <param name="negative">a new object for the negative prompt; dispose of it.</param>
        /// <remarks>Any thread; a long-lived one, since libtorch keeps memory for every thread that it computes on.</remarks>
        public SdxlEmbeddings Encode(SdxlConditioning conditioning, out SdxlEmbeddings negative)
        {
            using (var self = Borrow())
            using (var conditioningHeld = Borrow(conditioning, "conditioning"))
            {
                sdxl_embeddings nativePositive;
                sdxl_embeddings nativeNegative;
                Check(NativeMethods.sdxl_pipeline_encode(new sdxl_pipeline(self.Id), new sdxl_conditioning(conditioningHeld.Id), &nativePositive, &nativeNegative));
                negative = new SdxlEmbeddings(nativeNegative.id);
                return new SdxlEmbeddings(nativePositive.id);
            }
        }

        /// <summary>
        /// Copies the ends of prompts that do not fit into 77 tokens, one in a line; in a moment, since no text is encoded. None of
        /// embeddings, and none where the syntax divides prompts into chunks.
        /// </summary>
        /// <param name="conditioning">whose prompts.</param>
        public string Cut(SdxlConditioning conditioning)
        {
            using (var self = Borrow())
            using (var conditioningHeld = Borrow(conditioning, "conditioning"))
            {
                UIntPtr size;
                Check(NativeMethods.sdxl_pipeline_copy_cut(new sdxl_pipeline(self.Id), new sdxl_conditioning(conditioningHeld.Id), null, UIntPtr.Zero, &size));
                var found = new byte[checked((int)size.ToUInt64())];
                fixed (byte* items = found) Check(NativeMethods.sdxl_pipeline_copy_cut(new sdxl_pipeline(self.Id), new sdxl_conditioning(conditioningHeld.Id), items, size, &size));
                return Utf8.Decode(found);
            }
        }

        /// <summary>Encodes pictures to latents, as a run begins with them: for SdxlRequest.SetImageLatents, to encode a picture once.</summary>
        /// <param name="images">all of one size, of multiples of 8 pixels.</param>
        /// <param name="seeds">
        /// the encoder's distribution is sampled with their first noise, as a run does. Give a request with these latents
        /// SdxlRequest.SetSkipDraws(1) for the noise that a run with the picture itself has.
        /// </param>
        /// <remarks>Any thread; a long-lived one, since libtorch keeps memory for every thread that it computes on.</remarks>
        public SdxlLatents EncodeImages(SdxlImage[] images, ulong[] seeds)
        {
            NotNull(images, "images");
            using (var self = Borrow())
            using (var imagesHeld = new BorrowedMany(images, "images"))
            fixed (void* imagesItems = imagesHeld.Items)
            fixed (ulong* seedsItems = NotNull(seeds, "seeds"))
            {
                sdxl_latents nativeLatents;
                Check(NativeMethods.sdxl_pipeline_encode_images(new sdxl_pipeline(self.Id), (sdxl_image*)imagesItems, Count(images), seedsItems, Count(seeds), &nativeLatents));
                return new SdxlLatents(nativeLatents.id);
            }
        }

        /// <summary>Decodes latents to numbers that are not rounded to 8 bits: red, green and blue in about -1 to 1.</summary>
        /// <param name="latents">of how many pictures there are.</param>
        /// <remarks>Any thread; a long-lived one, since libtorch keeps memory for every thread that it computes on.</remarks>
        public float[] DecodeValues(SdxlLatents latents)
        {
            using (var self = Borrow())
            using (var latentsHeld = Borrow(latents, "latents"))
            {
                UIntPtr size;
                Check(NativeMethods.sdxl_pipeline_decode_values(new sdxl_pipeline(self.Id), new sdxl_latents(latentsHeld.Id), null, UIntPtr.Zero, &size));
                var found = new float[checked((int)size.ToUInt64())];
                fixed (float* items = found) Check(NativeMethods.sdxl_pipeline_decode_values(new sdxl_pipeline(self.Id), new sdxl_latents(latentsHeld.Id), items, size, &size));
                return found;
            }
        }

        /// <summary>
        /// Makes a pipeline with these LoRAs in the place of those that the given one has, kept beside the weights: instant, so
        /// call it again for other weights.
        /// </summary>
        /// <param name="loras">what is to act, with its weights as they are now; several add up. null where there are none.</param>
        /// <remarks>
        /// The given pipeline is not changed, and draws what it drew before to the last bit. Weights are shared and not copied,
        /// textual inversions stay. An empty list gives a pipeline without LoRAs, but for those that were merged while the model
        /// was read. Jobs of the new pipeline do not wait for those of the given one.
        /// Returns SdxlStatus.InvalidLora where one does not fit the model; the message lists every key.
        /// Any thread; a long-lived one, since libtorch keeps memory for every thread that it computes on.
        /// </remarks>
        public SdxlPipeline WithLoras(SdxlLora[] loras)
        {
            using (var self = Borrow())
            using (var lorasHeld = new BorrowedMany(loras, "loras"))
            fixed (void* lorasItems = lorasHeld.Items)
            {
                sdxl_pipeline nativePipeline;
                Check(NativeMethods.sdxl_pipeline_with_loras(new sdxl_pipeline(self.Id), (sdxl_lora*)lorasItems, Count(loras), &nativePipeline));
                return new SdxlPipeline(nativePipeline.id);
            }
        }

        /// <summary>
        /// Makes a pipeline with these LoRAs merged into copies of the weights that they touch, rounded to their type: steps take
        /// no longer than without LoRAs. Otherwise as SdxlPipeline.WithLoras.
        /// </summary>
        /// <param name="loras">what is to act, with its weights as they are now; several add up. null where there are none.</param>
        /// <remarks>Any thread; a long-lived one, since libtorch keeps memory for every thread that it computes on.</remarks>
        public SdxlPipeline WithMergedLoras(SdxlLora[] loras)
        {
            using (var self = Borrow())
            using (var lorasHeld = new BorrowedMany(loras, "loras"))
            fixed (void* lorasItems = lorasHeld.Items)
            {
                sdxl_pipeline nativePipeline;
                Check(NativeMethods.sdxl_pipeline_with_merged_loras(new sdxl_pipeline(self.Id), (sdxl_lora*)lorasItems, Count(loras), &nativePipeline));
                return new SdxlPipeline(nativePipeline.id);
            }
        }

        /// <summary>Says how many LoRAs a pipeline has, those that were merged while the model was read included.</summary>
        public int LoraCount()
        {
            using (var self = Borrow())
            {
                UIntPtr nativeCount;
                Check(NativeMethods.sdxl_pipeline_lora_count(new sdxl_pipeline(self.Id), &nativeCount));
                return checked((int)nativeCount.ToUInt64());
            }
        }

        /// <summary>Gives a LoRA of a pipeline, with the weights that it has there.</summary>
        /// <param name="index">of which LoRA, from 0.</param>
        public SdxlLora Lora(int index)
        {
            using (var self = Borrow())
            {
                sdxl_lora nativeLora;
                Check(NativeMethods.sdxl_pipeline_get_lora(new sdxl_pipeline(self.Id), Unsigned(index, "index"), &nativeLora));
                return new SdxlLora(nativeLora.id);
            }
        }

        /// <summary>Says how a pipeline has one of its LoRAs.</summary>
        /// <param name="index">of which LoRA, from 0.</param>
        public SdxlLoraInfo LoraInfo(int index)
        {
            using (var self = Borrow())
            {
                var nativeInfo = new sdxl_lora_info { struct_size = (uint)sizeof(sdxl_lora_info) };
                Check(NativeMethods.sdxl_pipeline_get_lora_info(new sdxl_pipeline(self.Id), Unsigned(index, "index"), &nativeInfo));
                return new SdxlLoraInfo(nativeInfo);
            }
        }

        /// <summary>
        /// Copies the keys of a LoRA's file that fit no layer of the model, one in a line: none but after
        /// SdxlLora.IgnoreUnmatched.
        /// </summary>
        /// <param name="index">of which LoRA, from 0.</param>
        public string Unmatched(int index)
        {
            using (var self = Borrow())
            {
                UIntPtr size;
                Check(NativeMethods.sdxl_pipeline_copy_unmatched(new sdxl_pipeline(self.Id), Unsigned(index, "index"), null, UIntPtr.Zero, &size));
                var found = new byte[checked((int)size.ToUInt64())];
                fixed (byte* items = found) Check(NativeMethods.sdxl_pipeline_copy_unmatched(new sdxl_pipeline(self.Id), Unsigned(index, "index"), items, size, &size));
                return Utf8.Decode(found);
            }
        }

        /// <summary>
        /// Makes a pipeline with these textual inversions in the place of those that the given one has: their words may be used in
        /// prompts. The given pipeline is not changed; weights are shared and not copied, and LoRAs stay. An empty list gives a
        /// pipeline without them.
        /// </summary>
        /// <param name="textualInversions">with their words as they are now. null where there are none.</param>
        /// <remarks>Any thread; a long-lived one, since libtorch keeps memory for every thread that it computes on.</remarks>
        public SdxlPipeline WithTextualInversions(SdxlTextualInversion[] textualInversions)
        {
            using (var self = Borrow())
            using (var textualInversionsHeld = new BorrowedMany(textualInversions, "textualInversions"))
            fixed (void* textualInversionsItems = textualInversionsHeld.Items)
            {
                sdxl_pipeline nativePipeline;
                Check(NativeMethods.sdxl_pipeline_with_textual_inversions(new sdxl_pipeline(self.Id), (sdxl_textual_inversion*)textualInversionsItems, Count(textualInversions), &nativePipeline));
                return new SdxlPipeline(nativePipeline.id);
            }
        }

        /// <summary>Says how many textual inversions a pipeline has.</summary>
        public int TextualInversionCount()
        {
            using (var self = Borrow())
            {
                UIntPtr nativeCount;
                Check(NativeMethods.sdxl_pipeline_textual_inversion_count(new sdxl_pipeline(self.Id), &nativeCount));
                return checked((int)nativeCount.ToUInt64());
            }
        }

        /// <summary>Gives a textual inversion of a pipeline, with the words that it has there.</summary>
        /// <param name="index">of which textual inversion, from 0.</param>
        public SdxlTextualInversion TextualInversion(int index)
        {
            using (var self = Borrow())
            {
                sdxl_textual_inversion nativeTextualInversion;
                Check(NativeMethods.sdxl_pipeline_get_textual_inversion(new sdxl_pipeline(self.Id), Unsigned(index, "index"), &nativeTextualInversion));
                return new SdxlTextualInversion(nativeTextualInversion.id);
            }
        }
    }
}
