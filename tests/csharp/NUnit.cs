// As much of NUnit as the package's tests use, so that the same files run under Mono and in Unity's test runner.
using System;
using System.Collections;
using System.Collections.Generic;
using System.Reflection;

namespace NUnit.Framework
{
    [AttributeUsage(AttributeTargets.Method)]
    public sealed class TestAttribute : Attribute { }

    public sealed class AssertionException : Exception
    {
        public AssertionException(string message) : base(message) { }
    }

    public static class Assert
    {
        public static void Fail(string message) { throw new AssertionException(message); }

        public static void Ignore(string message) { Fail(message); }

        public static void IsTrue(bool condition, string message = "not so")
        {
            if (!condition) Fail(message);
        }

        public static void IsFalse(bool condition, string message = "not so") { IsTrue(!condition, message); }

        public static void AreEqual(object expected, object found)
        {
            if (!Same(expected, found)) Fail("expected " + Text(expected) + ", found " + Text(found));
        }

        public static void AreNotEqual(object unexpected, object found)
        {
            if (Same(unexpected, found)) Fail("both are " + Text(found));
        }

        // Numbers are compared whatever their type, as NUnit does.
        static bool Same(object a, object b)
        {
            IList first = a as IList, second = b as IList;
            if (first == null || second == null) return Equals(a, b) || IsNumber(a) && IsNumber(b) && Convert.ToDecimal(a) == Convert.ToDecimal(b);
            if (first.Count != second.Count) return false;
            for (int index = 0; index < first.Count; index++)
            {
                if (!Same(first[index], second[index])) return false;
            }
            return true;
        }

        static bool IsNumber(object value) { return value is IConvertible && value.GetType().IsPrimitive && !(value is bool); }

        static string Text(object value)
        {
            var list = value as IList;
            if (list == null) return value == null ? "null" : value.ToString();
            var parts = new List<string>();
            for (int index = 0; index < Math.Min(8, list.Count); index++) parts.Add(Text(list[index]));
            return list.Count + " of [" + string.Join(", ", parts) + (list.Count > 8 ? ", …]" : "]");
        }

        /// <summary>Of exactly this type.</summary>
        public static T Throws<T>(Action code) where T : Exception
        {
            T thrown = Catch<T>(code);
            IsTrue(thrown.GetType() == typeof(T), "expected " + typeof(T) + ", found " + thrown);
            return thrown;
        }

        /// <summary>Of this type or one that is derived from it.</summary>
        public static T Catch<T>(Action code) where T : Exception
        {
            try
            {
                code();
            }
            catch (T expected)
            {
                return expected;
            }
            catch (Exception other)
            {
                Fail("expected " + typeof(T) + ", found " + other);
            }
            Fail("expected " + typeof(T) + ", nothing was thrown");
            return null;
        }
    }

    public static class StringAssert
    {
        public static void Contains(string expected, string found)
        {
            Assert.IsTrue(found.Contains(expected), "\"" + expected + "\" is not in \"" + found + "\"");
        }
    }

    /// <summary>Runs all tests of this program, or those whose names contain the first argument.</summary>
    static class Runner
    {
        static int Main(string[] arguments)
        {
            int passed = 0, failed = 0;
            foreach (Type type in Assembly.GetExecutingAssembly().GetTypes())
            {
                foreach (MethodInfo method in type.GetMethods())
                {
                    if (method.GetCustomAttributes(typeof(TestAttribute), false).Length == 0) continue;
                    if (arguments.Length > 0 && !method.Name.Contains(arguments[0])) continue;
                    var clock = System.Diagnostics.Stopwatch.StartNew();
                    try
                    {
                        method.Invoke(Activator.CreateInstance(type), null);
                        passed++;
                        Console.WriteLine("{0}.{1} ... {2} ms", type.Name, method.Name, clock.ElapsedMilliseconds);
                    }
                    catch (TargetInvocationException thrown)
                    {
                        failed++;
                        Console.WriteLine("{0}.{1} FAILED: {2}", type.Name, method.Name, thrown.InnerException);
                    }
                }
            }
            Console.WriteLine("C#: {0} passed, {1} failed", passed, failed);
            return failed == 0 && passed > 0 ? 0 : 1;
        }
    }
}
