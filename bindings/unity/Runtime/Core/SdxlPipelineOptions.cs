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
        /// disposed of, and until calls that use them have returned. Pipelines do not need it, but for those of
        /// SetStreamTextEncoders.
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
        /// Reads the text encoders' weights whenever a prompt is encoded, and keeps none of them: 1.6 GB less of SDXL in
        /// 16 bits. The pictures are the same, to the last bit; a prompt that differs from the one before takes the time to
        /// read its encoders' files, and its negative prompt once more. The files, or the memory given to AddFile, must
        /// stay as they are as long as the pipeline and those made of it; arrays, which are pinned for less, are refused
        /// with an InvalidOperationException.
        /// </summary>
        /// <param name="streamTextEncoders">Default: false.</param>
        public SdxlPipelineOptions SetStreamTextEncoders(bool streamTextEncoders)
        {
            using (var self = Borrow())
            {
                ((PipelineOptionsHandle)Handle).Stream(streamTextEncoders);
                var options = new sdxl_pipeline_options(self.Id);
                Check(NativeMethods.sdxl_pipeline_options_set_stream_text_encoders(options, streamTextEncoders ? 1u : 0u));
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
        bool isStreaming;

        internal void Keep(GCHandle pin)
        {
            lock (pins)
            {
                if (!isStreaming)
                {
                    pins.Add(pin);
                    return;
                }
            }
            pin.Free();
            throw NotAnArray();
        }

        internal void Stream(bool streaming)
        {
            lock (pins)
            {
                if (streaming && pins.Count > 0) throw NotAnArray();
                isStreaming = streaming;
            }
        }

        // Pipelines live on after their options, and would read memory that may have moved.
        static InvalidOperationException NotAnArray()
        {
            return new InvalidOperationException("text encoders cannot be streamed from an array: use AddFile with an address");
        }

        internal void PinAgain(PipelineOptionsHandle other)
        {
            lock (pins)
            {
                other.isStreaming = isStreaming;
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
