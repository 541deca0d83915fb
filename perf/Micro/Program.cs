// The micro-benchmarks: what single steps on the way of a request cost. Options are BenchmarkDotNet's, such as --filter '*' or --list flat.

using BenchmarkDotNet.Running;

BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
