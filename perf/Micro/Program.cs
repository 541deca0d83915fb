// The micro-benchmarks: what single steps on the way of a request cost. Options are BenchmarkDotNet's, such as --filter '*' or --list flat.
// Reports go where those of the other comparisons go.

using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Running;

var root = new DirectoryInfo(AppContext.BaseDirectory);
while (root is not null && !File.Exists(Path.Combine(root.FullName, "Asgi.Server.sln")))
    root = root.Parent;

string results = Path.Combine(root?.FullName ?? ".", "perf", "results", "micro");
// Each run builds a program of its own with all the server: on a busy machine longer than the two minutes that are the default.
var config = DefaultConfig.Instance.WithArtifactsPath(results).WithBuildTimeout(TimeSpan.FromMinutes(10));
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args, config);
