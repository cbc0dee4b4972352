using System;
using UnityEditor;

namespace Sdxl.Unity.Editor
{
    /// <summary>
    /// Before the scripts' domain goes, and when play mode ends, jobs are cancelled. C calls nothing in the domain, unless a
    /// job was started with a callback; that is waited for.
    /// </summary>
    [InitializeOnLoad]
    static class SdxlEditorLifetime
    {
        static SdxlEditorLifetime()
        {
            AssemblyReloadEvents.beforeAssemblyReload += () => SdxlLibrary.CancelJobs(TimeSpan.FromSeconds(2));
            EditorApplication.playModeStateChanged += change =>
            {
                if (change == PlayModeStateChange.ExitingPlayMode) SdxlLibrary.CancelJobs(TimeSpan.Zero);
            };
            EditorApplication.quitting += () => SdxlLibrary.CancelJobs(TimeSpan.FromSeconds(30));
        }
    }
}
