using System;
using UnityEngine;

namespace Sdxl.Unity
{
    /// <summary>
    /// Jobs end with the game. libtorch does not survive the end of the process while it computes; and with domain reload
    /// off, what the last play session left goes on in the next one.
    /// </summary>
    static class SdxlPlayer
    {
        // A step of a large picture on a CPU takes several seconds.
        static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

        [RuntimeInitializeOnLoadMethod(RuntimeInitializeLoadType.SubsystemRegistration)]
        static void Reset()
        {
            Application.quitting -= Quit;
            Application.quitting += Quit;
            SdxlLibrary.CancelJobs(TimeSpan.Zero);
        }

        static void Quit() { SdxlLibrary.CancelJobs(Patience); }
    }
}
