using System;
using Sdxl.Native;

namespace Sdxl
{
    /// <summary>Encoded text: a context, token by token, and a pooled vector. It never changes.</summary>
    public sealed unsafe class SdxlEmbeddings : SdxlObject
    {
        internal SdxlEmbeddings(ulong id) : base(new EmbeddingsHandle(id)) { }

        /// <summary>Makes embeddings of numbers, which are copied.</summary>
        /// <param name="context">rows x tokens x width numbers.</param>
        /// <param name="pooled">rows x width numbers; the widths follow from the counts.</param>
        /// <param name="rows">1, or as many as a request has pictures.</param>
        /// <param name="tokens">77 for each chunk of the prompt.</param>
        public SdxlEmbeddings(float[] context, float[] pooled, int rows, int tokens)
            : this(New(context, pooled, rows, tokens)) { }

        static ulong New(float[] context, float[] pooled, int rows, int tokens)
        {
            SdxlLibrary.Require();
            sdxl_embeddings embeddings;
            fixed (float* contextItems = NotNull(context, "context"))
            fixed (float* pooledItems = NotNull(pooled, "pooled"))
            {
                Check(NativeMethods.sdxl_embeddings_new(
                    contextItems, Count(context), pooledItems, Count(pooled), Unsigned(rows, "rows"),
                    Unsigned(tokens, "tokens"), &embeddings));
            }
            return embeddings.id;
        }

        /// <summary>Reads the tensors "context" and "pooled" of a safetensors file.</summary>
        /// <param name="path">the file.</param>
        public static SdxlEmbeddings Open(string path)
        {
            SdxlLibrary.Require();
            sdxl_embeddings embeddings;
            fixed (byte* text = Utf8.Encode(path, "path"))
            {
                Check(NativeMethods.sdxl_embeddings_open(text, &embeddings));
            }
            return new SdxlEmbeddings(embeddings.id);
        }

        /// <summary>Saves a safetensors file with the tensors "context" and "pooled", in full or not at all.</summary>
        /// <param name="path">the file; one that is there is replaced.</param>
        public void Save(string path)
        {
            using (var self = Borrow())
            fixed (byte* text = Utf8.Encode(path, "path"))
            {
                Check(NativeMethods.sdxl_embeddings_save(new sdxl_embeddings(self.Id), text));
            }
        }

        /// <summary>Four numbers: rows, tokens, width of the context, width of the pooled vector.</summary>
        public int[] Shape
        {
            get
            {
                using (var self = Borrow())
                {
                    uint* sides = stackalloc uint[4];
                    Check(NativeMethods.sdxl_embeddings_shape(new sdxl_embeddings(self.Id), sides));
                    return new[] { (int)sides[0], (int)sides[1], (int)sides[2], (int)sides[3] };
                }
            }
        }

        /// <summary>Copies the context, row by row and token by token.</summary>
        public float[] GetContext() { return Read(NativeMethods.sdxl_embeddings_copy_context); }

        /// <summary>Copies the pooled vectors, row by row.</summary>
        public float[] GetPooled() { return Read(NativeMethods.sdxl_embeddings_copy_pooled); }

        delegate int Copy(sdxl_embeddings embeddings, float* buffer, UIntPtr capacity, UIntPtr* count);

        float[] Read(Copy copy)
        {
            using (var self = Borrow())
            {
                var embeddings = new sdxl_embeddings(self.Id);
                UIntPtr count;
                Check(copy(embeddings, null, UIntPtr.Zero, &count));
                var values = new float[checked((int)count.ToUInt64())];
                fixed (float* items = values)
                {
                    Check(copy(embeddings, items, count, &count));
                }
                return values;
            }
        }
    }
}
