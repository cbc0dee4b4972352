using System.IO;
using UnityEditor;
using UnityEditor.Build;
using UnityEditor.Build.Reporting;
using UnityEngine;

namespace Sdxl.Unity.Editor
{
    /// <summary>
    /// Puts libtorch's libraries into a player. Unity copies libsdxl.so alone: the others have names that it does not take
    /// for libraries (libcudart.so.13), and it would copy them to where libsdxl.so does not look.
    /// </summary>
    sealed class SdxlBuildPostprocessor : IPostprocessBuildWithReport
    {
        /// <summary>Behind Unity's own steps.</summary>
        public int callbackOrder { get { return 100; } }

        public void OnPostprocessBuild(BuildReport report)
        {
            if (report.summary.platform != BuildTarget.StandaloneLinux64) return;
            var package = UnityEditor.PackageManager.PackageInfo.FindForAssembly(typeof(SdxlBuildPostprocessor).Assembly);
            string siblings = Path.Combine(package.resolvedPath, "Runtime", "Plugins", "x86_64", "sdxl");
            string player = Path.GetDirectoryName(report.summary.outputPath);
            if (CopySiblings(siblings, player) == 0)
            {
                Debug.LogWarning("sdxl: the player has no libsdxl.so, or the package none of libtorch's libraries ("
                    + siblings + "): lay the package out with `make unity`");
            }
        }

        /// <summary>Copies all files to where the player's libsdxl.so finds them; returns how many.</summary>
        internal static int CopySiblings(string siblings, string player)
        {
            int count = 0;
            if (!Directory.Exists(siblings)) return 0;
            foreach (string library in Directory.GetFiles(player, "libsdxl.so", SearchOption.AllDirectories))
            {
                string target = Path.Combine(Path.GetDirectoryName(library), "sdxl");
                Directory.CreateDirectory(target);
                foreach (string file in Directory.GetFiles(siblings))
                {
                    if (file.EndsWith(".meta", System.StringComparison.Ordinal)) continue;
                    File.Copy(file, Path.Combine(target, Path.GetFileName(file)), true);
                    count++;
                }
            }
            return count;
        }
    }
}
