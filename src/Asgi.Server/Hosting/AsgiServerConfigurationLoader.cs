// Endpoints from configuration, shaped as Kestrel's loader. Made by AsgiServerOptions.Configure; loads when the server starts, on the
// host's thread, and again when the configuration changes, on whatever thread says so (EndpointReload takes turns).
using System.Net;
using Asgi.Server.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Primitives;

namespace Asgi.Server;

/// <summary>Reads a configuration section with the schema of <c>AsgiServer</c>.</summary>
public sealed class AsgiServerConfigurationLoader
{
    private const string EndpointsKey = "Endpoints";
    private const string DefaultsKey = "EndpointDefaults";
    private const string LimitsKey = "Limits";
    private const string UrlKey = "Url";

    private readonly Dictionary<string, List<Action<EndpointConfiguration>>> _byName = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<Action> _inCode = [];
    private IChangeToken? _loadedToken;
    private bool _isLoaded;

    internal AsgiServerConfigurationLoader(AsgiServerOptions options, IConfiguration configuration, bool reloadOnChange)
    {
        Options = options;
        Configuration = configuration;
        ReloadOnChange = reloadOnChange;
    }

    /// <summary>The options whose endpoints these are.</summary>
    public AsgiServerOptions Options { get; }

    /// <summary>The section.</summary>
    public IConfiguration Configuration { get; }

    internal bool ReloadOnChange { get; }

    /// <summary>The endpoints of the section as loaded last.</summary>
    internal IReadOnlyList<ConfiguredEndpoint> Endpoints { get; set; } = [];

    /// <summary>The certificates of the section as loaded last.</summary>
    internal ConfiguredCertificates Certificates { get; set; } = ConfiguredCertificates.None;

    /// <summary>Keys outside endpoints, which are read once, and their values when loaded last.</summary>
    internal ConfigurationText Values { get; set; } = ConfigurationText.Empty;

    // The section of another server may have keys that are its own.
    private bool IsKestrels => Configuration is IConfigurationSection section && Setting.IsKey(section, "Kestrel");

    /// <summary>Configures the endpoint of a name, if the section has one, after everything its section says.</summary>
    public AsgiServerConfigurationLoader Endpoint(string name, Action<EndpointConfiguration> configureOptions)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(configureOptions);
        if (!_byName.TryGetValue(name, out var callbacks))
        {
            _byName.Add(name, callbacks = []);
        }

        callbacks.Add(configureOptions);
        return this;
    }

    /// <summary>Listens on an address and port when the configuration is loaded.</summary>
    public AsgiServerConfigurationLoader Endpoint(IPAddress address, int port, Action<ListenOptions>? configure = null) =>
        Add(() => Options.Listen(address, port, configure));

    /// <summary>Listens on an address and port when the configuration is loaded.</summary>
    public AsgiServerConfigurationLoader Endpoint(IPEndPoint endPoint, Action<ListenOptions>? configure = null) =>
        Add(() => Options.Listen(endPoint, configure));

    /// <summary>Listens on both loopback addresses when the configuration is loaded.</summary>
    public AsgiServerConfigurationLoader LocalhostEndpoint(int port, Action<ListenOptions>? configure = null) =>
        Add(() => Options.ListenLocalhost(port, configure));

    /// <summary>Listens on all addresses when the configuration is loaded.</summary>
    public AsgiServerConfigurationLoader AnyIPEndpoint(int port, Action<ListenOptions>? configure = null) =>
        Add(() => Options.ListenAnyIP(port, configure));

    /// <summary>Listens on a unix socket when the configuration is loaded.</summary>
    public AsgiServerConfigurationLoader UnixSocketEndpoint(string socketPath, Action<ListenOptions>? configure = null) =>
        Add(() => Options.ListenUnixSocket(socketPath, configure));

    /// <summary>Listens on an inherited socket when the configuration is loaded.</summary>
    public AsgiServerConfigurationLoader HandleEndpoint(ulong handle, Action<ListenOptions>? configure = null) =>
        Add(() => Options.ListenHandle(handle, configure));

    /// <summary>
    /// Loads the endpoints, unless that was done. The server does it when it starts; what cannot be used is told there.
    /// </summary>
    public void Load()
    {
        if (_isLoaded)
        {
            return;
        }

        _isLoaded = true;
        _inCode.ForEach(static listen => listen());
        _loadedToken = Configuration.GetReloadToken();
        (Endpoints, Certificates) = Read(Endpoints, Options.Findings);
        Values = ReadText();
    }

    /// <summary>Limits and flags; called once, when the loader is made.</summary>
    internal void ReadValues()
    {
        var findings = new ConfigurationFindings();
        Settings.Server.Apply(Configuration, Options, findings, LimitsKey, EndpointsKey, DefaultsKey, HttpsSettings.CertificatesKey);
        Settings.Limits.Apply(Configuration.GetSection(LimitsKey), Options.Limits, findings);
        Setting.DemandSection(Configuration.GetSection(LimitsKey), findings);
        Report(findings, Options.Findings);
    }

    /// <summary>What the section says of endpoints that do not say otherwise.</summary>
    internal void ApplyDefaults(ListenOptions endpoint) => ApplyDefaults(endpoint, new ConfigurationFindings());

    /// <summary>What the section says of https endpoints that do not say otherwise.</summary>
    internal void ApplyHttpsDefaults(HttpsConnectionAdapterOptions options) =>
        HttpsSettings.Apply(Configuration.GetSection(DefaultsKey), options, new ConfigurationFindings());

    /// <summary>Tells of changes since the last load; the first one may be in the past.</summary>
    internal IChangeToken TakeChangeToken() => Interlocked.Exchange(ref _loadedToken, null) ?? Configuration.GetReloadToken();

    internal ConfigurationText ReadText() =>
        ConfigurationText.Read(Configuration, EndpointsKey, DefaultsKey, HttpsSettings.CertificatesKey);

    /// <summary>
    /// The endpoints the section has now, those that are as they were and new ones for those that are not, and its certificates.
    /// </summary>
    internal (IReadOnlyList<ConfiguredEndpoint> Endpoints, ConfiguredCertificates Certificates) Read(
        IReadOnlyList<ConfiguredEndpoint> current, ConfigurationFindings all)
    {
        var findings = new ConfigurationFindings();
        var defaults = Configuration.GetSection(DefaultsKey);
        ApplyDefaults(new ListenOptions(new IPEndPoint(IPAddress.None, 0), Options), findings);
        HttpsSettings.Apply(defaults, new HttpsConnectionAdapterOptions(), findings);
        Setting.DemandSection(defaults, findings);
        Setting.DemandSection(Configuration.GetSection(EndpointsKey), findings);
        var certificates = HttpsSettings.ReadCertificates(Configuration, findings);
        List<ConfiguredEndpoint> endpoints = [];
        foreach (var section in Configuration.GetSection(EndpointsKey).GetChildren())
        {
            if (Read(section, defaults, current, findings) is { } endpoint)
            {
                endpoints.Add(endpoint);
            }
        }

        Report(findings, all);
        return (endpoints, certificates);
    }

    private ConfiguredEndpoint? Read(
        IConfigurationSection section,
        IConfigurationSection defaults,
        IReadOnlyList<ConfiguredEndpoint> current,
        ConfigurationFindings findings)
    {
        var keys = HttpsSettings.EndpointKeys;
        var text = new EndpointText(ConfigurationText.Read(section, keys), ConfigurationText.Read(defaults, keys));
        var tlsText = new EndpointText(ConfigurationText.ReadOnly(section, keys), ConfigurationText.ReadOnly(defaults, keys));
        var served = current.FirstOrDefault(it => Setting.IsKey(section, it.Name) && it.Text.Equals(text));
        if (served is not null && (served.TlsText.Equals(tlsText) || (!served.Listen.IsTls && tlsText.Own.IsEmpty)))
        {
            return served;
        }

        return CreateEndpoint(section, findings) is { } listen
            ? new ConfiguredEndpoint(section.Key, text, tlsText, listen) { Served = served is { Listen.IsTls: true } ? served : null }
            : null;
    }

    private ListenOptions? CreateEndpoint(IConfigurationSection section, ConfigurationFindings findings)
    {
        var url = section.GetSection(UrlKey);
        if (string.IsNullOrEmpty(url.Value))
        {
            findings.Problems.Add($"{url.Path} is missing: every endpoint needs an address, such as http://localhost:5000.");
            return null;
        }

        if (TryParse(url, findings) is not { } address)
        {
            return null;
        }

        var listen = Options.CreateDefault(address);
        var https = address.IsHttps ? Options.CreateHttpsOptions() : new HttpsConnectionAdapterOptions();
        Settings.Endpoint.Apply(section, listen, findings, [UrlKey, LimitsKey, .. HttpsSettings.EndpointKeys]);
        if (address.IsHttps)
        {
            HttpsSettings.Apply(section, https, findings);
            HttpsSettings.TakeCertificate(section, https);
        }
        else
        {
            TellOfHttpsKeys(section, url, findings);
        }

        var limits = section.GetSection(LimitsKey);
        Setting.DemandSection(limits, findings);
        if (limits.GetChildren().Any())
        {
            Settings.Limits.Apply(limits, listen.Limits, findings);
        }

        var mode = section.GetSection(nameof(ListenOptions.UnixSocketMode));
        if (mode.Value is not null && listen.SocketPath is null)
        {
            findings.Problems.Add($"{mode.Path} ({mode.Value}) is for unix sockets, and {url.Path} ({url.Value}) is none.");
        }

        foreach (var callback in _byName.GetValueOrDefault(section.Key, []))
        {
            callback(new EndpointConfiguration(listen, section, address.IsHttps, https));
        }

        // Defaults or callbacks may have said already what TLS it has.
        if (address.IsHttps && !listen.IsTls)
        {
            listen.UseTls(HttpsSettings.Read(section, https, findings));
        }

        return listen;
    }

    private static void TellOfHttpsKeys(IConfigurationSection section, IConfigurationSection url, ConfigurationFindings findings)
    {
        foreach (var key in section.GetChildren().Where(child => HttpsSettings.EndpointKeys.Any(key => Setting.IsKey(child, key))))
        {
            findings.Problems.Add($"{key.Path} is for https, and {url.Path} ({url.Value}) is http.");
        }
    }

    private static EndpointAddress? TryParse(IConfigurationSection url, ConfigurationFindings findings)
    {
        try
        {
            return EndpointAddress.Parse(url.Value!);
        }
        catch (Exception exception)
            when (exception is FormatException or InvalidOperationException or NotSupportedException or ArgumentException)
        {
            findings.Problems.Add($"{url.Path} ({url.Value}) cannot be listened on. {exception.Message}");
            return null;
        }
    }

    private void ApplyDefaults(ListenOptions endpoint, ConfigurationFindings findings) =>
        Settings.Endpoint.Apply(Configuration.GetSection(DefaultsKey), endpoint, findings, HttpsSettings.EndpointKeys);

    private void Report(ConfigurationFindings findings, ConfigurationFindings all)
    {
        all.Problems.AddRange(findings.Problems);
        if (!IsKestrels)
        {
            all.UnknownKeys.AddRange(findings.UnknownKeys);
        }
    }

    private AsgiServerConfigurationLoader Add(Action listen)
    {
        _inCode.Add(listen);
        return this;
    }
}
