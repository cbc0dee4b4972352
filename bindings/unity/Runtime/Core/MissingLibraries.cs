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
            foreach (string name in Needed(File.ReadAllBytes(library)))
            {
                if (!seen.Add(name)) continue;
                string neighbour = Path.Combine(folder, name);
                if (!File.Exists(neighbour)) neighbour = Path.Combine(folder, "sdxl", name);
                if (File.Exists(neighbour))
                {
                    // The others hold no surprises, and hundreds of megabytes.
                    if (new FileInfo(neighbour).Length < 16 << 20) Look(neighbour, seen, lines);
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

        /// <summary>The names of the libraries that an ELF file of 64 bits asks for.</summary>
        internal static List<string> Needed(byte[] file)
        {
            var names = new List<string>();
            if (file.Length < 64 || BitConverter.ToUInt32(file, 0) != 0x464C457F || file[4] != 2)
            {
                throw new BadImageFormatException("it is no 64-bit library");
            }
            long sections = BitConverter.ToInt64(file, 40);
            int size = BitConverter.ToUInt16(file, 58), count = BitConverter.ToUInt16(file, 60);
            for (int index = 0; index < count; index++)
            {
                int section = checked((int)(sections + index * size));
                const int Dynamic = 6, NeededTag = 1;
                if (BitConverter.ToInt32(file, section + 4) != Dynamic) continue;
                long start = BitConverter.ToInt64(file, section + 24), bytes = BitConverter.ToInt64(file, section + 32);
                int link = checked((int)(sections + BitConverter.ToInt32(file, section + 40) * size));
                long texts = BitConverter.ToInt64(file, link + 24);
                for (long entry = start; entry < start + bytes; entry += 16)
                {
                    if (BitConverter.ToInt64(file, (int)entry) != NeededTag) continue;
                    int from = checked((int)(texts + BitConverter.ToInt64(file, (int)entry + 8)));
                    int end = Array.IndexOf(file, (byte)0, from);
                    names.Add(Encoding.ASCII.GetString(file, from, end - from));
                }
            }
            return names;
        }
    }
}
