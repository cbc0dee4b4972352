using System;
using System.Collections.Generic;
using Sdxl;
using Sdxl.Unity;
using UnityEngine;

/// <summary>Put this on an empty object: a window with a queue of requests for one model. Each can be cancelled.</summary>
public sealed class CancelAndQueue : MonoBehaviour
{
    [SerializeField] string model = "stabilityai/stable-diffusion-xl-base-1.0";

    sealed class Entry
    {
        internal string Prompt;
        internal string Says = "";
        internal SdxlJob Job;
        internal Texture2D Texture;
    }

    readonly List<Entry> entries = new List<Entry>();
    SdxlPipeline pipeline;
    string prompt = "a lighthouse in a storm";

    async void Start()
    {
        try
        {
            SdxlPipeline loaded = await SdxlPipeline.LoadAsync(model);
            if (this == null) loaded.Dispose();
            else pipeline = loaded;
        }
        catch (Exception error)
        {
            Debug.LogException(error);
        }
    }

    void Add()
    {
        // Jobs of one pipeline run one after the other; those of pipeline.Clone() run at once.
        using (SdxlRequest request = new SdxlRequest(prompt).SetSeed((ulong)entries.Count))
        {
            entries.Add(new Entry { Prompt = prompt, Job = pipeline.Start(request) });
        }
    }

    void Update()
    {
        foreach (Entry entry in entries)
        {
            if (entry.Job == null) continue;
            SdxlProgress now = entry.Job.Poll();
            entry.Says = now.State == SdxlJobState.Waiting ? "waits" : now.Step + " of " + now.Of;
            if (now.HasEnded) End(entry);
        }
    }

    static void End(Entry entry)
    {
        try
        {
            foreach (SdxlImage image in entry.Job.TakeImages())
            {
                using (image) image.CopyTo(ref entry.Texture);
            }
        }
        catch (OperationCanceledException)
        {
            entry.Says = "cancelled";
        }
        catch (SdxlException error)
        {
            entry.Says = error.Message;
        }
        entry.Job.Dispose();
        entry.Job = null;
    }

    void OnGUI()
    {
        if (pipeline == null)
        {
            GUILayout.Label("The model is being read…");
            return;
        }
        prompt = GUILayout.TextField(prompt, GUILayout.Width(400));
        if (GUILayout.Button("Draw")) Add();
        foreach (Entry entry in entries)
        {
            GUILayout.Label(entry.Prompt + ": " + entry.Says);
            if (entry.Texture != null) GUILayout.Box(entry.Texture, GUILayout.Width(128), GUILayout.Height(128));
            if (entry.Job != null && GUILayout.Button("Cancel")) entry.Job.Cancel();
        }
    }

    void OnDestroy()
    {
        foreach (Entry entry in entries)
        {
            if (entry.Job != null) entry.Job.Dispose();
            if (entry.Texture != null) Destroy(entry.Texture);
        }
        if (pipeline != null) pipeline.Dispose();
    }
}
