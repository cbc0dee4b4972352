// As much of UnityEngine as the package uses, to compile it where there is no Unity. Textures have memory, so that what the
// package writes there can be looked at; nothing else does anything. Signatures are those of Unity 2021.3's manual.
using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;

namespace Unity.Collections
{
    public struct NativeArray<T> where T : struct
    {
        internal IntPtr Address;

        public int Length { get; internal set; }
    }
}

namespace Unity.Collections.LowLevel.Unsafe
{
    public static class NativeArrayUnsafeUtility
    {
        public static unsafe void* GetUnsafePtr<T>(NativeArray<T> array) where T : struct
        {
            return (void*)array.Address;
        }

        public static unsafe void* GetUnsafeReadOnlyPtr<T>(NativeArray<T> array) where T : struct
        {
            return (void*)array.Address;
        }
    }
}

namespace UnityEngine
{
    using Unity.Collections;

    public class Object
    {
        public string name { get; set; }

        internal bool IsDestroyed;

        public static void Destroy(Object one) { one.IsDestroyed = true; }

        public static void DestroyImmediate(Object one) { one.IsDestroyed = true; }

        // Unity's objects are null when they are destroyed.
        public static bool operator ==(Object a, Object b)
        {
            bool noA = ReferenceEquals(a, null) || a.IsDestroyed, noB = ReferenceEquals(b, null) || b.IsDestroyed;
            return noA || noB ? noA && noB : ReferenceEquals(a, b);
        }

        public static bool operator !=(Object a, Object b) { return !(a == b); }

        public override bool Equals(object other) { return this == other as Object; }

        public override int GetHashCode() { return 0; }
    }

    public class Component : Object
    {
        public T GetComponent<T>() { return default(T); }
    }

    public class Behaviour : Component { }

    public class MonoBehaviour : Behaviour { }

    public class Texture : Object
    {
        public int width { get; protected set; }
        public int height { get; protected set; }
        public int mipmapCount { get { return 1; } }
        public bool isReadable { get { return true; } }
        public TextureWrapMode wrapMode { get; set; }
    }

    public enum TextureWrapMode { Repeat, Clamp }

    public enum TextureFormat { RGB24 = 3, RGBA32 = 4, BGRA32 = 14, RGBAHalf = 17, DXT1 = 10 }

    public class Texture2D : Texture
    {
        readonly IntPtr pixels;
        readonly int size;

        public Texture2D(int width, int height, TextureFormat textureFormat, bool mipChain, bool linear)
        {
            this.width = width;
            this.height = height;
            format = textureFormat;
            IsLinear = linear;
            size = width * height * (textureFormat == TextureFormat.RGBAHalf ? 8 : textureFormat == TextureFormat.RGB24 ? 3 : 4);
            pixels = Marshal.AllocHGlobal(size);
        }

        public TextureFormat format { get; private set; }

        public bool IsLinear { get; private set; }

        public int Applied { get; private set; }

        public NativeArray<T> GetRawTextureData<T>() where T : struct
        {
            return new NativeArray<T> { Address = pixels, Length = size };
        }

        public byte[] Bytes
        {
            get
            {
                var bytes = new byte[size];
                Marshal.Copy(pixels, bytes, 0, size);
                return bytes;
            }
        }

        public void Apply(bool updateMipmaps) { Applied++; }

        public void SetPixels32(Color32[] colors) { }

        public void SetPixel(int x, int y, Color color) { }
    }

    public struct Color { public static Color white { get { return default(Color); } } }

    public struct Color32 { }

    public struct Vector2 { public float x, y; }

    public struct Vector3 { }

    public struct Ray { }

    public struct Rect { }

    public struct RaycastHit { public Vector2 textureCoord { get { return default(Vector2); } } }

    public static class Physics
    {
        public static bool Raycast(Ray ray, out RaycastHit hit)
        {
            hit = default(RaycastHit);
            return false;
        }
    }

    public class Camera : Behaviour
    {
        public static Camera main { get { return null; } }

        public Ray ScreenPointToRay(Vector3 position) { return default(Ray); }
    }

    public class Material : Object { public Texture mainTexture { get; set; } }

    public class Renderer : Component { public Material material { get; set; } }

    public enum KeyCode { Return = 13, Space = 32 }

    public static class Input
    {
        public static Vector3 mousePosition { get { return default(Vector3); } }

        public static bool GetKeyDown(KeyCode key) { return false; }

        public static bool GetMouseButton(int button) { return false; }
    }

    public static class Debug
    {
        public static readonly List<string> Said = new List<string>();

        public static void Log(object message) { Said.Add("" + message); }

        public static void LogWarning(object message) { Said.Add("" + message); }

        public static void LogException(Exception exception) { Said.Add(exception.Message); }

        public static void LogException(Exception exception, Object context) { Said.Add(exception.Message); }
    }

    public static class Application
    {
        public static bool isPlaying { get { return true; } }

        public static string streamingAssetsPath { get { return "/nowhere/StreamingAssets"; } }

        public static event Action quitting;

        public static void Quit()
        {
            if (quitting != null) quitting();
        }
    }

    public class GUILayoutOption { }

    public static class GUILayout
    {
        public static void Label(string text, params GUILayoutOption[] options) { }

        public static void Box(Texture image, params GUILayoutOption[] options) { }

        public static string TextField(string text, params GUILayoutOption[] options) { return text; }

        public static bool Button(string text, params GUILayoutOption[] options) { return false; }

        public static GUILayoutOption Width(float width) { return null; }

        public static GUILayoutOption Height(float height) { return null; }
    }

    public static class GUILayoutUtility
    {
        public static Rect GetAspectRect(float aspect) { return default(Rect); }
    }

    public sealed class SerializeField : Attribute { }

    public sealed class TooltipAttribute : Attribute { public TooltipAttribute(string tooltip) { } }

    public sealed class TextAreaAttribute : Attribute { public TextAreaAttribute(int minLines, int maxLines) { } }

    public sealed class RangeAttribute : Attribute { public RangeAttribute(float min, float max) { } }

    public sealed class AddComponentMenu : Attribute { public AddComponentMenu(string menuName) { } }

    public sealed class ContextMenu : Attribute { public ContextMenu(string itemName) { } }

    public sealed class RequireComponent : Attribute
    {
        public RequireComponent(Type requiredComponent) { }

        public RequireComponent(Type requiredComponent, Type requiredComponent2) { }
    }

    public enum RuntimeInitializeLoadType { SubsystemRegistration = 4 }

    public sealed class RuntimeInitializeOnLoadMethodAttribute : Attribute
    {
        public RuntimeInitializeOnLoadMethodAttribute(RuntimeInitializeLoadType loadType) { }
    }
}

namespace UnityEngine.Events
{
    public delegate void UnityAction<T0>(T0 arg0);

    public class UnityEvent<T0>
    {
        readonly List<UnityAction<T0>> listeners = new List<UnityAction<T0>>();

        public void AddListener(UnityAction<T0> call) { listeners.Add(call); }

        public void Invoke(T0 arg0)
        {
            foreach (UnityAction<T0> listener in listeners) listener(arg0);
        }
    }
}
