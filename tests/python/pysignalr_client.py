"""pysignalr against the hub at a URL: calls, streams, is called, and prints what it heard as JSON."""

import asyncio
import json
import sys

from pysignalr.client import SignalRClient

SOON = 10  # seconds


async def main(url):
    client = SignalRClient(url)
    loop = asyncio.get_running_loop()
    heard = {name: loop.create_future() for name in ("opened", "echo", "Notify", "counter", "Sum", "error")}

    def settle(name, value):
        if not heard[name].done():
            heard[name].set_result(value)

    def keep(name, value_of):
        async def callback(message):
            settle(name, value_of(message))

        return callback

    async def opened():
        settle("opened", True)

    items = []

    async def next_item(item):
        items.append(item)

    async def ignore(_):
        pass

    client.on_open(opened)
    client.on_error(keep("error", lambda completion: completion.error))
    for event in ("Notify", "Sum"):
        client.on(event, keep(event, lambda arguments: arguments))
    running = asyncio.create_task(client.run())
    await asyncio.wait_for(heard["opened"], SOON)
    await client.send("Echo", ["héllo"], keep("echo", lambda completion: completion.result))
    await client.send("SendCaller", ["hi"])
    await client.stream("Counter", [3, 1], next_item, keep("counter", lambda _: items))
    async with client.client_stream("SumLater") as numbers:
        for number in (1, 2, 39):
            await numbers.send(number)
    # Only a call with a callback asks for an answer.
    await client.send("Fail", ["no"], ignore)
    print(json.dumps({name: await asyncio.wait_for(value, SOON) for name, value in heard.items()}))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


asyncio.run(main(sys.argv[1]))
