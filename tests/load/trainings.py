"""Users who train networks and watch the curves."""

import asyncio
import re
import time

from tests.load.client import TIMEOUT, Client

# More steps than are done while the load lasts.
LINK = "view=train&net_blocks=8&net_steps=5000&net_seed={seed}"
SECONDS = 0.5  # between two reruns of the curves, as the browser asks for them


async def start_training(address: str, seed: int) -> Client:
    """Open the page, press Train, and return the client once the first step is done."""
    client = await Client.open(address, LINK.format(seed=seed))
    await client.run()
    client.press("Train")
    await client.run()
    client.widgets.clear()  # a button is pressed for one run
    async with asyncio.timeout(TIMEOUT):
        while not steps_done(client):
            await asyncio.sleep(SECONDS)
            await client.run(client.fragment)
    return client


async def watch_training(client: Client, until: float) -> int:
    """Watch a training until the time is over; return the number of steps done."""
    while time.monotonic() < until:
        await asyncio.sleep(SECONDS)
        await client.run(client.fragment)
    steps = steps_done(client)
    await client.close()
    return steps


def steps_done(client: Client) -> int:
    """Return the steps done of the running training; 0 if none is running."""
    found = re.search(r"step (\d+) of", " ".join(client.texts()))
    return int(found[1]) if found else 0
