using System;
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

        /// <summary>A function that copies a text into a buffer, or says how large it must be.</summary>
        internal delegate int Copy(byte* buffer, UIntPtr capacity, UIntPtr* size);

        internal static string Read(Copy copy)
        {
            byte[] bytes = Bytes(copy);
            return bytes.Length == 0 ? "" : Encoding.UTF8.GetString(bytes, 0, bytes.Length - 1);
        }

        /// <summary>The same for what is no text.</summary>
        internal static byte[] Bytes(Copy copy)
        {
            UIntPtr size;
            SdxlException.Check(copy(null, UIntPtr.Zero, &size));
            var bytes = new byte[checked((int)size.ToUInt64())];
            fixed (byte* buffer = bytes)
            {
                SdxlException.Check(copy(buffer, size, &size));
            }
            return bytes;
        }
    }
}
