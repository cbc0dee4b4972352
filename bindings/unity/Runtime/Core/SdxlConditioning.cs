using Sdxl.Native;

namespace Sdxl
{
    /// <summary>
    /// What a picture is to show: prompts or their embeddings, and the micro-conditioning. It belongs to no model and
    /// serves any number of requests.
    /// </summary>
    public sealed unsafe partial class SdxlConditioning : SdxlObject
    {
        SdxlConditioning(ulong id) : base(new ConditioningHandle(id)) { }

        /// <summary>Makes a conditioning of a prompt.</summary>
        /// <param name="prompt">what the picture shows, at most 64 KiB.</param>
        public SdxlConditioning(string prompt) : this(New(prompt)) { }

        static ulong New(string prompt)
        {
            SdxlLibrary.Require();
            sdxl_conditioning conditioning;
            fixed (byte* text = Utf8.Encode(prompt, "prompt"))
            {
                Check(NativeMethods.sdxl_conditioning_new(text, &conditioning));
            }
            return conditioning.id;
        }

        /// <summary>Makes a conditioning of embeddings.</summary>
        /// <param name="embeddings">those of the prompt; they are shared, and may be disposed of afterwards.</param>
        public static SdxlConditioning FromEmbeddings(SdxlEmbeddings embeddings)
        {
            using (var held = Borrow(embeddings, "embeddings"))
            {
                sdxl_conditioning conditioning;
                Check(NativeMethods.sdxl_conditioning_from_embeddings(new sdxl_embeddings(held.Id), &conditioning));
                return new SdxlConditioning(conditioning.id);
            }
        }
    }
}
