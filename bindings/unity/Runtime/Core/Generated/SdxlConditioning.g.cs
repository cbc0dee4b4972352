// Generated from include/sdxl.h by scripts/csharp: do not edit.
using System;
using Sdxl.Native;

namespace Sdxl
{
    /// <summary>
    /// What a picture is to show: prompts or their embeddings, and the micro-conditioning. It belongs to no model and
    /// serves any number of requests.
    /// </summary>
    public sealed unsafe partial class SdxlConditioning : SdxlObject
    {
        internal SdxlConditioning(ulong id) : base(new ConditioningHandle(id)) { }

        /// <summary>Makes a conditioning of a prompt.</summary>
        /// <param name="prompt">what the picture shows, at most 64 KiB.</param>
        public SdxlConditioning(string prompt) : this(New(prompt)) { }

        static ulong New(string prompt)
        {
            SdxlLibrary.Require();
            fixed (byte* promptText = Utf8.Encode(prompt, "prompt"))
            {
                sdxl_conditioning nativeConditioning;
                Check(NativeMethods.sdxl_conditioning_new(promptText, &nativeConditioning));
                return nativeConditioning.id;
            }
        }

        /// <summary>Makes a conditioning of embeddings that SdxlPipeline.Encode or another program made.</summary>
        /// <param name="embeddings">those of the prompt; they are shared, and may be freed afterwards.</param>
        public static SdxlConditioning FromEmbeddings(SdxlEmbeddings embeddings)
        {
            using (var embeddingsHeld = Borrow(embeddings, "embeddings"))
            {
                sdxl_conditioning nativeConditioning;
                Check(NativeMethods.sdxl_conditioning_from_embeddings(new sdxl_embeddings(embeddingsHeld.Id), &nativeConditioning));
                return new SdxlConditioning(nativeConditioning.id);
            }
        }

        /// <summary>Makes a copy of a conditioning, to change some of it.</summary>
        public SdxlConditioning Clone()
        {
            using (var self = Borrow())
            {
                sdxl_conditioning nativeConditioning;
                Check(NativeMethods.sdxl_conditioning_clone(new sdxl_conditioning(self.Id), &nativeConditioning));
                return new SdxlConditioning(nativeConditioning.id);
            }
        }

        /// <summary>Gives the second text encoder another prompt. A refiner, which has one encoder, reads the prompt alone.</summary>
        /// <param name="prompt">the text. Default, also for "": the prompt.</param>
        public SdxlConditioning SetPrompt2(string prompt)
        {
            using (var self = Borrow())
            fixed (byte* promptText = Utf8.Encode(prompt, "prompt"))
            {
                Check(NativeMethods.sdxl_conditioning_set_prompt_2(new sdxl_conditioning(self.Id), promptText));
                return this;
            }
        }

        /// <summary>Says what the picture is not to show; evaluated where guidance is on.</summary>
        /// <param name="prompt">
        /// the text. Default: absent, which is not the same as "": SDXL base takes zeros for an absent negative
        /// prompt, and encodes an empty one.
        /// </param>
        public SdxlConditioning SetNegativePrompt(string prompt)
        {
            using (var self = Borrow())
            fixed (byte* promptText = Utf8.Encode(prompt, "prompt"))
            {
                Check(NativeMethods.sdxl_conditioning_set_negative_prompt(new sdxl_conditioning(self.Id), promptText));
                return this;
            }
        }

        /// <summary>Gives the second text encoder another negative prompt.</summary>
        /// <param name="prompt">the text. Default, also for "": the negative prompt.</param>
        public SdxlConditioning SetNegativePrompt2(string prompt)
        {
            using (var self = Borrow())
            fixed (byte* promptText = Utf8.Encode(prompt, "prompt"))
            {
                Check(NativeMethods.sdxl_conditioning_set_negative_prompt_2(new sdxl_conditioning(self.Id), promptText));
                return this;
            }
        }

        /// <summary>Chooses how all prompts are read.</summary>
        /// <param name="syntax">
        /// "plain" (brackets are characters, 75 tokens), "a1111" (`(word:1.3)`, `[word]`, BREAK, any length) or
        /// "a1111_no_norm". Default: "plain".
        /// </param>
        public SdxlConditioning SetPromptSyntax(string syntax)
        {
            using (var self = Borrow())
            fixed (byte* syntaxText = Utf8.Encode(syntax, "syntax"))
            {
                Check(NativeMethods.sdxl_conditioning_set_prompt_syntax(new sdxl_conditioning(self.Id), syntaxText));
                return this;
            }
        }

        /// <summary>Gives the embeddings of the negative prompt.</summary>
        /// <param name="embeddings">
        /// they are shared, and may be freed afterwards. Default: zeros, or those of "" where the model
        /// asks for them.
        /// </param>
        public SdxlConditioning SetNegativeEmbeddings(SdxlEmbeddings embeddings)
        {
            using (var self = Borrow())
            using (var embeddingsHeld = Borrow(embeddings, "embeddings"))
            {
                Check(NativeMethods.sdxl_conditioning_set_negative_embeddings(new sdxl_conditioning(self.Id), new sdxl_embeddings(embeddingsHeld.Id)));
                return this;
            }
        }

        /// <summary>
        /// Takes the prompt's hidden states from lower layers of the text encoders. The negative prompt is always taken
        /// from the usual layer.
        /// </summary>
        /// <param name="layers">how many below the usual one, which is the last but one. Default: 0.</param>
        public SdxlConditioning SetClipSkip(int layers)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_conditioning_set_clip_skip(new sdxl_conditioning(self.Id), Unsigned(layers, "layers")));
                return this;
            }
        }

        /// <summary>Tells the UNet the size of the original picture. Small ones give the look of small pictures scaled up.</summary>
        /// <param name="width">1 to 16384 pixels. Default: that of the picture drawn.</param>
        /// <param name="height">1 to 16384 pixels. Default: that of the picture drawn.</param>
        public SdxlConditioning SetOriginalSize(int width, int height)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_conditioning_set_original_size(new sdxl_conditioning(self.Id), Unsigned(width, "width"), Unsigned(height, "height")));
                return this;
            }
        }

        /// <summary>Tells the UNet what was cut off the original picture.</summary>
        /// <param name="left">0 to 16384 pixels. Default: 0.</param>
        /// <param name="top">0 to 16384 pixels. Default: 0.</param>
        public SdxlConditioning SetCrop(int left, int top)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_conditioning_set_crop(new sdxl_conditioning(self.Id), Unsigned(left, "left"), Unsigned(top, "top")));
                return this;
            }
        }

        /// <summary>Tells the UNet the target size.</summary>
        /// <param name="width">1 to 16384 pixels. Default: that of the picture drawn.</param>
        /// <param name="height">1 to 16384 pixels. Default: that of the picture drawn.</param>
        public SdxlConditioning SetTargetSize(int width, int height)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_conditioning_set_target_size(new sdxl_conditioning(self.Id), Unsigned(width, "width"), Unsigned(height, "height")));
                return this;
            }
        }

        /// <summary>Tells the UNet the size of the original picture for the negative prompt.</summary>
        /// <param name="width">1 to 16384 pixels. Default: that for the prompt.</param>
        /// <param name="height">1 to 16384 pixels. Default: that for the prompt.</param>
        public SdxlConditioning SetNegativeOriginalSize(int width, int height)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_conditioning_set_negative_original_size(new sdxl_conditioning(self.Id), Unsigned(width, "width"), Unsigned(height, "height")));
                return this;
            }
        }

        /// <summary>Tells the UNet what was cut off the original picture for the negative prompt.</summary>
        /// <param name="left">0 to 16384 pixels. Default: that for the prompt.</param>
        /// <param name="top">0 to 16384 pixels. Default: that for the prompt.</param>
        public SdxlConditioning SetNegativeCrop(int left, int top)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_conditioning_set_negative_crop(new sdxl_conditioning(self.Id), Unsigned(left, "left"), Unsigned(top, "top")));
                return this;
            }
        }

        /// <summary>Tells the UNet the target size for the negative prompt.</summary>
        /// <param name="width">1 to 16384 pixels. Default: that for the prompt.</param>
        /// <param name="height">1 to 16384 pixels. Default: that for the prompt.</param>
        public SdxlConditioning SetNegativeTargetSize(int width, int height)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_conditioning_set_negative_target_size(new sdxl_conditioning(self.Id), Unsigned(width, "width"), Unsigned(height, "height")));
                return this;
            }
        }

        /// <summary>Sets the refiner's aesthetic score for the prompt.</summary>
        /// <param name="score">0 to 10. Default: 6.</param>
        public SdxlConditioning SetAestheticScore(double score)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_conditioning_set_aesthetic_score(new sdxl_conditioning(self.Id), score));
                return this;
            }
        }

        /// <summary>Sets the refiner's aesthetic score for the negative prompt.</summary>
        /// <param name="score">0 to 10. Default: 2.5.</param>
        public SdxlConditioning SetNegativeAestheticScore(double score)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_conditioning_set_negative_aesthetic_score(new sdxl_conditioning(self.Id), score));
                return this;
            }
        }
    }
}
