using System;
using System.Collections.Generic;
using System.IO;

namespace Sdxl
{
    /// <summary>Models on this machine, to offer a choice.</summary>
    public static class SdxlModels
    {
        /// <summary>
        /// The names of the repositories in the Hugging Face cache that are diffusers folders, such as
        /// "stabilityai/stable-diffusion-xl-base-1.0": what SdxlPipelineOptions takes.
        /// </summary>
        public static List<string> InCache()
        {
            const string Prefix = "models--";
            var names = new List<string>();
            string cache = CacheFolder();
            if (!Directory.Exists(cache)) return names;
            foreach (string folder in Directory.GetDirectories(cache, Prefix + "*"))
            {
                string snapshots = Path.Combine(folder, "snapshots");
                if (!Directory.Exists(snapshots)) continue;
                foreach (string snapshot in Directory.GetDirectories(snapshots))
                {
                    if (!File.Exists(Path.Combine(snapshot, "model_index.json"))) continue;
                    names.Add(Path.GetFileName(folder).Substring(Prefix.Length).Replace("--", "/"));
                    break;
                }
            }
            names.Sort(StringComparer.Ordinal);
            return names;
        }

        /// <summary>The diffusers folders and .safetensors files of a folder, such as StreamingAssets.</summary>
        /// <param name="folder">which one; where it does not exist, there are none.</param>
        public static List<string> InFolder(string folder)
        {
            var paths = new List<string>();
            if (!Directory.Exists(folder)) return paths;
            foreach (string model in Directory.GetDirectories(folder))
            {
                if (File.Exists(Path.Combine(model, "model_index.json"))) paths.Add(model);
            }
            paths.AddRange(Directory.GetFiles(folder, "*.safetensors"));
            paths.Sort(StringComparer.Ordinal);
            return paths;
        }

        /// <summary>Where Hugging Face's programs and this library look.</summary>
        static string CacheFolder()
        {
            string cache = Environment.GetEnvironmentVariable("HF_HUB_CACHE");
            if (!string.IsNullOrEmpty(cache)) return cache;
            string home = Environment.GetEnvironmentVariable("HF_HOME");
            if (!string.IsNullOrEmpty(home)) return Path.Combine(home, "hub");
            string caches = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
            if (string.IsNullOrEmpty(caches))
            {
                caches = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
            }
            return Path.Combine(caches, "huggingface", "hub");
        }
    }
}
