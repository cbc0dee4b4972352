using System;
using System.Threading;
using Sdxl;
using Sdxl.Unity;
using UnityEngine;

/// <summary>
/// Put this on a quad with a MeshCollider and a readable texture: paint with the left button what is to be drawn anew, and
/// press Return.
/// </summary>
[RequireComponent(typeof(Renderer))]
public sealed class InpaintingBrush : MonoBehaviour
{
    [SerializeField] string model = "stabilityai/stable-diffusion-xl-base-1.0";
    [SerializeField] string prompt = "a red balloon";
    [SerializeField] Texture2D picture;
    [SerializeField] int radius = 24;

    readonly CancellationTokenSource gone = new CancellationTokenSource();
    SdxlPipeline pipeline;
    Texture2D mask, painted;
    bool isBusy;

    async void Start()
    {
        mask = new Texture2D(picture.width, picture.height, TextureFormat.RGBA32, false, false);
        mask.SetPixels32(new Color32[picture.width * picture.height]);
        GetComponent<Renderer>().material.mainTexture = picture;
        try
        {
            pipeline = await SdxlPipeline.LoadAsync(model, gone.Token);
        }
        catch (Exception error)
        {
            Debug.LogException(error);
        }
    }

    void Update()
    {
        RaycastHit hit;
        if (Input.GetMouseButton(0) && Physics.Raycast(Camera.main.ScreenPointToRay(Input.mousePosition), out hit))
        {
            Paint((int)(hit.textureCoord.x * mask.width), (int)(hit.textureCoord.y * mask.height));
        }
        if (Input.GetKeyDown(KeyCode.Return) && pipeline != null && !isBusy) Draw();
    }

    void Paint(int x, int y)
    {
        for (int row = Math.Max(0, y - radius); row < Math.Min(mask.height, y + radius); row++)
        {
            for (int column = Math.Max(0, x - radius); column < Math.Min(mask.width, x + radius); column++)
            {
                mask.SetPixel(column, row, Color.white);
            }
        }
    }

    async void Draw()
    {
        isBusy = true;
        try
        {
            mask.Apply(false);
            using (SdxlImage image = (painted != null ? painted : picture).ToImage())
            using (SdxlImage white = mask.ToImage())
            using (SdxlRequest request = new SdxlRequest(prompt).SetInpaint(image, white, 8).SetOverlay(true))
            using (SdxlImage drawn = await pipeline.GenerateAsync(request, null, gone.Token))
            {
                drawn.CopyTo(ref painted);
                GetComponent<Renderer>().material.mainTexture = painted;
                mask.SetPixels32(new Color32[mask.width * mask.height]);
            }
        }
        catch (OperationCanceledException)
        {
        }
        catch (Exception error)
        {
            Debug.LogException(error);
        }
        isBusy = false;
    }

    void OnDestroy()
    {
        gone.Cancel();
        if (pipeline != null) pipeline.Dispose();
        if (mask != null) Destroy(mask);
        if (painted != null) Destroy(painted);
    }
}
