// Microsoft's SignalR with a hub like the others, and its defaults. PORT is its port.

using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

public class BenchHub : Hub
{
    public string Echo(string text) => text;

    public Task Broadcast(string text) => Clients.All.SendAsync("message", text);

    public async Task<string> Join(string group)
    {
        await Groups.AddToGroupAsync(Context.ConnectionId, group);
        return group;
    }

    public Task ToGroup(string group, string text) => Clients.Group(group).SendAsync("message", text);

    public async IAsyncEnumerable<long> Ticks(long items)
    {
        for (long item = 0; item < items; item++)
        {
            await Task.Delay(100);
            yield return item;
        }
    }
}

public static class Program
{
    public static void Main(string[] arguments)
    {
        var host = Host.CreateDefaultBuilder(arguments)
            .ConfigureLogging(logging => logging.SetMinimumLevel(LogLevel.Warning))
            .ConfigureWebHostDefaults(web => web
                .UseUrls("http://127.0.0.1:" + Environment.GetEnvironmentVariable("PORT"))
                .ConfigureServices(services => services.AddSignalR())
                .Configure(app => app.UseRouting().UseEndpoints(endpoints => endpoints.MapHub<BenchHub>("/hub"))))
            .Build();
        host.Start();
        Console.WriteLine(host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>().Addresses.Single());
        // Whoever started it for a measurement may be killed.
        if (Environment.GetEnvironmentVariable("END_WITH_STDIN") != null)
        {
            new Thread(() => { while (Console.In.Read() >= 0) { } Environment.Exit(0); }).Start();
        }
        host.WaitForShutdown();
    }
}
