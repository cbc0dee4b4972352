// Prints what C# makes of the header's types: sizes, offsets and values, for the test to compare with a C compiler's.
using System;
using System.Reflection;
using System.Runtime.InteropServices;

static class Layout
{
    static void Main()
    {
        foreach (Type type in Assembly.Load("Sdxl.Core").GetTypes())
        {
            if (type.IsEnum && type.Namespace == "Sdxl")
            {
                Console.WriteLine("{0} {1}", type.Name, Marshal.SizeOf(Enum.GetUnderlyingType(type)));
                foreach (object value in Enum.GetValues(type)) Console.WriteLine("{0}.{1} {2}", type.Name, value, (int)value);
            }
            else if (type.IsValueType && type.Name.StartsWith("sdxl_", StringComparison.Ordinal))
            {
                Console.WriteLine("{0} {1}", type.Name, Marshal.SizeOf(type));
                foreach (FieldInfo field in type.GetFields(BindingFlags.Instance | BindingFlags.NonPublic))
                {
                    Console.WriteLine("{0}.{1} {2}", type.Name, field.Name, Marshal.OffsetOf(type, field.Name));
                }
            }
        }
    }
}
