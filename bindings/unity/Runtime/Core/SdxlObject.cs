using System;
using System.Runtime.InteropServices;
using Sdxl.Native;

namespace Sdxl
{
    /// <summary>
    /// What the objects of the library have in common. Each stands for a handle of C; Dispose frees it, and so does the
    /// garbage collector, which knows nothing of the memory behind it: dispose of what is large.
    /// </summary>
    /// <remarks>
    /// Every method may be called from any thread, also while another thread disposes of the object: that call ends
    /// first. Objects do not need each other after a call, so dispose of them in any order. One that is disposed of
    /// throws an ObjectDisposedException; whatever else is wrong is an <see cref="SdxlException"/>.
    /// </remarks>
    public abstract class SdxlObject : IDisposable
    {
        internal readonly Handle Handle;

        internal SdxlObject(Handle handle) { Handle = handle; }

        /// <summary>Whether Dispose was called.</summary>
        public bool IsDisposed { get { return Handle.IsClosed; } }

        /// <summary>Frees the object. A second call does nothing.</summary>
        public virtual void Dispose() { Handle.Dispose(); }

        /// <summary>Keeps this object for the time of a call.</summary>
        internal Borrowed Borrow() { return new Borrowed(Handle); }

        /// <summary>Keeps an argument for the time of a call.</summary>
        internal static Borrowed Borrow(SdxlObject argument, string name)
        {
            return new Borrowed(NotNull(argument, name).Handle);
        }

        internal static T NotNull<T>(T argument, string name) where T : class
        {
            if (argument == null) throw new ArgumentNullException(name);
            return argument;
        }

        internal static void Check(int status) { SdxlException.Check(status); }

        /// <summary>C's numbers without a sign. A negative one is refused in the words of the library.</summary>
        internal static uint Unsigned(int value, string name)
        {
            if (value < 0) throw SdxlException.Of(SdxlStatus.InvalidValue, name + " is " + value + ", expected 0 or more");
            return (uint)value;
        }

        internal static UIntPtr Count(Array items)
        {
            return new UIntPtr(items == null ? 0 : (ulong)items.LongLength);
        }

        /// <summary>The number of both, which C takes once.</summary>
        internal static UIntPtr Count(Array items, Array others)
        {
            if (items.Length == others.Length) return Count(items);
            string message = "two lists that belong together have " + items.Length + " and " + others.Length + " items";
            throw SdxlException.Of(SdxlStatus.InvalidValue, message);
        }

        internal static unsafe int[] Signed(uint* numbers, int count)
        {
            var signed = new int[count];
            for (int index = 0; index < count; index++) signed[index] = (int)numbers[index];
            return signed;
        }

        internal static UIntPtr Size(long size, string name)
        {
            if (size < 0) throw SdxlException.Of(SdxlStatus.InvalidValue, name + " is " + size + ", expected 0 or more");
            return new UIntPtr((ulong)size);
        }
    }
}

namespace Sdxl.Native
{
    /// <summary>The owner of a handle of C: freed once, and never during a call that uses it.</summary>
    internal abstract class Handle : SafeHandle
    {
        /// <summary>64 bits on every machine, which a SafeHandle's own field is not.</summary>
        internal readonly ulong Id;

        protected Handle(ulong id) : base(IntPtr.Zero, true)
        {
            Id = id;
            if (id != 0) SetHandle(new IntPtr(1));
        }

        public override bool IsInvalid { get { return handle == IntPtr.Zero; } }
    }

    /// <summary>A handle that is not freed until Dispose is called.</summary>
    internal struct Borrowed : IDisposable
    {
        internal readonly ulong Id;
        readonly Handle handle;

        internal Borrowed(Handle handle)
        {
            bool held = false;
            handle.DangerousAddRef(ref held);
            this.handle = handle;
            Id = handle.Id;
        }

        public void Dispose() { handle.DangerousRelease(); }
    }

    /// <summary>Handles in a list.</summary>
    internal struct BorrowedMany : IDisposable
    {
        /// <summary>What C reads: a handle is its number.</summary>
        internal readonly ulong[] Items;
        readonly Borrowed[] held;

        internal BorrowedMany(SdxlObject[] objects, string name)
        {
            int count = objects == null ? 0 : objects.Length;
            Items = new ulong[count];
            held = new Borrowed[count];
            int done = 0;
            try
            {
                for (; done < count; done++)
                {
                    held[done] = SdxlObject.Borrow(objects[done], name);
                    Items[done] = held[done].Id;
                }
            }
            catch
            {
                while (done > 0) held[--done].Dispose();
                throw;
            }
        }

        public void Dispose()
        {
            foreach (Borrowed one in held) one.Dispose();
        }
    }
}
