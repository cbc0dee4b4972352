using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using Sdxl.Native;

namespace Sdxl
{
    // Files in memory: nothing is copied, so that arrays are pinned.
    public sealed unsafe partial class SdxlPipelineOptions
    {
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

        /// <summary>Makes a copy, to change some of it. Arrays are pinned until its Dispose too.</summary>
        public SdxlPipelineOptions Clone()
        {
            using (var self = Borrow())
            {
                sdxl_pipeline_options options;
                Check(NativeMethods.sdxl_pipeline_options_clone(new sdxl_pipeline_options(self.Id), &options));
                var clone = new SdxlPipelineOptions(options.id);
                ((PipelineOptionsHandle)Handle).PinAgain((PipelineOptionsHandle)clone.Handle);
                return clone;
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

        internal void PinAgain(PipelineOptionsHandle other)
        {
            lock (pins)
            {
                foreach (GCHandle pin in pins) other.Keep(GCHandle.Alloc(pin.Target, GCHandleType.Pinned));
            }
        }

        partial void Released()
        {
            foreach (GCHandle pin in pins) pin.Free();
            pins.Clear();
        }
    }
}
