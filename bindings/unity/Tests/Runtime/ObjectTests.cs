using System;
using System.IO;
using System.Runtime.CompilerServices;
using System.Threading;
using NUnit.Framework;

namespace Sdxl.Tests
{
    /// <summary>Objects, texts, numbers and errors.</summary>
    public class ObjectTests
    {
        [Test]
        public void TheVersionIsThatOfThePackage()
        {
            Assert.AreEqual("0.1.0", SdxlLibrary.Version);
            Assert.IsTrue(SdxlLibrary.AbiVersion >= 1);
            Assert.AreEqual("SDXL_STATUS_OUT_OF_MEMORY", SdxlLibrary.StatusName(SdxlStatus.OutOfMemory));
            StringAssert.Contains("dpmpp_2m", SdxlLibrary.Names("scheduler"));
            Assert.AreEqual(80, SdxlLibrary.Buckets().Length);
            int width, height;
            SdxlLibrary.NearestBucket(1920, 1080, out width, out height);
            Assert.AreEqual(1344, width);
            Assert.AreEqual(768, height);
        }

        [Test]
        public void EveryErrorIsAnExceptionOfItsOwn()
        {
            using (SdxlRequest request = TestModel.Request())
            {
                var value = Assert.Throws<SdxlInvalidValueException>(() => request.SetSteps(0));
                Assert.AreEqual(SdxlStatus.InvalidValue, value.Status);
                StringAssert.Contains("steps", value.Message);
                StringAssert.Contains("-3", Assert.Throws<SdxlInvalidValueException>(() => request.SetSteps(-3)).Message);
                Assert.Throws<SdxlInvalidValueException>(() => request.SetGuidance(double.NaN));
                Assert.Throws<SdxlInvalidValueException>(() => request.SetSize(65, 64));
            }
            Assert.Throws<SdxlIoException>(() => SdxlImage.Open("/nowhere/x.png"));
            Assert.Throws<SdxlDeviceException>(() => SdxlLibrary.CheckDevice("cuda:99"));
            Assert.Throws<SdxlInvalidValueException>(() => new SdxlScheduler("Euler"));
            var image = new SdxlImage(2, 2, new byte[12]);
            Assert.Throws<SdxlBufferTooSmallException>(() => image.CopyPixels(new byte[11]));
            Assert.Throws<SdxlInvalidHandleException>(() => SdxlPipeline.Attach(12345));
            Assert.Throws<ArgumentNullException>(() => new SdxlConditioning(null));
            Assert.Throws<ArgumentNullException>(() => new SdxlRequest((SdxlConditioning)null));
            // An error leaves everything usable.
            Assert.AreEqual(12, image.GetPixels().Length);
        }

        [Test]
        public void WhatIsDisposedOfThrows()
        {
            SdxlConditioning conditioning = new SdxlConditioning("a cat");
            SdxlRequest request = new SdxlRequest(conditioning);
            conditioning.Dispose();
            conditioning.Dispose();
            Assert.IsTrue(conditioning.IsDisposed);
            Assert.Throws<ObjectDisposedException>(() => conditioning.SetClipSkip(1));
            Assert.Throws<ObjectDisposedException>(() => new SdxlRequest(conditioning));
            // The request does not need it.
            request.SetSteps(3);
            Assert.AreEqual(3, request.Info().Steps);
            request.Dispose();
            Assert.Throws<ObjectDisposedException>(() => request.Info());
            var latents = new SdxlLatents(new float[256], new[] { 1, 4, 8, 8 });
            latents.Dispose();
            Assert.Throws<ObjectDisposedException>(() => latents.Values());
        }

        [Test]
        public void TheGarbageCollectorFreesWhatIsForgotten()
        {
            WeakReference[] forgotten = Forget(200);
            for (int round = 0; round < 20; round++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }
            int left = 0;
            foreach (WeakReference one in forgotten) left += one.IsAlive ? 1 : 0;
            // A conservative collector may find a few on the stack.
            Assert.IsTrue(left < 20, left + " of 200 are left");
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        static WeakReference[] Forget(int count)
        {
            var forgotten = new WeakReference[count];
            for (int index = 0; index < count; index++)
            {
                forgotten[index] = new WeakReference(new SdxlImage(64, 64, new byte[64 * 64 * 3]));
            }
            return forgotten;
        }

        [Test]
        public void TextsAreUtf8()
        {
            const string Prompt = "eine Füchsin, 狐, 🦊";
            string folder = TestModel.Folder("Bilder 狐");
            using (var image = new SdxlImage(1, 1, new byte[] { 1, 2, 3 }))
            using (SdxlImage named = image.AddText("note", Prompt))
            {
                Assert.AreEqual(Prompt, named.Text("note"));
                Assert.AreEqual("", image.Text("note"));
                string path = Path.Combine(folder, "Füchsin 🦊.png");
                named.SavePng(path);
                Assert.IsTrue(File.Exists(path));
                using (SdxlImage read = SdxlImage.Open(path)) Assert.AreEqual(new byte[] { 1, 2, 3 }, read.GetPixels());
                Assert.AreEqual(0x89, named.EncodePng()[0]);
            }
            var missing = Assert.Throws<SdxlIoException>(() => SdxlImage.Open(Path.Combine(folder, "狐.png")));
            StringAssert.Contains("狐.png", missing.Message);
            Assert.Throws<SdxlInvalidTextException>(() => new SdxlConditioning("a\0b"));
            // Half of a surrogate pair.
            Assert.Throws<SdxlInvalidTextException>(() => new SdxlConditioning("a\ud83e"));
            Directory.Delete(folder, true);
        }

        [Test]
        public void PixelsGoInAndOut()
        {
            var pixels = new byte[3 * 2 * 3];
            for (int index = 0; index < pixels.Length; index++) pixels[index] = (byte)(index * 14 + 1);
            using (var image = new SdxlImage(3, 2, pixels))
            {
                Assert.AreEqual(3, image.Width);
                Assert.AreEqual(2, image.Height);
                Assert.AreEqual(pixels, image.GetPixels());
                byte[] unity = image.GetPixels(SdxlPixelLayout.UnityRgba32);
                Assert.AreEqual(24, unity.Length);
                // The lowest row comes first.
                Assert.AreEqual(pixels[9], unity[0]);
                Assert.AreEqual(255, unity[3]);
                using (var again = new SdxlImage(3, 2, unity, SdxlPixelLayout.UnityRgba32))
                {
                    Assert.AreEqual(pixels, again.GetPixels());
                }
                var wide = new SdxlPixelLayout { Stride = 16 };
                Assert.AreEqual(pixels[9], image.GetPixels(wide)[16]);
                var floats = new SdxlPixelLayout { Format = SdxlPixelFormat.Rgba32f };
                Assert.AreEqual(3 * 2 * 16, image.GetPixels(floats).Length);
                using (SdxlImage part = image.Crop(1, 0, 3, 1)) Assert.AreEqual(2, part.Width);
                SdxlImage mask;
                using (SdxlImage canvas = image.Outpaint(1, 0, 0, 0, out mask))
                using (mask)
                {
                    Assert.AreEqual(4, canvas.Width);
                    Assert.AreEqual(4, mask.Width);
                    Assert.AreEqual(4, mask.MaskRegion(8, 8, 0).Length);
                }
            }
        }

        [Test]
        public void EverySetterOfARequestIsChecked()
        {
            using (var conditioning = new SdxlConditioning("a cat"))
            using (var scheduler = new SdxlScheduler("euler"))
            {
                conditioning.SetNegativePrompt("blurry").SetPrompt2("a dog").SetPromptSyntax("a1111").SetClipSkip(1)
                    .SetOriginalSize(1024, 1024).SetCrop(8, 8).SetTargetSize(512, 512).SetAestheticScore(7);
                scheduler.SetSpacing("karras").SetSigmaRange(0.1, 10);
                StringAssert.Contains("EulerDiscreteScheduler", scheduler.Config());
                Assert.Throws<SdxlInvalidValueException>(() => scheduler.SetSpacing("even"));
                using (var request = new SdxlRequest(conditioning))
                {
                    request.SetSize(64, 64).SetSteps(3).SetGuidance(4).SetScheduler(scheduler)
                        .SetSeeds(new ulong[] { 7, ulong.MaxValue }).SetFreeu(0.9, 0.2, 1.3, 1.4).SetPerturbedAttention(3, 0, null).SetVariation(9, 0.5);
                    Assert.AreEqual(new ulong[] { 7, ulong.MaxValue }, request.Seeds());
                    Assert.AreEqual(2, request.Info().Pictures);
                    Assert.AreEqual(4.0, request.Info().Guidance);
                    Assert.Throws<SdxlInvalidValueException>(() => request.SetSeeds(new ulong[0]));
                    using (SdxlRequest clone = request.Clone().SetSteps(5))
                    {
                        Assert.AreEqual(5, clone.Info().Steps);
                        Assert.AreEqual(3, request.Info().Steps);
                    }
                }
            }
        }

        [Test]
        public void NumbersGoInAndOut()
        {
            var values = new float[256];
            for (int index = 0; index < 256; index++) values[index] = index / 7f;
            string folder = TestModel.Folder("numbers");
            using (var latents = new SdxlLatents(values, new[] { 1, 4, 8, 8 }))
            {
                Assert.AreEqual(values, latents.Values());
                Assert.AreEqual(new[] { 1, 4, 8, 8 }, latents.Shape());
                latents.Save(Path.Combine(folder, "latents.safetensors"));
                using (SdxlLatents read = SdxlLatents.Open(Path.Combine(folder, "latents.safetensors")))
                {
                    Assert.AreEqual(values, read.Values());
                }
                using (SdxlImage preview = latents.Preview()) Assert.AreEqual(8, preview.Width);
            }
            Assert.Throws<SdxlInvalidValueException>(() => new SdxlLatents(values, new[] { 1, 4, 8, 9 }));
            using (var embeddings = new SdxlEmbeddings(new float[77 * 8], new float[] { 1, 2, 3, 4 }, 1, 77))
            {
                Assert.AreEqual(new[] { 1, 77, 8, 4 }, embeddings.Shape());
                Assert.AreEqual(new float[] { 1, 2, 3, 4 }, embeddings.Pooled());
            }
            Directory.Delete(folder, true);
        }

        [Test]
        public void ObjectsMayBeDisposedOfWhileOthersUseThem()
        {
            for (int round = 0; round < 50; round++)
            {
                var image = new SdxlImage(256, 256, new byte[256 * 256 * 3]);
                var threads = new Thread[4];
                for (int index = 0; index < threads.Length; index++)
                {
                    threads[index] = new Thread(() =>
                    {
                        try { for (int again = 0; again < 100; again++) image.GetPixels(); }
                        catch (ObjectDisposedException) { }
                    });
                    threads[index].Start();
                }
                image.Dispose();
                foreach (Thread thread in threads) thread.Join();
            }
        }
    }
}
