// A server of Microsoft's, with a hub as that of examples/conformance: what clients can do here they can do there.

using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Channels;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Connections.Features;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

/// What clients offer.
public interface IAcceptClient
{
    Task Notify(string text);
    Task Number(int number);
}

public class AcceptHub : Hub<IAcceptClient>
{
    static readonly ConcurrentDictionary<string, List<int>> Lists = new ConcurrentDictionary<string, List<int>>();

    List<int> List => Lists.GetOrAdd(Context.ConnectionId, _ => new List<int>());

    public override Task OnDisconnectedAsync(Exception error)
    {
        Lists.TryRemove(Context.ConnectionId, out _);
        return Task.CompletedTask;
    }

    public string Echo(string text) => text;

    public int Add(int a, int b) => unchecked(a + b);

    public void Nothing() { }

    public void Fail(string text) => throw new HubException(text);

    public void FailPlain(string text) => throw new InvalidOperationException(text);

    public string GetConnectionId() => Context.ConnectionId;

    public string GetTransport() => Context.Features.Get<IHttpTransportFeature>().TransportType.ToString();

    public string GetHeader(string name) => Context.GetHttpContext().Request.Headers[name];

    public string GetQuery(string name) => Context.GetHttpContext().Request.Query[name];

    public void Append(int number) => List.Add(number);

    public List<int> Appended() => List;

    public async IAsyncEnumerable<int> Counter(int count, int delayMs, [EnumeratorCancellation] CancellationToken cancelled)
    {
        for (var number = 0; number < count; number++)
        {
            if (delayMs > 0) await Task.Delay(delayMs, cancelled);
            yield return number;
        }
    }

    public async IAsyncEnumerable<int> CounterThenFail(int count)
    {
        for (var number = 0; number < count; number++) yield return number;
        await Task.Yield();
        throw new HubException("stream broke");
    }

    public async Task<long> Sum(IAsyncEnumerable<int> numbers)
    {
        long total = 0;
        await foreach (var number in numbers) total += number;
        return total;
    }

    public async Task<string> TwoStreams(IAsyncEnumerable<int> numbers, string text, IAsyncEnumerable<string> texts)
    {
        var joined = await Sum(numbers) + text;
        await foreach (var more in texts) joined += more;
        return joined;
    }

    public async IAsyncEnumerable<long> Doubled(IAsyncEnumerable<int> numbers)
    {
        await foreach (var number in numbers) yield return number * 2L;
    }

    public Task SendCaller(string text) => Clients.Caller.Notify(text);

    public Task SendAll(string text) => Clients.All.Notify(text);

    public Task JoinGroup(string group) => Groups.AddToGroupAsync(Context.ConnectionId, group);

    public Task SendGroup(string group, string text) => Clients.Group(group).Notify(text);

    public async Task Burst(int count)
    {
        for (var number = 0; number < count; number++) await Clients.Caller.Number(number);
    }

    public void AbortMe() => Context.Abort();
}

public static class Program
{
    public static void Main(string[] arguments)
    {
        // .NET 3.1 takes a SIGTERM that it obeyed for a failure.
        AppDomain.CurrentDomain.ProcessExit += (sender, e) => Environment.ExitCode = 0;
        using var host = Host.CreateDefaultBuilder(arguments)
            .ConfigureLogging(logging => logging.SetMinimumLevel(LogLevel.Warning).AddFilter("Microsoft.AspNetCore.SignalR", LogLevel.None))
            .ConfigureWebHostDefaults(web => web
                .UseUrls("http://127.0.0.1:" + Environment.GetEnvironmentVariable("PORT"))
                .ConfigureServices(services => services.AddSignalR(options => options.MaximumReceiveMessageSize = 4 << 20))
                .Configure(app => app.UseRouting().UseEndpoints(endpoints =>
                {
                    endpoints.MapHub<AcceptHub>("/accept", options =>
                    {
                        options.ApplicationMaxBufferSize = options.TransportMaxBufferSize = 4 << 20;
                        options.LongPolling.PollTimeout = TimeSpan.FromSeconds(2);
                    });
                })))
            .Build();
        host.Start();
        var features = host.Services.GetRequiredService<Microsoft.AspNetCore.Hosting.Server.IServer>().Features;
        Console.WriteLine("listening at " + features.Get<IServerAddressesFeature>().Addresses.Single());
        host.WaitForShutdown();
    }
}
