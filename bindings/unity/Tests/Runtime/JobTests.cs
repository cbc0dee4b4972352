using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using NUnit.Framework;

namespace Sdxl.Tests
{
    /// <summary>Pictures: drawn, watched, cancelled, many at once.</summary>
    public class JobTests
    {
        static readonly TimeSpan Long = TimeSpan.FromMinutes(2);

        /// <summary>Calls at once, on the thread that reports.</summary>
        class Reports<T> : IProgress<T>
        {
            internal readonly List<T> All = new List<T>();
            readonly Action<T> also;

            internal Reports(Action<T> also = null) { this.also = also; }

            public void Report(T value)
            {
                All.Add(value);
                if (also != null) also(value);
            }
        }

        static T End<T>(Task<T> task)
        {
            Assert.IsTrue(Task.WhenAny(task, Task.Delay(Long)).Result == task, "it takes more than two minutes");
            return task.GetAwaiter().GetResult();
        }

        [Test]
        public void TextToImageWithProgressAndPreviews()
        {
            using (SdxlRequest request = TestModel.Request("eine Füchsin 🦊", 8))
            {
                byte[] expected = TestModel.Draw(TestModel.Pipeline, request);
                var progress = new Reports<SdxlProgress>();
                var previews = new Reports<SdxlImage>();
                Task<SdxlImage> task =
                    TestModel.Pipeline.GenerateAsync(request, progress, previews, CancellationToken.None);
                using (SdxlImage image = End(task))
                {
                    Assert.AreEqual(TestModel.Side, image.Width);
                    Assert.AreEqual(expected, image.GetPixels());
                    StringAssert.Contains("eine Füchsin 🦊", image.Text("parameters"));
                    StringAssert.Contains("/trainedAlgorithmicMedia<", image.Text("XML:com.adobe.xmp"));
                }
                SdxlProgress last = progress.All[progress.All.Count - 1];
                Assert.AreEqual(SdxlJobState.Finished, last.State);
                Assert.AreEqual(8, last.Step);
                Assert.AreEqual(8, last.Of);
                for (int index = 1; index < progress.All.Count; index++)
                {
                    Assert.IsTrue(progress.All[index].Step >= progress.All[index - 1].Step);
                }
                foreach (SdxlImage preview in previews.All)
                {
                    Assert.AreEqual(TestModel.Side / 8, preview.Width);
                    preview.Dispose();
                }
            }
        }

        [Test]
        public void CancellingEndsTheTaskAndLeavesThePipelineAsItWas()
        {
            using (SdxlRequest request = TestModel.Request())
            using (SdxlRequest longer = TestModel.Request("a cat", 900))
            {
                byte[] expected = TestModel.Draw(TestModel.Pipeline, request);
                for (int round = 0; round < 5; round++)
                {
                    var cancellation = new CancellationTokenSource();
                    var progress = new Reports<SdxlProgress>(now =>
                    {
                        if (now.Step > 0) cancellation.Cancel();
                    });
                    Task<SdxlImage> task = TestModel.Pipeline.GenerateAsync(longer, progress, cancellation.Token);
                    var thrown = Assert.Catch<OperationCanceledException>(() => End(task));
                    Assert.AreEqual(cancellation.Token, thrown.CancellationToken);
                    Assert.IsTrue(task.IsCanceled);
                    Assert.IsTrue(progress.All[progress.All.Count - 1].Step < 900);
                }
                // One that is cancelled before it begins is not started.
                var early = new CancellationToken(true);
                Assert.Catch<OperationCanceledException>(() => End(TestModel.Pipeline.GenerateAsync(longer, null, early)));
                Assert.AreEqual(expected, TestModel.Draw(TestModel.Pipeline, request));
            }
        }

        [Test]
        public void AnErrorOfAJobIsThrownByItsTask()
        {
            using (SdxlRequest request = TestModel.Request("a cat", 6))
            using (SdxlScheduler scheduler = SdxlScheduler.FromPipeline(TestModel.Pipeline))
            {
                request.SetScheduler(scheduler.SetTimesteps(new double[] { 900, 500, 100 }));
                Task<SdxlImage> task = TestModel.Pipeline.GenerateAsync(request);
                var thrown = Assert.Throws<SdxlInvalidValueException>(() => End(task));
                StringAssert.Contains("steps is 6, expected 3", thrown.Message);
                using (SdxlJob job = TestModel.Pipeline.Start(request))
                {
                    Assert.Throws<SdxlInvalidValueException>(() => job.Wait());
                    Assert.Throws<SdxlInvalidValueException>(() => job.TakeImages());
                    Assert.AreEqual(SdxlJobState.Failed, job.Poll().State);
                }
            }
        }

        [Test]
        public void WhatProgressThrowsCancelsTheJobAndIsThrown()
        {
            using (SdxlRequest longer = TestModel.Request("a cat", 900))
            {
                var progress = new Reports<SdxlProgress>(now => { throw new InvalidCastException("of the test"); });
                var thrown = Assert.Throws<InvalidCastException>(
                    () => End(TestModel.Pipeline.GenerateAsync(longer, progress)));
                Assert.AreEqual("of the test", thrown.Message);
                var preview = new Reports<SdxlImage>(small => { throw new InvalidCastException("of the preview"); });
                thrown = Assert.Throws<InvalidCastException>(
                    () => End(TestModel.Pipeline.GenerateAsync(longer, null, preview, CancellationToken.None)));
                Assert.AreEqual("of the preview", thrown.Message);
                foreach (SdxlImage small in preview.All) small.Dispose();
            }
        }

        [Test]
        public void ManyAtOnce()
        {
            const int Count = 24;
            using (SdxlPipeline clone = TestModel.Pipeline.Clone())
            {
                var tasks = new Task<SdxlImage>[Count];
                var expected = new byte[2][];
                for (int index = 0; index < Count; index++)
                {
                    // The requests go at once: jobs keep what they need.
                    using (SdxlRequest request = TestModel.Request(index % 2 == 0 ? "a cat" : "a dog"))
                    {
                        if (index < 2) expected[index] = TestModel.Draw(TestModel.Pipeline, request);
                        tasks[index] = (index % 3 == 0 ? clone : TestModel.Pipeline).GenerateAsync(request);
                    }
                }
                for (int index = 0; index < Count; index++)
                {
                    using (SdxlImage image = End(tasks[index])) Assert.AreEqual(expected[index % 2], image.GetPixels());
                }
            }
        }

        [Test]
        public void SeveralPicturesOfOneRequest()
        {
            using (SdxlRequest request = TestModel.Request().SetBatch(2))
            {
                SdxlImage[] images = End(TestModel.Pipeline.GenerateImagesAsync(request));
                Assert.AreEqual(2, images.Length);
                foreach (SdxlImage image in images) image.Dispose();
                Assert.Throws<InvalidOperationException>(() => End(TestModel.Pipeline.GenerateAsync(request)));
            }
        }

        [Test]
        public void JobsArePolledAndTheirPicturesTakenOnce()
        {
            using (SdxlRequest request = TestModel.Request("a cat", 20))
            using (SdxlJob job = TestModel.Pipeline.Start(request))
            {
                while (!job.Poll().HasEnded)
                {
                    SdxlImage small;
                    if (job.TryPreview(out small)) small.Dispose();
                    if (job.Poll().Step == 0) Assert.Throws<SdxlUnfinishedException>(() => job.TakeImages());
                    job.Wait(TimeSpan.FromMilliseconds(1));
                }
                Assert.IsTrue(job.Wait(TimeSpan.Zero));
                SdxlImage none;
                Assert.IsFalse(job.TryPreview(out none));
                Assert.Throws<SdxlUnfinishedException>(() => job.Preview());
                Assert.AreEqual(1, job.ImageCount());
                SdxlImage[] images = job.TakeImages();
                Assert.AreEqual(1, images.Length);
                images[0].Dispose();
                Assert.AreEqual(0, job.TakeImages().Length);
                using (SdxlLatents latents = job.Latents())
                {
                    SdxlImage[] decoded = TestModel.Pipeline.Decode(latents);
                    Assert.AreEqual(1, decoded.Length);
                    decoded[0].Dispose();
                }
                Assert.AreEqual("", job.Cut());
            }
        }

        [Test]
        public void DisposingOfAJobCancelsItAlsoForThoseWhoWait()
        {
            using (SdxlRequest longer = TestModel.Request("a cat", 900))
            {
                SdxlJob job = TestModel.Pipeline.Start(longer);
                Task task = job.WaitAsync();
                Exception waited = null;
                var waiter = new Thread(() =>
                {
                    try { job.Wait(); }
                    catch (Exception error) { waited = error; }
                });
                waiter.Start();
                while (job.Poll().Step == 0) Thread.Sleep(1);
                job.Dispose();
                waiter.Join();
                Assert.IsTrue(waited is OperationCanceledException, "" + waited);
                Assert.Catch<OperationCanceledException>(() => task.GetAwaiter().GetResult());
                Assert.Throws<ObjectDisposedException>(() => job.Poll());
            }
        }

        [Test]
        public void ForgottenJobsAreCancelledByTheGarbageCollector()
        {
            for (int index = 0; index < 5; index++) Forget();
            for (int round = 0; round < 5; round++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }
            // Otherwise it would wait for thousands of steps.
            using (SdxlRequest request = TestModel.Request()) TestModel.Draw(TestModel.Pipeline, request);
        }

        static void Forget()
        {
            var thread = new Thread(() =>
            {
                SdxlRequest longer = TestModel.Request("a cat", 900);
                TestModel.Pipeline.Start(longer);
                TestModel.Pipeline.Start(longer);
            });
            thread.Start();
            thread.Join();
        }

        [Test]
        public void AModelIsLoadedOnAThreadOfItsOwn()
        {
            using (SdxlPipeline pipeline = End(SdxlPipeline.LoadAsync(TestModel.Path)))
            {
                Assert.AreEqual(SdxlModelKind.Base, pipeline.Info().Kind);
                Assert.AreEqual(TestModel.Side, pipeline.Info().DefaultWidth);
                Assert.AreEqual(TestModel.Path, pipeline.Path());
                Assert.AreEqual("cpu", pipeline.Device());
                using (var conditioning = new SdxlConditioning("a cat"))
                {
                    SdxlEmbeddings[] both = End(pipeline.EncodeAsync(conditioning));
                    using (SdxlConditioning again = SdxlConditioning.FromEmbeddings(both[0]))
                    using (SdxlRequest request = new SdxlRequest(again.SetNegativeEmbeddings(both[1])))
                    using (SdxlRequest expected = new SdxlRequest(conditioning))
                    {
                        Assert.AreEqual(
                            TestModel.Draw(pipeline, expected.SetSteps(2)), TestModel.Draw(pipeline, request.SetSteps(2)));
                    }
                }
            }
            Assert.Throws<SdxlIoException>(() => End(SdxlPipeline.LoadAsync("/nowhere")));
            Assert.Catch<OperationCanceledException>(
                () => End(SdxlPipeline.LoadAsync(TestModel.Path, new CancellationToken(true))));
        }

        [Test]
        public void TextEncodersMayBeStreamed()
        {
            using (SdxlRequest request = TestModel.Request())
            using (var options = new SdxlPipelineOptions(TestModel.Path).SetStreamTextEncoders(true))
            using (SdxlPipeline pipeline = SdxlPipeline.Load(options))
            {
                Assert.AreEqual(TestModel.Draw(TestModel.Pipeline, request), TestModel.Draw(pipeline, request));
            }
        }

        [Test]
        public void AModelMayLieInMemory()
        {
            using (SdxlRequest request = TestModel.Request())
            using (SdxlPipelineOptions options = SdxlPipelineOptions.InMemory("painter"))
            {
                foreach (string file in Directory.GetFiles(TestModel.Path, "*", SearchOption.AllDirectories))
                {
                    string name = file.Substring(TestModel.Path.Length).TrimStart('/', '\\').Replace('\\', '/');
                    options.AddFile(name, File.ReadAllBytes(file));
                }
                GC.Collect();
                options.Check();
                Assert.Throws<InvalidOperationException>(() => options.SetStreamTextEncoders(true));
                using (SdxlPipelineOptions clone = options.Clone())
                {
                    options.Dispose();
                    GC.Collect();
                    using (SdxlPipeline pipeline = SdxlPipeline.Load(clone))
                    {
                        Assert.AreEqual(TestModel.Draw(TestModel.Pipeline, request), TestModel.Draw(pipeline, request));
                        Assert.AreEqual("painter", pipeline.Path());
                    }
                }
            }
        }

        [Test]
        public void APipelineGoesByANumber()
        {
            SdxlPipeline first = TestModel.Pipeline.Clone();
            ulong id = first.Detach();
            Assert.IsTrue(first.IsDisposed);
            Assert.Throws<ObjectDisposedException>(() => first.Info());
            using (SdxlPipeline second = SdxlPipeline.Attach(id)) Assert.AreEqual(SdxlModelKind.Base, second.Info().Kind);
            Assert.Throws<SdxlInvalidHandleException>(() => SdxlPipeline.Attach(id));
        }
    }
}
