"""A client that sends reruns as fast as it is told to, and reads no answers to them."""

import asyncio
import threading
import time

from websockets.exceptions import ConnectionClosed, WebSocketException

from tests.load.client import Client

LABEL = "Seed of the weights"


class Flooder(threading.Thread):
    """A thread that sends `rate` reruns per second to a page until `stop`, each with a new seed.

    It connects again when it is disconnected. What the server does not read waits in the sockets.
    """

    def __init__(self, address: str, rate: float) -> None:
        super().__init__(daemon=True)
        self.address, self.rate = address, rate
        self.sent = 0
        self.started = threading.Event()
        self.ended = False
        self.start()

    def stop(self) -> None:
        self.ended = True
        self.join()

    def run(self) -> None:
        while not self.ended:
            try:
                asyncio.run(self._flood())
            except (WebSocketException, OSError, TimeoutError):
                time.sleep(0.05)

    async def _flood(self) -> None:
        client = await Client.open(self.address)
        await client.run()
        reading = asyncio.create_task(self._read(client))
        start, before = time.monotonic(), self.sent
        try:
            while not self.ended:
                client.set_number(LABEL, self.sent % 50)
                async with asyncio.timeout(1):
                    await client.connection.send(client.rerun_message())
                self.sent += 1
                self.started.set()
                due = start + (self.sent - before) / self.rate
                await asyncio.sleep(max(0.0, due - time.monotonic()))
        finally:
            reading.cancel()
            client.connection.transport.abort()

    async def _read(self, client: Client) -> None:
        try:
            while True:
                await client.connection.recv()
        except ConnectionClosed:
            pass
