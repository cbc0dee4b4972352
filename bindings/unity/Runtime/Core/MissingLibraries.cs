using System;
using System.Collections.Generic;
using System.IO;

namespace Sdxl.Native
{
    /// <summary>
    /// Says why libsdxl.so could not be loaded, which the runtime does not. It needs no library but the system's; that it
    /// finds libtorch is seen when that is needed, and then the message of the status says what is missing.
    /// </summary>
    internal static class MissingLibraries
    {
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
                    lines.Add(library + (IsLibrary(library) ? " is there" : " is no 64-bit library"));
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

        /// <summary>Whether it begins as an ELF file of 64 bits.</summary>
        static bool IsLibrary(string path)
        {
            byte[] expected = { 0x7F, (byte)'E', (byte)'L', (byte)'F', 2 };
            using (FileStream file = File.OpenRead(path))
            {
                return Array.TrueForAll(expected, value => file.ReadByte() == value);
            }
        }
    }
}
