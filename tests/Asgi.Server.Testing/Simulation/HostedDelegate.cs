// ASP.NET's side of a simulated server: a RequestDelegate as the application Hosting would give to it.

using System.Diagnostics;
using Asgi.Server.Application;
using Asgi.Server.Connections;
using Asgi.Server.Diagnostics;
using Asgi.Server.Loops;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Asgi.Server.Testing.Simulation;

internal sealed class HostedDelegate(RequestDelegate run) : IHttpApplication<HttpContext>
{
    public static SimulatedServer Serve(
        RequestDelegate run,
        int seed = 0,
        ConnectionLimits? limits = null,
        NetworkConditions? conditions = null,
        ISpares? spares = null,
        bool logsAccess = false,
        ServerEvents? events = null,
        Func<Func<Connection, ConnectionDriver>, Func<Connection, ConnectionDriver>>? before = null,
        bool isHttp2 = false)
    {
        var badRequests = new DiagnosticListener("simulated");
        return new SimulatedServer(
            log => new HostedApplication<HttpContext>(new HostedDelegate(run), log, badRequests: new BadRequestEvents(badRequests)),
            seed,
            limits,
            conditions,
            spares,
            logsAccess,
            events,
            badRequests,
            before,
            isHttp2: isHttp2);
    }

    public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

    public Task ProcessRequestAsync(HttpContext context) => run(context);

    public void DisposeContext(HttpContext context, Exception? exception)
    {
    }
}
