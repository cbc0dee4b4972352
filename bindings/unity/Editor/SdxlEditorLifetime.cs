using System;
using UnityEditor;

namespace Sdxl.Unity.Editor
{
    /// <summary>
    /// Before the scripts' domain goes, and when play mode ends, jobs are cancelled. C calls nothing in the domain, so only
    /// the end of the editor waits for them.
    /// </summary>
    [InitializeOnLoad]
    static class SdxlEditorLifetime
    {
        static SdxlEditorLifetime()
        {
            AssemblyReloadEvents.beforeAssemblyReload += () => SdxlLibrary.CancelJobs(TimeSpan.Zero);
            EditorApplication.playModeStateChanged += change =>
            {
                if (change == PlayModeStateChange.ExitingPlayMode) SdxlLibrary.CancelJobs(TimeSpan.Zero);
            };
            EditorApplication.quitting += () => SdxlLibrary.CancelJobs(TimeSpan.FromSeconds(30));
        }
    }
}
