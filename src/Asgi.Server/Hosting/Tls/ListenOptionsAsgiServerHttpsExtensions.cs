// UseHttps for endpoints of Asgi.Server, in every form that Kestrel has. On the host's thread, before the server starts; certificates are
// loaded when it starts.
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Asgi.Server;
using Asgi.Server.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Microsoft.AspNetCore.Hosting;

/// <summary>TLS for endpoints of Asgi.Server.</summary>
/// <remarks>
/// Connection middleware added before <c>UseHttps</c> sees the bytes of TLS, what is added after it those within. The start of the server
/// throws <see cref="InvalidOperationException"/> where there is no certificate or one that cannot be used; the message says why.
/// </remarks>
public static class ListenOptionsAsgiServerHttpsExtensions
{
    /// <summary>
    /// Serves https with the default certificate: that of <c>ConfigureHttpsDefaults</c>, or <c>Certificates:Default</c> of the
    /// configuration, or the development certificate.
    /// </summary>
    /// <exception cref="InvalidOperationException">The endpoint has https already.</exception>
    public static ListenOptions UseHttps(this ListenOptions listenOptions) => listenOptions.UseHttps(_ => { });

    /// <summary>Serves https with the certificate of a file, which is loaded again when it changes.</summary>
    /// <param name="listenOptions">The endpoint.</param>
    /// <param name="fileName">
    /// PKCS #12, or PEM with the key in the same file; further certificates in it are the chain. Relative to the app's content root.
    /// </param>
    /// <exception cref="InvalidOperationException">The endpoint has https already.</exception>
    public static ListenOptions UseHttps(this ListenOptions listenOptions, string fileName) =>
        Use(listenOptions, CreateFile(fileName, password: null), configure: null);

    /// <inheritdoc cref="UseHttps(ListenOptions, string)"/>
    /// <param name="listenOptions">The endpoint.</param>
    /// <param name="fileName">The file.</param>
    /// <param name="password">What it, or the key in it, is encrypted with; null if it is not.</param>
    public static ListenOptions UseHttps(this ListenOptions listenOptions, string fileName, string? password) =>
        Use(listenOptions, CreateFile(fileName, password), configure: null);

    /// <inheritdoc cref="UseHttps(ListenOptions, string, string)"/>
    /// <param name="listenOptions">The endpoint.</param>
    /// <param name="fileName">The file.</param>
    /// <param name="password">What it, or the key in it, is encrypted with; null if it is not.</param>
    /// <param name="configureOptions">Sets the other options; called when the server starts.</param>
    public static ListenOptions UseHttps(
        this ListenOptions listenOptions, string fileName, string? password, Action<HttpsConnectionAdapterOptions> configureOptions)
    {
        ArgumentNullException.ThrowIfNull(configureOptions);
        return Use(listenOptions, CreateFile(fileName, password), configureOptions);
    }

    /// <summary>Serves https with a valid certificate of the user's store.</summary>
    /// <param name="listenOptions">The endpoint.</param>
    /// <param name="storeName">The store.</param>
    /// <param name="subject">A part of the certificate's subject; of several that are for servers, the one that is valid longest.</param>
    /// <exception cref="InvalidOperationException">The endpoint has https already.</exception>
    public static ListenOptions UseHttps(this ListenOptions listenOptions, StoreName storeName, string subject) =>
        listenOptions.UseHttps(storeName, subject, allowInvalid: false);

    /// <inheritdoc cref="UseHttps(ListenOptions, StoreName, string)"/>
    /// <param name="listenOptions">The endpoint.</param>
    /// <param name="storeName">The store.</param>
    /// <param name="subject">A part of the certificate's subject.</param>
    /// <param name="allowInvalid">Whether it may be one that the system does not trust.</param>
    public static ListenOptions UseHttps(this ListenOptions listenOptions, StoreName storeName, string subject, bool allowInvalid) =>
        listenOptions.UseHttps(storeName, subject, allowInvalid, StoreLocation.CurrentUser);

    /// <summary>Serves https with a certificate of a store.</summary>
    /// <param name="listenOptions">The endpoint.</param>
    /// <param name="storeName">The store.</param>
    /// <param name="subject">A part of the certificate's subject.</param>
    /// <param name="allowInvalid">Whether it may be one that the system does not trust.</param>
    /// <param name="location">Whose store it is.</param>
    public static ListenOptions UseHttps(
        this ListenOptions listenOptions, StoreName storeName, string subject, bool allowInvalid, StoreLocation location) =>
        Use(listenOptions, CreateStored(storeName, subject, allowInvalid, location), configure: null);

    /// <inheritdoc cref="UseHttps(ListenOptions, StoreName, string, bool, StoreLocation)"/>
    /// <param name="listenOptions">The endpoint.</param>
    /// <param name="storeName">The store.</param>
    /// <param name="subject">A part of the certificate's subject.</param>
    /// <param name="allowInvalid">Whether it may be one that the system does not trust.</param>
    /// <param name="location">Whose store it is.</param>
    /// <param name="configureOptions">Sets the other options; called when the server starts.</param>
    public static ListenOptions UseHttps(
        this ListenOptions listenOptions,
        StoreName storeName,
        string subject,
        bool allowInvalid,
        StoreLocation location,
        Action<HttpsConnectionAdapterOptions> configureOptions)
    {
        ArgumentNullException.ThrowIfNull(configureOptions);
        return Use(listenOptions, CreateStored(storeName, subject, allowInvalid, location), configureOptions);
    }

    /// <summary>Serves https with a certificate, which must have its private key.</summary>
    /// <exception cref="InvalidOperationException">The endpoint has https already.</exception>
    public static ListenOptions UseHttps(this ListenOptions listenOptions, X509Certificate2 serverCertificate)
    {
        ArgumentNullException.ThrowIfNull(serverCertificate);
        return listenOptions.UseHttps(options => options.ServerCertificate = serverCertificate);
    }

    /// <inheritdoc cref="UseHttps(ListenOptions, X509Certificate2)"/>
    /// <param name="listenOptions">The endpoint.</param>
    /// <param name="serverCertificate">The certificate.</param>
    /// <param name="configureOptions">Sets the other options; called when the server starts.</param>
    public static ListenOptions UseHttps(
        this ListenOptions listenOptions,
        X509Certificate2 serverCertificate,
        Action<HttpsConnectionAdapterOptions> configureOptions)
    {
        ArgumentNullException.ThrowIfNull(serverCertificate);
        ArgumentNullException.ThrowIfNull(configureOptions);
        return listenOptions.UseHttps(options =>
        {
            options.ServerCertificate = serverCertificate;
            configureOptions(options);
        });
    }

    /// <summary>Serves https with these options on top of the defaults; without a certificate in them, with the default one.</summary>
    /// <param name="listenOptions">The endpoint.</param>
    /// <param name="configureOptions">Sets the options; called when the server starts.</param>
    /// <exception cref="InvalidOperationException">The endpoint has https already.</exception>
    public static ListenOptions UseHttps(this ListenOptions listenOptions, Action<HttpsConnectionAdapterOptions> configureOptions)
    {
        ArgumentNullException.ThrowIfNull(configureOptions);
        return Use(listenOptions, certificate: null, configureOptions);
    }

    /// <summary>Serves https with exactly these options, without the defaults; they must have a certificate or a selector.</summary>
    /// <exception cref="InvalidOperationException">They have neither, or the endpoint has https already.</exception>
    public static ListenOptions UseHttps(this ListenOptions listenOptions, HttpsConnectionAdapterOptions httpsOptions)
    {
        ArgumentNullException.ThrowIfNull(listenOptions);
        ArgumentNullException.ThrowIfNull(httpsOptions);
        if (httpsOptions.ServerCertificate is null && httpsOptions.ServerCertificateSelector is null)
        {
            throw new InvalidOperationException("The server certificate is missing: set ServerCertificate or ServerCertificateSelector.");
        }

        listenOptions.UseTls(new HttpsOptionsSetup(() => httpsOptions));
        return listenOptions;
    }

    /// <summary>Serves https with the options that a callback gives for each connection, within 10 seconds.</summary>
    /// <param name="listenOptions">The endpoint.</param>
    /// <param name="serverOptionsSelectionCallback">Called when the client's first message has arrived.</param>
    /// <param name="state">Given to the callback.</param>
    /// <exception cref="InvalidOperationException">The endpoint has https already.</exception>
    public static ListenOptions UseHttps(
        this ListenOptions listenOptions, ServerOptionsSelectionCallback serverOptionsSelectionCallback, object state) =>
        listenOptions.UseHttps(serverOptionsSelectionCallback, state, new TlsCallbackOptions().HandshakeTimeout);

    /// <inheritdoc cref="UseHttps(ListenOptions, ServerOptionsSelectionCallback, object)"/>
    /// <param name="listenOptions">The endpoint.</param>
    /// <param name="serverOptionsSelectionCallback">Called when the client's first message has arrived.</param>
    /// <param name="state">Given to the callback.</param>
    /// <param name="handshakeTimeout">How long a handshake may take; <see cref="Timeout.InfiniteTimeSpan"/> for no limit.</param>
    public static ListenOptions UseHttps(
        this ListenOptions listenOptions,
        ServerOptionsSelectionCallback serverOptionsSelectionCallback,
        object state,
        TimeSpan handshakeTimeout)
    {
        ArgumentNullException.ThrowIfNull(serverOptionsSelectionCallback);
        return listenOptions.UseHttps(new TlsCallbackOptions
        {
            OnConnection = context => serverOptionsSelectionCallback(
                context.SslStream, context.ClientHelloInfo, context.State, context.CancellationToken),
            OnConnectionState = state,
            HandshakeTimeout = handshakeTimeout,
        });
    }

    /// <summary>Serves https with the options that a callback gives for each connection.</summary>
    /// <param name="listenOptions">The endpoint.</param>
    /// <param name="callbackOptions">The callback, which must be set.</param>
    /// <exception cref="ArgumentException">There is no callback.</exception>
    /// <exception cref="InvalidOperationException">The endpoint has https already.</exception>
    public static ListenOptions UseHttps(this ListenOptions listenOptions, TlsCallbackOptions callbackOptions)
    {
        ArgumentNullException.ThrowIfNull(listenOptions);
        ArgumentNullException.ThrowIfNull(callbackOptions);
        if (callbackOptions.OnConnection is null)
        {
            throw new ArgumentException(
                $"{nameof(TlsCallbackOptions.OnConnection)} must be set.", nameof(callbackOptions));
        }

        listenOptions.UseTls(new HttpsCallbackSetup(callbackOptions));
        return listenOptions;
    }

    private static ListenOptions Use(
        ListenOptions listenOptions, CertificateSource? certificate, Action<HttpsConnectionAdapterOptions>? configure)
    {
        ArgumentNullException.ThrowIfNull(listenOptions);
        listenOptions.UseTls(new HttpsOptionsSetup(Create, certificate));
        return listenOptions;

        // The certificate that is named here comes before that of the defaults.
        HttpsConnectionAdapterOptions Create()
        {
            var options = listenOptions.AsgiServerOptions.CreateHttpsOptions();
            if (certificate is not null)
            {
                options.ServerCertificate = null;
            }

            configure?.Invoke(options);
            return options;
        }
    }

    private static CertificateFile CreateFile(string fileName, string? password)
    {
        ArgumentException.ThrowIfNullOrEmpty(fileName);
        return new CertificateFile("UseHttps", fileName, KeyPath: null, password);
    }

    private static StoredCertificate CreateStored(StoreName storeName, string subject, bool allowInvalid, StoreLocation location)
    {
        ArgumentException.ThrowIfNullOrEmpty(subject);
        return new StoredCertificate("UseHttps", subject, storeName.ToString(), location, allowInvalid);
    }
}
