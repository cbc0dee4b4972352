// What Unity's editor does at every change of a script: the domain is unloaded while jobs run, and a new one goes on.
// Argument: a tiny model.
using System;
using System.Threading;
using Sdxl;

/// <summary>The scripts of one domain.</summary>
public sealed class Scripts : MarshalByRefObject
{
    static SdxlPipeline pipeline;
    static SdxlJob[] left;

    /// <summary>Loads the model, or takes the one that an earlier domain gave away, and draws.</summary>
    public byte[] Draw(string model, ulong id)
    {
        pipeline = id == 0 ? SdxlPipeline.Load(model) : SdxlPipeline.Attach(id);
        using (SdxlRequest request = new SdxlRequest("a cat").SetSteps(2).SetSeed(5))
        {
            SdxlImage[] images = pipeline.Generate(request);
            using (images[0]) return images[0].GetPixels();
        }
    }

    /// <summary>Leaves jobs of every kind under way, and gives the model away.</summary>
    public ulong LeaveJobs(string model)
    {
        using (SdxlRequest longer = new SdxlRequest("a cat").SetSteps(900))
        {
            var progress = new Progress<SdxlProgress>();
            // Awaited; polled; one that waits for its turn; and a model that is being read.
            pipeline.Clone().GenerateAsync(longer, progress);
            left = new[] { pipeline.Start(longer), pipeline.Start(longer) };
            while (left[0].Poll().Step == 0) Thread.Sleep(1);
            SdxlPipeline.LoadAsync(model);
        }
        return pipeline.Detach();
    }
}

static class DomainReload
{
    static int Main(string[] arguments)
    {
        string model = arguments[0];
        ulong id = 0;
        byte[] expected = null;
        for (int round = 0; round < 4; round++)
        {
            AppDomain domain = AppDomain.CreateDomain("scripts " + round);
            var scripts = (Scripts)domain.CreateInstanceAndUnwrap(typeof(Scripts).Assembly.FullName, "Scripts");
            byte[] found = scripts.Draw(model, id);
            expected = expected ?? found;
            if (Convert.ToBase64String(found) != Convert.ToBase64String(expected))
            {
                Console.WriteLine("round {0}: another picture", round);
                return 1;
            }
            id = scripts.LeaveJobs(model);
            var clock = System.Diagnostics.Stopwatch.StartNew();
            AppDomain.Unload(domain);
            Console.WriteLine("round {0}: unloaded in {1} ms", round, clock.ElapsedMilliseconds);
            // Whatever still ran would meet a domain that is gone.
            Thread.Sleep(100);
            GC.Collect();
        }
        // Jobs that were left are cancelled: hundreds of steps would not end in time.
        using (SdxlPipeline pipeline = SdxlPipeline.Attach(id))
        using (SdxlRequest request = new SdxlRequest("a cat").SetSteps(2).SetSeed(5))
        using (SdxlJob job = pipeline.Start(request))
        {
            if (!job.Wait(TimeSpan.FromSeconds(20)))
            {
                Console.WriteLine("the jobs of the domains that are gone still run");
                return 1;
            }
            // The process ends while this computes, and must end well.
            SdxlJob last = pipeline.Start(new SdxlRequest("a cat").SetSteps(900));
            while (last.Poll().Step == 0) Thread.Sleep(1);
        }
        Console.WriteLine("domain reload: good");
        return 0;
    }
}
