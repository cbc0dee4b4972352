using Sdxl.Unity;
using UnityEngine;

/// <summary>
/// Put this beside a Generator (Stable Diffusion XL) and a Renderer: the small pictures of every step are shown until the
/// whole one is there. Space draws the next seed.
/// </summary>
[RequireComponent(typeof(SdxlGenerator), typeof(Renderer))]
public sealed class LivePreview : MonoBehaviour
{
    SdxlGenerator generator;

    void Start()
    {
        generator = GetComponent<SdxlGenerator>();
        generator.OnPreview.AddListener(Show);
        generator.OnFinished.AddListener(Show);
        generator.Generate();
    }

    void Show(Texture2D texture)
    {
        GetComponent<Renderer>().material.mainTexture = texture;
    }

    void Update()
    {
        if (!Input.GetKeyDown(KeyCode.Space)) return;
        generator.Seed++;
        generator.Generate();
    }
}
