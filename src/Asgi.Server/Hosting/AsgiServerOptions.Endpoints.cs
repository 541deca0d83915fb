// What the server listens on, as code and configuration ask for it. On the host's threads, before the server starts.
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Asgi.Server.Hosting;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;

namespace Asgi.Server;

public sealed partial class AsgiServerOptions
{
    /// <summary>The first descriptor that systemd passes, SD_LISTEN_FDS_START (sd_listen_fds(3)).</summary>
    private const int SystemdFirstHandle = 3;

    private readonly List<ListenOptions> _endpoints = [];
    private Action<ListenOptions> _endpointDefaults = _ => { };

    /// <summary>The services of the application, for connection middleware; empty if the options were not made by them.</summary>
    public IServiceProvider ApplicationServices { get; set; } = NoServices.Instance;

    /// <summary>
    /// Reads endpoints from configuration when the server starts. <c>UseAsgiServer()</c> sets one for the section <c>AsgiServer</c>, or for
    /// <c>Kestrel</c> where that is absent; the last call of <see cref="Configure(IConfiguration, bool)"/> replaces it.
    /// </summary>
    public AsgiServerConfigurationLoader? ConfigurationLoader { get; set; }

    internal IReadOnlyList<ListenOptions> Endpoints => _endpoints;

    /// <summary>What was found in configuration that an operator must hear of.</summary>
    internal ConfigurationFindings Findings { get; } = new();

    /// <summary>Endpoints that were added to Kestrel's options, where nobody serves them.</summary>
    internal IReadOnlyCollection<string> KestrelEndpoints { get; set; } = [];

    /// <summary>Sets what is applied to every endpoint added in code after this call, before its own configuration.</summary>
    public void ConfigureEndpointDefaults(Action<ListenOptions> configureOptions)
    {
        ArgumentNullException.ThrowIfNull(configureOptions);
        _endpointDefaults = configureOptions;
    }

    /// <summary>A loader without configuration, to which endpoints can be added in code.</summary>
    public AsgiServerConfigurationLoader Configure() => Configure(new ConfigurationBuilder().Build());

    /// <inheritdoc cref="Configure(IConfiguration, bool)"/>
    public AsgiServerConfigurationLoader Configure(IConfiguration config) => Configure(config, reloadOnChange: false);

    /// <summary>
    /// Reads limits and flags from a section at once, and its endpoints when the server starts. The schema is that of the section
    /// <c>AsgiServer</c>. Values of the section that cannot be used are told by the start.
    /// </summary>
    /// <param name="config">The section.</param>
    /// <param name="reloadOnChange">Whether endpoints follow the section while the server runs; limits and flags do not.</param>
    public AsgiServerConfigurationLoader Configure(IConfiguration config, bool reloadOnChange)
    {
        ArgumentNullException.ThrowIfNull(config);
        var loader = new AsgiServerConfigurationLoader(this, config, reloadOnChange);
        loader.ReadValues();
        return ConfigurationLoader = loader;
    }

    /// <summary>Listens on an address and port; port 0 for a free one.</summary>
    public void Listen(IPAddress address, int port, Action<ListenOptions>? configure = null) =>
        Listen(new IPEndPoint(address, port), configure);

    /// <summary>
    /// Listens on an <see cref="IPEndPoint"/>, a <see cref="UnixDomainSocketEndPoint"/> or the socket of a
    /// <see cref="FileHandleEndPoint"/>.
    /// </summary>
    /// <exception cref="NotSupportedException">Any other kind of endpoint; off Windows, of a pipe,
    /// <see cref="PlatformNotSupportedException"/>.</exception>
    public void Listen(EndPoint endPoint, Action<ListenOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        if (endPoint is NamedPipeEndPoint pipe)
        {
            throw EndpointAddress.NoNamedPipes(pipe.PipeName);
        }

        if (endPoint is not (IPEndPoint or UnixDomainSocketEndPoint or FileHandleEndPoint { FileHandleType: not FileHandleType.Pipe }))
        {
            throw new NotSupportedException($"'{endPoint}' is neither an IP endpoint nor a unix socket nor the handle of a socket.");
        }

        Add(new ListenOptions(endPoint, this), configure);
    }

    /// <summary>Listens on both loopback addresses; one of them may be missing. Port 0 is refused when the server starts.</summary>
    public void ListenLocalhost(int port, Action<ListenOptions>? configure = null) =>
        Add(new ListenOptions(new IPEndPoint(IPAddress.Loopback, port), this, "localhost"), configure);

    /// <summary>Listens on all addresses, IPv6 and IPv4 by one socket; IPv4 alone where there is no IPv6. Port 0 for a free one.</summary>
    public void ListenAnyIP(int port, Action<ListenOptions>? configure = null) =>
        Listen(new IPEndPoint(IPAddress.IPv6Any, port), configure);

    /// <summary>
    /// Listens on a unix socket. A socket file that nobody listens on is replaced (on Linux); any other file stays and the address is in
    /// use. The file is deleted when the server stops, unless another has taken its place. <see cref="ListenOptions.UnixSocketMode"/> says
    /// who may connect.
    /// </summary>
    /// <exception cref="ArgumentException">The path is not absolute.</exception>
    public void ListenUnixSocket(string socketPath, Action<ListenOptions>? configure = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(socketPath);
        if (!Path.IsPathRooted(socketPath))
        {
            throw new ArgumentException("The path of a unix socket must be absolute.", nameof(socketPath));
        }

        Listen(new UnixDomainSocketEndPoint(socketPath), configure);
    }

    /// <summary>
    /// Listens on a socket that the process inherited: a stream socket, TCP or unix, that listens. The server closes it when it stops. One
    /// loop accepts from it and the loops take turns.
    /// </summary>
    /// <param name="handle">Its descriptor.</param>
    /// <param name="configure">Configures the endpoint.</param>
    public void ListenHandle(ulong handle, Action<ListenOptions>? configure = null) =>
        Listen(new FileHandleEndPoint(handle, FileHandleType.Auto), configure);

    /// <summary>Named pipes are not served.</summary>
    /// <exception cref="PlatformNotSupportedException">This is not Windows.</exception>
    /// <exception cref="NotSupportedException">It is.</exception>
    public void ListenNamedPipe(string pipeName, Action<ListenOptions>? configure = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(pipeName);
        Listen(new NamedPipeEndPoint(pipeName), configure);
    }

    /// <summary>
    /// Listens on the sockets that systemd has opened for this process (LISTEN_PID, LISTEN_FDS; sd_listen_fds(3)). Without effect when
    /// there are none.
    /// </summary>
    /// <param name="configure">Configures each endpoint.</param>
    /// <returns>These options.</returns>
    public AsgiServerOptions UseSystemd(Action<ListenOptions>? configure = null) =>
        UseSystemd(Environment.GetEnvironmentVariable, SystemdFirstHandle, configure);

    internal AsgiServerOptions UseSystemd(Func<string, string?> environment, int firstHandle, Action<ListenOptions>? configure = null)
    {
        if (environment("LISTEN_PID") == Environment.ProcessId.ToString(CultureInfo.InvariantCulture)
            && int.TryParse(environment("LISTEN_FDS"), NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            && count <= int.MaxValue - firstHandle)
        {
            for (var handle = firstHandle; handle < firstHandle + count; handle++)
            {
                ListenHandle((ulong)handle, configure);
            }
        }

        return this;
    }

    /// <summary>An endpoint with the defaults, and with TLS where the address is https; not added to the options.</summary>
    internal ListenOptions CreateServed(EndpointAddress address)
    {
        var endpoint = CreateDefault(address);
        if (address.IsHttps && !endpoint.IsTls)
        {
            endpoint.UseHttps();
        }

        return endpoint;
    }

    /// <summary>An endpoint with the defaults, not added to the options.</summary>
    internal ListenOptions CreateDefault(EndpointAddress address)
    {
        var endpoint = new ListenOptions(address.EndPoint, this, address.LocalhostName);
        ApplyDefaults(endpoint);
        return endpoint;
    }

    /// <exception cref="InvalidOperationException">What is set cannot be used; the message has every reason.</exception>
    internal void Validate()
    {
        var problems = Findings.Problems
            .Concat(Limits.Problems())
            .Concat(_endpoints.SelectMany(endpoint => endpoint.Problems()))
            .Concat(ConfigurationLoader?.Endpoints.SelectMany(endpoint => endpoint.Listen.Problems()) ?? [])
            .Concat(HandleProblems());
        ConfigurationFindings.Demand([.. problems]);
    }

    // Served twice it would be closed twice, the second time perhaps as somebody else's.
    private IEnumerable<string> HandleProblems() => _endpoints
        .Where(endpoint => endpoint.EndPoint is FileHandleEndPoint)
        .CountBy(endpoint => endpoint.FileHandle)
        .Where(handle => handle.Value > 1)
        .Select(handle => $"The file handle {handle.Key} is given for two endpoints.");

    private void Add(ListenOptions endpoint, Action<ListenOptions>? configure)
    {
        ApplyDefaults(endpoint);
        configure?.Invoke(endpoint);
        _endpoints.Add(endpoint);
    }

    private void ApplyDefaults(ListenOptions endpoint)
    {
        ConfigurationLoader?.ApplyDefaults(endpoint);
        _endpointDefaults(endpoint);
    }
}
