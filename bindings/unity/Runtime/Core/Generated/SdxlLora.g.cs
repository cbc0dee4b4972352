// Generated from include/sdxl.h by scripts/csharp: do not edit.
using System;
using Sdxl.Native;

namespace Sdxl
{
    /// <summary>
    /// A LoRA or one of its relatives (LoCon, LoHa, LoKr, DoRA), and how strongly it acts. Pipelines that it was given to
    /// keep what it was then.
    /// </summary>
    public sealed unsafe partial class SdxlLora : SdxlObject
    {
        internal SdxlLora(ulong id) : base(new LoraHandle(id)) { }

        /// <summary>Reads a LoRA. It belongs to no model: whether it fits one is found where a pipeline is given it.</summary>
        /// <param name="path">the .safetensors file, of diffusers, PEFT, kohya or LyCORIS.</param>
        /// <remarks>
        /// Its numbers are read at once where this process has libtorch already, and otherwise when a pipeline of this process is
        /// given it: then that call finds numbers that are not finite.
        /// </remarks>
        public static SdxlLora Open(string path)
        {
            SdxlLibrary.Require();
            fixed (byte* pathText = Utf8.Encode(path, "path"))
            {
                sdxl_lora nativeLora;
                Check(NativeMethods.sdxl_lora_open(pathText, &nativeLora));
                return new SdxlLora(nativeLora.id);
            }
        }

        /// <summary>Makes another handle of a LoRA, to give it other weights. The tensors are shared.</summary>
        public SdxlLora Clone()
        {
            using (var self = Borrow())
            {
                sdxl_lora nativeLora;
                Check(NativeMethods.sdxl_lora_clone(new sdxl_lora(self.Id), &nativeLora));
                return new SdxlLora(nativeLora.id);
            }
        }

        /// <summary>Sets how strongly a LoRA acts on the UNet, and on the text encoders unless they have a weight of their own.</summary>
        /// <param name="weight">-100 to 100; 1 as it was trained, 0 is off, a negative one does the reverse. Default: 1.</param>
        public SdxlLora SetWeight(double weight)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_lora_set_weight(new sdxl_lora(self.Id), weight));
                return this;
            }
        }

        /// <summary>Sets another weight for both text encoders.</summary>
        /// <param name="weight">-100 to 100. Default: that of SdxlLora.SetWeight.</param>
        public SdxlLora SetTextEncodersWeight(double weight)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_lora_set_text_encoders_weight(new sdxl_lora(self.Id), weight));
                return this;
            }
        }

        /// <summary>Multiplies the weight in a block of the UNet. Of several blocks that a layer is in, the innermost counts.</summary>
        /// <param name="block">
        /// diffusers' name: "down_blocks.2", "mid_block", "up_blocks.0.attentions.1". One that the model does not have
        /// is found where a pipeline is given the LoRA.
        /// </param>
        /// <param name="factor">-100 to 100. Default: 1.</param>
        public SdxlLora SetBlock(string block, double factor)
        {
            using (var self = Borrow())
            fixed (byte* blockText = Utf8.Encode(block, "block"))
            {
                Check(NativeMethods.sdxl_lora_set_block(new sdxl_lora(self.Id), blockText, factor));
                return this;
            }
        }

        /// <summary>Leaves out what does not fit a model, in the place of an error; SdxlPipeline.Unmatched lists it.</summary>
        public SdxlLora IgnoreUnmatched()
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_lora_ignore_unmatched(new sdxl_lora(self.Id)));
                return this;
            }
        }

        /// <summary>Says how strongly a LoRA acts.</summary>
        /// <param name="weight">on the UNet, but for blocks with a factor.</param>
        /// <param name="textEncodersWeight">on both text encoders.</param>
        public void Weights(out double weight, out double textEncodersWeight)
        {
            using (var self = Borrow())
            {
                double nativeWeight;
                double nativeTextEncodersWeight;
                Check(NativeMethods.sdxl_lora_weights(new sdxl_lora(self.Id), &nativeWeight, &nativeTextEncodersWeight));
                weight = nativeWeight;
                textEncodersWeight = nativeTextEncodersWeight;
            }
        }

        /// <summary>Copies the blocks with a factor of their own, one in a line: "down_blocks.2 0.5".</summary>
        public string Blocks()
        {
            using (var self = Borrow())
            {
                UIntPtr size;
                Check(NativeMethods.sdxl_lora_copy_blocks(new sdxl_lora(self.Id), null, UIntPtr.Zero, &size));
                var found = new byte[checked((int)size.ToUInt64())];
                fixed (byte* items = found) Check(NativeMethods.sdxl_lora_copy_blocks(new sdxl_lora(self.Id), items, size, &size));
                return Utf8.Decode(found);
            }
        }

        /// <summary>Copies the path that a LoRA was read from.</summary>
        public string Path()
        {
            using (var self = Borrow())
            {
                UIntPtr size;
                Check(NativeMethods.sdxl_lora_path(new sdxl_lora(self.Id), null, UIntPtr.Zero, &size));
                var found = new byte[checked((int)size.ToUInt64())];
                fixed (byte* items = found) Check(NativeMethods.sdxl_lora_path(new sdxl_lora(self.Id), items, size, &size));
                return Utf8.Decode(found);
            }
        }

        /// <summary>Copies a few words about what the file looks like, such as "a LoRA for SDXL".</summary>
        public string LooksLike()
        {
            using (var self = Borrow())
            {
                UIntPtr size;
                Check(NativeMethods.sdxl_lora_copy_looks_like(new sdxl_lora(self.Id), null, UIntPtr.Zero, &size));
                var found = new byte[checked((int)size.ToUInt64())];
                fixed (byte* items = found) Check(NativeMethods.sdxl_lora_copy_looks_like(new sdxl_lora(self.Id), items, size, &size));
                return Utf8.Decode(found);
            }
        }
    }
}
