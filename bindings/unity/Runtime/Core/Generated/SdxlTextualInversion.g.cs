// Generated from include/sdxl.h by scripts/csharp: do not edit.
using System;
using Sdxl.Native;

namespace Sdxl
{
    /// <summary>
    /// New words for prompts, with the vectors that the text encoders are given for them. Pipelines that it was given to
    /// keep what it was then.
    /// </summary>
    public sealed unsafe partial class SdxlTextualInversion : SdxlObject
    {
        internal SdxlTextualInversion(ulong id) : base(new TextualInversionHandle(id)) { }

        /// <summary>Reads a textual inversion. It belongs to no model: whether it fits one is found where a pipeline is given it.</summary>
        /// <param name="path">the safetensors file, whatever its name ends in.</param>
        public static SdxlTextualInversion Open(string path)
        {
            SdxlLibrary.Require();
            fixed (byte* pathText = Utf8.Encode(path, "path"))
            {
                sdxl_textual_inversion nativeTextualInversion;
                Check(NativeMethods.sdxl_textual_inversion_open(pathText, &nativeTextualInversion));
                return new SdxlTextualInversion(nativeTextualInversion.id);
            }
        }

        /// <summary>Gives it other words.</summary>
        /// <param name="words">
        /// each of 1 to 128 bytes without spaces, which is checked where a pipeline is given it. Default: those of the
        /// file.
        /// </param>
        public SdxlTextualInversion SetWords(string[] words)
        {
            NotNull(words, "words");
            using (var self = Borrow())
            using (var wordsHeld = new Utf8List(words, "words"))
            fixed (void* wordsItems = wordsHeld.Items)
            {
                Check(NativeMethods.sdxl_textual_inversion_set_words(new sdxl_textual_inversion(self.Id), (byte**)wordsItems, Count(words)));
                return this;
            }
        }

        /// <summary>Copies the words, one in a line.</summary>
        public string Words()
        {
            using (var self = Borrow())
            {
                UIntPtr size;
                Check(NativeMethods.sdxl_textual_inversion_copy_words(new sdxl_textual_inversion(self.Id), null, UIntPtr.Zero, &size));
                var found = new byte[checked((int)size.ToUInt64())];
                fixed (byte* items = found) Check(NativeMethods.sdxl_textual_inversion_copy_words(new sdxl_textual_inversion(self.Id), items, size, &size));
                return Utf8.Decode(found);
            }
        }

        /// <summary>Copies the path that it was read from.</summary>
        public string Path()
        {
            using (var self = Borrow())
            {
                UIntPtr size;
                Check(NativeMethods.sdxl_textual_inversion_path(new sdxl_textual_inversion(self.Id), null, UIntPtr.Zero, &size));
                var found = new byte[checked((int)size.ToUInt64())];
                fixed (byte* items = found) Check(NativeMethods.sdxl_textual_inversion_path(new sdxl_textual_inversion(self.Id), items, size, &size));
                return Utf8.Decode(found);
            }
        }
    }
}
