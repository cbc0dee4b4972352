// The package's component against stubs of the engine, frame by frame: what it writes into a texture, and when.
using System;
using System.IO;
using System.Reflection;
using NUnit.Framework;
using Sdxl.Unity;
using UnityEngine;

namespace Sdxl.Tests
{
    public class UnityLayerTests
    {
        /// <summary>Unity's messages, which are private methods.</summary>
        static void Send(MonoBehaviour component, string message)
        {
            component.GetType().GetMethod(message, BindingFlags.Instance | BindingFlags.NonPublic).Invoke(component, null);
        }

        static void Frames(SdxlGenerator generator)
        {
            DateTime end = DateTime.UtcNow + TimeSpan.FromMinutes(2);
            while (generator.IsBusy)
            {
                Assert.IsTrue(DateTime.UtcNow < end, "it takes more than two minutes");
                Send(generator, "Update");
                System.Threading.Thread.Sleep(1);
            }
        }

        [Test]
        public void ATextureIsFilledFromTheBottom()
        {
            using (var image = new SdxlImage(1, 2, new byte[] { 1, 2, 3, 4, 5, 6 }))
            {
                Texture2D texture = image.ToTexture();
                Assert.AreEqual(new byte[] { 4, 5, 6, 255, 1, 2, 3, 255 }, texture.Bytes);
                Assert.IsFalse(texture.IsLinear);
                Assert.AreEqual(1, texture.Applied);
                // The same one is filled again, another size is another one.
                Texture2D same = texture;
                image.CopyTo(ref texture);
                Assert.IsTrue(ReferenceEquals(same, texture));
                using (SdxlImage back = same.ToImage()) Assert.AreEqual(image.GetPixels(), back.GetPixels());
                using (SdxlImage other = image.Resize(2, 2)) other.CopyTo(ref texture);
                Assert.IsTrue(texture.width == 2 && same == null);
                var half = new Texture2D(1, 2, TextureFormat.RGBAHalf, false, false);
                image.CopyTo(ref half);
                Assert.AreEqual(TextureFormat.RGBAHalf, half.format);
                // 1 in 16 bits: alpha of the first pixel.
                Assert.AreEqual(0x3c, half.Bytes[7]);
                using (SdxlImage back = half.ToImage()) Assert.AreEqual(image.GetPixels(), back.GetPixels());
                var packed = new Texture2D(4, 4, TextureFormat.DXT1, false, false);
                StringAssert.Contains("DXT1", Assert.Throws<ArgumentException>(() => packed.ToImage()).Message);
            }
        }

        [Test]
        public void TheComponentDrawsFrameByFrame()
        {
            int previews = 0;
            Texture2D shown = null;
            var generator = new SdxlGenerator { Model = TestModel.Path, Prompt = "a cat", Steps = 12, Seed = 5 };
            generator.OnPreview.AddListener(texture => previews += texture.width == TestModel.Side / 8 ? 1 : 100);
            generator.OnFinished.AddListener(texture => shown = texture);
            generator.Generate();
            Assert.IsTrue(generator.IsBusy);
            Frames(generator);
            using (SdxlRequest request = TestModel.Request("a cat", 12))
            {
                SdxlImage[] images = TestModel.Pipeline.Generate(request);
                Assert.AreEqual(images[0].GetPixels(SdxlPixelLayout.UnityRgba32), shown.Bytes);
                images[0].Dispose();
            }
            Assert.IsTrue(previews > 0 && previews <= 12, previews + " previews");
            Assert.AreEqual(12, generator.Progress.Step);

            // Another seed, the same texture; cancelled at once, it stays as it was.
            byte[] before = shown.Bytes;
            generator.Seed = 6;
            generator.Steps = 150;
            generator.Generate();
            Send(generator, "Update");
            generator.Cancel();
            Frames(generator);
            Assert.AreEqual(before, generator.Picture.Bytes);
            Send(generator, "OnDestroy");
            Assert.IsTrue(shown == null);
        }

        [Test]
        public void TheComponentSaysWhatIsWrong()
        {
            string said = null;
            var generator = new SdxlGenerator { Model = "/nowhere/model" };
            generator.OnFailed.AddListener(message => said = message);
            generator.Generate();
            Frames(generator);
            StringAssert.Contains("/nowhere/model", said);
            // What is wrong can be mended.
            generator.Model = TestModel.Path;
            generator.Steps = 0;
            generator.Generate();
            Frames(generator);
            StringAssert.Contains("steps", said);
            generator.Steps = 1;
            generator.Generate();
            Frames(generator);
            Assert.AreEqual(TestModel.Side, generator.Picture.width);
            // Destroyed while the model is read.
            generator.Unload();
            generator.Generate();
            Send(generator, "OnDestroy");
        }

        [Test]
        public void APlayerGetsTheLibrariesBesideItsOwn()
        {
            string player = TestModel.Folder("player"), siblings = TestModel.Folder("siblings");
            string plugins = Path.Combine(player, "Game_Data", "Plugins");
            Directory.CreateDirectory(plugins);
            File.WriteAllText(Path.Combine(plugins, "libsdxl.so"), "library");
            foreach (string name in new[] { "libc10.so", "libc10.so.meta", "libcudart.so.13" })
            {
                File.WriteAllText(Path.Combine(siblings, name), name);
            }
            MethodInfo copy = Assembly.Load("Sdxl.Unity.Editor").GetType("Sdxl.Unity.Editor.SdxlBuildPostprocessor")
                .GetMethod("CopySiblings", BindingFlags.Static | BindingFlags.NonPublic);
            Assert.AreEqual(2, copy.Invoke(null, new object[] { siblings, player }));
            Assert.IsTrue(File.Exists(Path.Combine(plugins, "sdxl", "libcudart.so.13")));
            Assert.IsFalse(File.Exists(Path.Combine(plugins, "sdxl", "libc10.so.meta")));
        }
    }
}
