using System;
using System.Runtime.InteropServices;
using System.Text;

namespace Sdxl.Native
{
    /// <summary>C's texts: UTF-8 that ends with a NUL.</summary>
    internal static unsafe class Utf8
    {
        // Half of a surrogate pair is an error, not a question mark.
        static readonly UTF8Encoding Strict = new UTF8Encoding(false, true);

        internal static byte[] Encode(string text, string name)
        {
            if (text == null) throw new ArgumentNullException(name);
            if (text.IndexOf('\0') >= 0) throw SdxlException.Of(SdxlStatus.InvalidText, name + " has a NUL within");
            try
            {
                var bytes = new byte[Strict.GetByteCount(text) + 1];
                Strict.GetBytes(text, 0, text.Length, bytes, 0);
                return bytes;
            }
            catch (EncoderFallbackException)
            {
                throw SdxlException.Of(SdxlStatus.InvalidText, name + " is not valid Unicode");
            }
        }

        /// <summary>A text of the library's; null is "".</summary>
        internal static string Decode(byte* text)
        {
            if (text == null) return "";
            int length = 0;
            while (text[length] != 0) length++;
            return length == 0 ? "" : Encoding.UTF8.GetString(text, length);
        }

        /// <summary>A text with its NUL.</summary>
        internal static string Decode(byte[] bytes)
        {
            return bytes.Length == 0 ? "" : Encoding.UTF8.GetString(bytes, 0, bytes.Length - 1);
        }
    }

    /// <summary>Texts in a list, in memory that stays where it is.</summary>
    internal struct Utf8List : IDisposable
    {
        /// <summary>What C reads: where each text lies.</summary>
        internal readonly IntPtr[] Items;
        readonly GCHandle[] pins;

        internal Utf8List(string[] texts, string name)
        {
            int count = texts == null ? 0 : texts.Length;
            var encoded = new byte[count][];
            for (int index = 0; index < count; index++) encoded[index] = Utf8.Encode(texts[index], name);
            Items = new IntPtr[count];
            pins = new GCHandle[count];
            for (int index = 0; index < count; index++)
            {
                pins[index] = GCHandle.Alloc(encoded[index], GCHandleType.Pinned);
                Items[index] = pins[index].AddrOfPinnedObject();
            }
        }

        public void Dispose()
        {
            foreach (GCHandle pin in pins) pin.Free();
        }
    }
}
