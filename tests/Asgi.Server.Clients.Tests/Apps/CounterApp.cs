// The counter of every Blazor template, written in C# as the Razor compiler would: a page rendered on the server, with one component that
// lives on in a circuit.

using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Rendering;
using Microsoft.AspNetCore.Components.Web;

namespace Asgi.Server.Clients.Tests;

public sealed class CounterApp : ComponentBase
{
    protected override void BuildRenderTree(RenderTreeBuilder builder)
    {
        builder.OpenElement(0, "html");
        builder.OpenElement(1, "body");
        builder.OpenComponent<Counter>(2);
        builder.AddComponentRenderMode(RenderMode.InteractiveServer);
        builder.CloseComponent();
        builder.CloseElement();
        builder.CloseElement();
    }
}

/// <summary>Only the address: the app shows the counter on every page.</summary>
[Route("/")]
public sealed class HomePage : ComponentBase;

public sealed class Counter : ComponentBase
{
    private int _count;

    protected override void BuildRenderTree(RenderTreeBuilder builder)
    {
        builder.OpenElement(0, "p");
        builder.AddContent(1, $"Current count: {_count}");
        builder.CloseElement();
        builder.OpenElement(2, "button");
        builder.AddAttribute(3, "onclick", EventCallback.Factory.Create<MouseEventArgs>(this, () => _count++));
        builder.AddContent(4, "Click me");
        builder.CloseElement();
    }
}
