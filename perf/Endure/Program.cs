// How a server endures hours of load and hostile clients. This process is the load; the server is a child of it, the same program with
// "serve". Both keep to the loopback. An interrupt ends both and reports what there is.

using System.Runtime.InteropServices;
using Endure;

Options options;
try
{
    options = Options.Parse(args);
}
catch (FormatException e)
{
    Console.Error.WriteLine($"{e.Message}\n{Options.Usage}");
    return 2;
}

if (options.Command == "serve")
{
    await ServedApp.RunAsync(options);
    return 0;
}

using var stop = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context =>
{
    context.Cancel = true; // the way out is through the server's Dispose
    stop.Cancel();
});

bool isGood = true;
if (options.Command == "soak")
{
    isGood = await Soak.RunAsync(options, stop.Token);
}
else
{
    foreach (Attack attack in Attack.All.Where(attack => options.Kind == "all" || options.Kind == attack.Name))
        isGood &= await attack.RunAsync(options, stop.Token);
}
return isGood ? 0 : 1;
