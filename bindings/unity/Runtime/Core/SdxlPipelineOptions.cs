using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using Sdxl.Native;

namespace Sdxl
{
    /// <summary>Options for loading a model. Any number of pipelines can be loaded with them.</summary>
    public sealed unsafe partial class SdxlPipelineOptions : SdxlObject
    {
        SdxlPipelineOptions(ulong id) : base(new PipelineOptionsHandle(id)) { }

        /// <summary>Makes options for a model on disk.</summary>
        /// <param name="model">
        /// a diffusers folder, a folder of the Hugging Face cache or the name of a repository in it
        /// ("stabilityai/stable-diffusion-xl-base-1.0"), or a single .safetensors file.
        /// </param>
        public SdxlPipelineOptions(string model) : this(New(model)) { }

        static ulong New(string model)
        {
            SdxlLibrary.Require();
            sdxl_pipeline_options options;
            fixed (byte* text = Utf8.Encode(model, "model"))
            {
                Check(NativeMethods.sdxl_pipeline_options_new(text, &options));
            }
            return options.id;
        }

        /// <summary>Makes options for a model in memory, such as in a game's pack: add its files to them.</summary>
        /// <param name="name">what the model is called in pictures and messages.</param>
        public static SdxlPipelineOptions InMemory(string name)
        {
            SdxlLibrary.Require();
            sdxl_pipeline_options options;
            fixed (byte* text = Utf8.Encode(name, "name"))
            {
                Check(NativeMethods.sdxl_pipeline_options_new_in_memory(text, &options));
            }
            return new SdxlPipelineOptions(options.id);
        }

        /// <summary>Adds a file of a model in memory. Nothing is copied: the array is pinned until Dispose.</summary>
        /// <param name="name">
        /// where the file would lie in a diffusers folder, such as "unet/config.json"; or any name for a single
        /// .safetensors file with the whole model, which is the only one then.
        /// </param>
        /// <param name="data">the bytes of the file, which must not be changed.</param>
        public SdxlPipelineOptions AddFile(string name, byte[] data)
        {
            using (Borrow())
            {
                var pin = GCHandle.Alloc(NotNull(data, "data"), GCHandleType.Pinned);
                ((PipelineOptionsHandle)Handle).Keep(pin);
                // An empty file has an address too.
                IntPtr address = data.Length == 0 ? new IntPtr(1) : pin.AddrOfPinnedObject();
                return AddFile(name, address, data.LongLength);
            }
        }

        /// <summary>
        /// Adds a file of a model in memory. Nothing is copied: the memory must stay as it is until the options are
        /// disposed of, and until calls that use them have returned. Pipelines do not need it.
        /// </summary>
        /// <param name="name">as in the other AddFile.</param>
        /// <param name="data">the bytes of the file.</param>
        /// <param name="size">how many they are.</param>
        public SdxlPipelineOptions AddFile(string name, IntPtr data, long size)
        {
            using (var self = Borrow())
            fixed (byte* text = Utf8.Encode(name, "name"))
            {
                var options = new sdxl_pipeline_options(self.Id);
                Check(NativeMethods.sdxl_pipeline_options_add_file(options, text, (byte*)data, Size(size, "size")));
            }
            return this;
        }

        /// <summary>
        /// Checks the model without reading its weights: configurations, tokenizers, and names and shapes of all tensors.
        /// </summary>
        public void Check()
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_pipeline_options_check(new sdxl_pipeline_options(self.Id)));
            }
        }
    }
}

namespace Sdxl.Native
{
    internal sealed partial class PipelineOptionsHandle
    {
        readonly List<GCHandle> pins = new List<GCHandle>();

        internal void Keep(GCHandle pin)
        {
            lock (pins) pins.Add(pin);
        }

        partial void Released()
        {
            foreach (GCHandle pin in pins) pin.Free();
            pins.Clear();
        }
    }
}
