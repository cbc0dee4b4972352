using System;
using System.Collections.Generic;
using UnityEditor;
using UnityEngine;

namespace Sdxl.Unity.Editor
{
    /// <summary>The generator's fields, a choice of the models on this machine, and its picture.</summary>
    [CustomEditor(typeof(SdxlGenerator))]
    sealed class SdxlGeneratorEditor : UnityEditor.Editor
    {
        string[] models;
        string message;
        MessageType kind;

        void OnEnable()
        {
            List<string> found = SdxlModels.InFolder(Application.streamingAssetsPath).ConvertAll(
                path => "StreamingAssets/" + System.IO.Path.GetFileName(path));
            found.AddRange(SdxlModels.InCache());
            found.Insert(0, "Models on this machine…");
            models = found.ToArray();
        }

        public override void OnInspectorGUI()
        {
            var generator = (SdxlGenerator)target;
            serializedObject.Update();
            // Popup menus take slashes for submenus.
            string[] shown = Array.ConvertAll(models, name => name.Replace('/', '\u2215'));
            int chosen = EditorGUILayout.Popup("Choose model", 0, shown);
            if (chosen > 0) serializedObject.FindProperty("model").stringValue = models[chosen];
            DrawPropertiesExcluding(serializedObject, "m_Script");
            serializedObject.ApplyModifiedProperties();

            if (GUILayout.Button("Check model")) Check(generator);
            if (message != null) EditorGUILayout.HelpBox(message, kind);
            using (new EditorGUI.DisabledScope(!Application.isPlaying))
            {
                if (GUILayout.Button(generator.IsBusy ? "Cancel" : "Generate"))
                {
                    if (generator.IsBusy) generator.Cancel();
                    else generator.Generate();
                }
            }
            if (generator.IsBusy)
            {
                SdxlProgress progress = generator.Progress;
                float part = progress.Of == 0 ? 0 : (float)progress.Step / progress.Of;
                EditorGUI.ProgressBar(EditorGUILayout.GetControlRect(), part, progress.Step + " of " + progress.Of);
            }
            if (generator.Picture != null)
            {
                Rect place = GUILayoutUtility.GetAspectRect((float)generator.Picture.width / generator.Picture.height);
                EditorGUI.DrawPreviewTexture(place, generator.Picture);
            }
        }

        public override bool RequiresConstantRepaint() { return ((SdxlGenerator)target).IsBusy; }

        /// <summary>Reads the headers of the model's files, which takes no time.</summary>
        void Check(SdxlGenerator generator)
        {
            try
            {
                using (var options = new SdxlPipelineOptions(generator.ResolvedModel))
                {
                    SdxlPipelineInfo info = options.Info();
                    message = "A whole model (" + info.Kind + "), for pictures of " + info.DefaultWidth + " x "
                        + info.DefaultHeight + " pixels.";
                    kind = MessageType.Info;
                }
            }
            catch (Exception error)
            {
                message = error.Message;
                kind = MessageType.Error;
            }
        }
    }
}
