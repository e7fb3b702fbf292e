"""signalrcore against the hub at a URL, over a transport: calls, streams, is called, and prints what it heard as JSON."""

import json
import sys
from concurrent.futures import Future

from signalrcore.hub_connection_builder import HubConnectionBuilder
from signalrcore.subject import Subject
from signalrcore.types import HttpTransportType

SOON = 20  # seconds; over long polling it looks at one message of each answer

url, transport = sys.argv[1:]
heard = {name: Future() for name in ("opened", "echo", "Notify", "counter", "Sum", "error", "closed")}
items = []


def keep(name, value_of=lambda value: value):
    def callback(*arguments):
        if not heard[name].done():
            heard[name].set_result(value_of(*arguments) if arguments else True)

    return callback


hub = HubConnectionBuilder().with_url(url, options={"transport": HttpTransportType(transport)}).build()
hub.on_open(keep("opened"))
hub.on_close(keep("closed"))
hub.on_error(keep("error", lambda completion: completion.error))
for event in ("Notify", "Sum"):
    hub.on(event, keep(event))
hub.start()
heard["opened"].result(SOON)
hub.invoke("Echo", ["héllo"], keep("echo", lambda completion: completion.result))
hub.invoke("SendCaller", ["hi"])
hub.stream("Counter", [3, 1]).subscribe(
    {"next": items.append, "complete": keep("counter", lambda _: items), "error": keep("counter")}
)
numbers = Subject()
hub.invoke("SumLater", numbers)
for number in (1, 2, 39):
    numbers.next(number)
numbers.complete()
hub.invoke("Fail", ["no"])
for name in ("echo", "Notify", "counter", "Sum", "error"):
    heard[name].result(SOON)
hub.stop()
print(json.dumps({name: value.result(SOON) for name, value in heard.items()}))
