using System;

namespace Sdxl.Native
{
    /// <summary>
    /// Marks what C calls, for Unity's ahead-of-time compiler, which goes by the name of the attribute. Unity's own one
    /// is in UnityEngine, which this assembly does without.
    /// </summary>
    [AttributeUsage(AttributeTargets.Method)]
    internal sealed class MonoPInvokeCallbackAttribute : Attribute
    {
        internal MonoPInvokeCallbackAttribute(Type type) { Type = type; }

        internal Type Type { get; private set; }
    }
}
