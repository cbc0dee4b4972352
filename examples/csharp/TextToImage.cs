// Text to image with progress; Ctrl-C cancels. The same program as text_to_image.rs, c/text_to_image.c and
// cpp/text_to_image.cpp:
//
//   mcs -unsafe -recurse:'bindings/unity/Runtime/Core/*.cs' examples/csharp/TextToImage.cs -out:TextToImage.exe
//   LD_LIBRARY_PATH=$HOME/sdxl/lib mono TextToImage.exe MODEL "a lighthouse in a storm" lighthouse.png
using System;
using System.Threading;
using System.Threading.Tasks;
using Sdxl;

static class TextToImage
{
    sealed class Printed : IProgress<SdxlProgress>
    {
        public void Report(SdxlProgress now)
        {
            Console.WriteLine("{0} of {1}, {2:F1} s left", now.Step, now.Of, now.SecondsLeft);
        }
    }

    static async Task Draw(string model, string prompt, string output, int steps, CancellationToken interrupted)
    {
        using (SdxlPipeline pipeline = await SdxlPipeline.LoadAsync(model, interrupted))
        using (SdxlRequest request = new SdxlRequest(prompt).SetSteps(steps).SetSeed(42))
        using (SdxlImage image = await pipeline.GenerateAsync(request, new Printed(), interrupted))
        {
            image.SavePng(output);
        }
    }

    static int Main(string[] arguments)
    {
        if (arguments.Length < 3)
        {
            Console.Error.WriteLine("usage: TextToImage MODEL PROMPT OUTPUT.png [STEPS]");
            return 2;
        }
        var interrupt = new CancellationTokenSource();
        Console.CancelKeyPress += (sender, pressed) =>
        {
            // The program ends when the job has.
            pressed.Cancel = true;
            interrupt.Cancel();
        };
        try
        {
            int steps = arguments.Length > 3 ? int.Parse(arguments[3]) : 50;
            Draw(arguments[0], arguments[1], arguments[2], steps, interrupt.Token).GetAwaiter().GetResult();
            return 0;
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine("the job was cancelled");
        }
        catch (Exception error)
        {
            Console.Error.WriteLine(error.Message);
        }
        return 1;
    }
}
