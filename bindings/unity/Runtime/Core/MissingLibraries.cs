using System;
using System.Collections.Generic;
using System.IO;
using System.Runtime.InteropServices;
using System.Text;

namespace Sdxl.Native
{
    /// <summary>
    /// Says why libsdxl.so could not be loaded, which the loader does not: with a library missing that libsdxl.so needs, it
    /// says that libsdxl.so is missing.
    /// </summary>
    internal static class MissingLibraries
    {
        [DllImport("libdl.so.2", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        static extern unsafe IntPtr dlopen(byte* path, int flags);

        const int RtldLazy = 1;

        internal static string Explain(Exception error)
        {
            var lines = new List<string>();
            try
            {
                string library = Find();
                if (library == null)
                {
                    lines.Add("libsdxl.so is in none of: " + string.Join(", ", Folders()));
                }
                else
                {
                    lines.Add(library + " is there");
                    Look(library, new HashSet<string>(), lines);
                }
            }
            catch (Exception other)
            {
                lines.Add(other.Message);
            }
            return "libsdxl cannot be loaded (" + error.Message + "): " + string.Join("; ", lines);
        }

        static string Find()
        {
            foreach (string folder in Folders())
            {
                string path = Path.Combine(folder, "libsdxl.so");
                if (File.Exists(path)) return path;
            }
            return null;
        }

        /// <summary>Where the runtime and the loader look.</summary>
        static List<string> Folders()
        {
            var folders = new List<string>();
            string location = typeof(MissingLibraries).Assembly.Location;
            if (!string.IsNullOrEmpty(location)) folders.Add(Path.GetDirectoryName(location));
            folders.Add(AppDomain.CurrentDomain.BaseDirectory);
            string variable = Environment.GetEnvironmentVariable("LD_LIBRARY_PATH") ?? "";
            folders.AddRange(variable.Split(new[] { ':' }, StringSplitOptions.RemoveEmptyEntries));
            folders.AddRange(new[] { "/usr/local/lib", "/usr/lib" });
            return folders;
        }

        /// <summary>Names what a library needs and does not find, and what those need that it finds.</summary>
        static unsafe void Look(string library, HashSet<string> seen, List<string> lines)
        {
            string folder = Path.GetDirectoryName(library);
            foreach (string name in Needed(library))
            {
                if (!seen.Add(name)) continue;
                string neighbour = Path.Combine(folder, name);
                if (!File.Exists(neighbour)) neighbour = Path.Combine(folder, "sdxl", name);
                if (File.Exists(neighbour))
                {
                    Look(neighbour, seen, lines);
                    continue;
                }
                fixed (byte* text = Utf8.Encode(name, "name"))
                {
                    if (dlopen(text, RtldLazy) == IntPtr.Zero)
                    {
                        lines.Add(name + ", which " + Path.GetFileName(library) + " needs, is missing");
                    }
                }
            }
        }

        /// <summary>The names of the libraries that an ELF file of 64 bits asks for. Little of it is read.</summary>
        static List<string> Needed(string path)
        {
            var names = new List<string>();
            using (FileStream file = File.OpenRead(path))
            {
                byte[] header = Part(file, 0, 64);
                if (BitConverter.ToUInt32(header, 0) != 0x464C457F || header[4] != 2) throw NoLibrary();
                int size = BitConverter.ToUInt16(header, 58), count = BitConverter.ToUInt16(header, 60);
                byte[] sections = Part(file, BitConverter.ToInt64(header, 40), size * count);
                for (int section = 0; section + 64 <= sections.Length; section += size)
                {
                    const int Dynamic = 6, NeededTag = 1;
                    if (BitConverter.ToInt32(sections, section + 4) != Dynamic) continue;
                    byte[] entries = Content(file, sections, section);
                    byte[] texts = Content(file, sections, size * BitConverter.ToInt32(sections, section + 40));
                    for (int entry = 0; entry + 16 <= entries.Length; entry += 16)
                    {
                        if (BitConverter.ToInt64(entries, entry) != NeededTag) continue;
                        int from = (int)BitConverter.ToInt64(entries, entry + 8);
                        names.Add(Encoding.ASCII.GetString(texts, from, Array.IndexOf(texts, (byte)0, from) - from));
                    }
                }
            }
            return names;
        }

        static byte[] Content(FileStream file, byte[] sections, int section)
        {
            return Part(file, BitConverter.ToInt64(sections, section + 24), BitConverter.ToInt64(sections, section + 32));
        }

        static byte[] Part(FileStream file, long from, long count)
        {
            if (from < 0 || count < 0 || from > file.Length - count || count > 16 << 20) throw NoLibrary();
            var part = new byte[count];
            file.Position = from;
            for (int done = 0; done < part.Length;)
            {
                int read = file.Read(part, done, part.Length - done);
                if (read == 0) throw NoLibrary();
                done += read;
            }
            return part;
        }

        static Exception NoLibrary() { return new BadImageFormatException("it is no 64-bit library"); }
    }
}
