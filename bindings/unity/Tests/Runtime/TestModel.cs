using System;
using System.IO;
using NUnit.Framework;

namespace Sdxl.Tests
{
    /// <summary>A tiny model with random weights, which draws 64 x 64 pixels: SDXL_TEST_MODEL is its folder.</summary>
    static class TestModel
    {
        internal const int Side = 64;

        static SdxlPipeline pipeline;

        internal static string Path
        {
            get
            {
                string path = Environment.GetEnvironmentVariable("SDXL_TEST_MODEL");
                if (string.IsNullOrEmpty(path)) Assert.Ignore("SDXL_TEST_MODEL is not set");
                return path;
            }
        }

        /// <summary>Read once.</summary>
        internal static SdxlPipeline Pipeline
        {
            get { return pipeline ?? (pipeline = SdxlPipeline.Load(Path)); }
        }

        internal static SdxlRequest Request(string prompt = "a cat", int steps = 2)
        {
            return new SdxlRequest(prompt).SetSteps(steps).SetSeed(5);
        }

        /// <summary>What a request draws.</summary>
        internal static byte[] Draw(SdxlPipeline pipeline, SdxlRequest request)
        {
            SdxlImage[] images = pipeline.Generate(request);
            Assert.AreEqual(1, images.Length);
            using (images[0]) return images[0].GetPixels();
        }

        /// <summary>A folder that is empty, whose name is not ASCII.</summary>
        internal static string Folder(string name)
        {
            string folder = System.IO.Path.Combine(System.IO.Path.GetTempPath(), "sdxl-tests", name);
            if (Directory.Exists(folder)) Directory.Delete(folder, true);
            Directory.CreateDirectory(folder);
            return folder;
        }
    }
}
