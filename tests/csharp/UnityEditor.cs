// As much of UnityEditor as the package uses, to compile it where there is no Unity. Nothing here does anything.
using System;
using UnityEngine;

namespace UnityEditor
{
    public sealed class InitializeOnLoadAttribute : Attribute { }

    public sealed class CustomEditor : Attribute { public CustomEditor(Type inspectedType) { } }

    public enum PlayModeStateChange { ExitingPlayMode = 3 }

    public enum MessageType { None, Info, Warning, Error }

    public enum BuildTarget { StandaloneLinux64 = 24 }

    public static class AssemblyReloadEvents
    {
        public delegate void AssemblyReloadCallback();

        public static event AssemblyReloadCallback beforeAssemblyReload { add { } remove { } }
    }

    public static class EditorApplication
    {
        public static event Action<PlayModeStateChange> playModeStateChanged { add { } remove { } }

        public static event Action quitting { add { } remove { } }
    }

    public sealed class SerializedProperty { public string stringValue { get; set; } }

    public sealed class SerializedObject
    {
        public void Update() { }

        public bool ApplyModifiedProperties() { return false; }

        public SerializedProperty FindProperty(string propertyPath) { return null; }
    }

    public class Editor
    {
        public UnityEngine.Object target { get { return null; } }

        public SerializedObject serializedObject { get { return null; } }

        public virtual void OnInspectorGUI() { }

        public virtual bool RequiresConstantRepaint() { return false; }

        protected static void DrawPropertiesExcluding(SerializedObject obj, params string[] propertyToExclude) { }
    }

    public static class EditorGUI
    {
        public struct DisabledScope : IDisposable
        {
            public DisabledScope(bool disabled) { }

            public void Dispose() { }
        }

        public static void ProgressBar(Rect position, float value, string text) { }

        public static void DrawPreviewTexture(Rect position, Texture image) { }
    }

    public static class EditorGUILayout
    {
        public static int Popup(string label, int selectedIndex, string[] options, params GUILayoutOption[] layout)
        {
            return selectedIndex;
        }

        public static void HelpBox(string message, MessageType type) { }

        public static Rect GetControlRect(params GUILayoutOption[] options) { return default(Rect); }
    }
}

namespace UnityEditor.Build
{
    public interface IOrderedCallback { int callbackOrder { get; } }

    public interface IPostprocessBuildWithReport : IOrderedCallback
    {
        void OnPostprocessBuild(Reporting.BuildReport report);
    }
}

namespace UnityEditor.Build.Reporting
{
    public struct BuildSummary
    {
        public BuildTarget platform { get { return BuildTarget.StandaloneLinux64; } }

        public string outputPath { get { return null; } }
    }

    public sealed class BuildReport { public BuildSummary summary { get { return default(BuildSummary); } } }
}

namespace UnityEditor.PackageManager
{
    public sealed class PackageInfo
    {
        public string resolvedPath { get { return null; } }

        public static PackageInfo FindForAssembly(System.Reflection.Assembly assembly) { return null; }
    }
}
