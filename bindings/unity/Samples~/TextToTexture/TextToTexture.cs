using System;
using System.Threading;
using Sdxl;
using Sdxl.Unity;
using UnityEngine;

/// <summary>Put this on an object with a Renderer: when the scene starts, a picture is drawn onto it.</summary>
public sealed class TextToTexture : MonoBehaviour
{
    [SerializeField] string model = "stabilityai/stable-diffusion-xl-base-1.0";
    [SerializeField] string prompt = "a lighthouse in a storm, oil painting";
    [SerializeField] int steps = 30;

    readonly CancellationTokenSource gone = new CancellationTokenSource();
    Texture2D texture;

    async void Start()
    {
        try
        {
            using (SdxlPipeline pipeline = await SdxlPipeline.LoadAsync(model, gone.Token))
            using (SdxlRequest request = new SdxlRequest(prompt).SetSteps(steps).SetSeed(42))
            {
                // Made on Unity's main thread, so it calls there; what is awaited goes on there too.
                var progress = new Progress<SdxlProgress>(now => Debug.Log(now.Step + " of " + now.Of));
                using (SdxlImage image = await pipeline.GenerateAsync(request, progress, gone.Token))
                {
                    image.CopyTo(ref texture);
                    GetComponent<Renderer>().material.mainTexture = texture;
                }
            }
        }
        catch (OperationCanceledException)
        {
        }
        catch (Exception error)
        {
            Debug.LogException(error, this);
        }
    }

    void OnDestroy()
    {
        gone.Cancel();
        if (texture != null) Destroy(texture);
    }
}
