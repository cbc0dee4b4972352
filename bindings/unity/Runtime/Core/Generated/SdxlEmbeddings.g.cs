// Generated from include/sdxl.h by scripts/csharp: do not edit.
using System;
using Sdxl.Native;

namespace Sdxl
{
    /// <summary>Encoded text: a context, token by token, and a pooled vector. It never changes.</summary>
    public sealed unsafe partial class SdxlEmbeddings : SdxlObject
    {
        internal SdxlEmbeddings(ulong id) : base(new EmbeddingsHandle(id)) { }

        /// <summary>Makes embeddings of numbers, which are copied.</summary>
        /// <param name="context">rows x tokens x context_width numbers.</param>
        /// <param name="pooled">rows x pooled_width numbers.</param>
        /// <param name="rows">1, or as many as a request has pictures.</param>
        /// <param name="tokens">77 for each chunk of the prompt.</param>
        /// <remarks>The widths follow from the counts; whether they are those of the model is found when a job uses them.</remarks>
        public SdxlEmbeddings(float[] context, float[] pooled, int rows, int tokens) : this(New(context, pooled, rows, tokens)) { }

        static ulong New(float[] context, float[] pooled, int rows, int tokens)
        {
            SdxlLibrary.Require();
            fixed (float* contextItems = NotNull(context, "context"))
            fixed (float* pooledItems = NotNull(pooled, "pooled"))
            {
                sdxl_embeddings nativeEmbeddings;
                Check(NativeMethods.sdxl_embeddings_new(contextItems, Count(context), pooledItems, Count(pooled), Unsigned(rows, "rows"), Unsigned(tokens, "tokens"), &nativeEmbeddings));
                return nativeEmbeddings.id;
            }
        }

        /// <summary>Reads the tensors "context" and "pooled" of a safetensors file.</summary>
        /// <param name="path">the file.</param>
        public static SdxlEmbeddings Open(string path)
        {
            SdxlLibrary.Require();
            fixed (byte* pathText = Utf8.Encode(path, "path"))
            {
                sdxl_embeddings nativeEmbeddings;
                Check(NativeMethods.sdxl_embeddings_open(pathText, &nativeEmbeddings));
                return new SdxlEmbeddings(nativeEmbeddings.id);
            }
        }

        /// <summary>Saves a safetensors file with the tensors "context" and "pooled", in full or not at all.</summary>
        /// <param name="path">the file; one that is there is replaced.</param>
        public void Save(string path)
        {
            using (var self = Borrow())
            fixed (byte* pathText = Utf8.Encode(path, "path"))
            {
                Check(NativeMethods.sdxl_embeddings_save(new sdxl_embeddings(self.Id), pathText));
            }
        }

        /// <summary>Says how large embeddings are.</summary>
        public int[] Shape()
        {
            using (var self = Borrow())
            {
                uint* nativeShape = stackalloc uint[4];
                Check(NativeMethods.sdxl_embeddings_shape(new sdxl_embeddings(self.Id), nativeShape));
                return Signed(nativeShape, 4);
            }
        }

        /// <summary>Copies the context.</summary>
        public float[] Context()
        {
            using (var self = Borrow())
            {
                UIntPtr size;
                Check(NativeMethods.sdxl_embeddings_copy_context(new sdxl_embeddings(self.Id), null, UIntPtr.Zero, &size));
                var found = new float[checked((int)size.ToUInt64())];
                fixed (float* items = found) Check(NativeMethods.sdxl_embeddings_copy_context(new sdxl_embeddings(self.Id), items, size, &size));
                return found;
            }
        }

        /// <summary>Copies the pooled vectors.</summary>
        public float[] Pooled()
        {
            using (var self = Borrow())
            {
                UIntPtr size;
                Check(NativeMethods.sdxl_embeddings_copy_pooled(new sdxl_embeddings(self.Id), null, UIntPtr.Zero, &size));
                var found = new float[checked((int)size.ToUInt64())];
                fixed (float* items = found) Check(NativeMethods.sdxl_embeddings_copy_pooled(new sdxl_embeddings(self.Id), items, size, &size));
                return found;
            }
        }
    }
}
