"""Users who upload one checkpoint after another."""

import asyncio
import http.client
import time
from email.message import Message
from functools import cache
from urllib.parse import urlsplit

import numpy as np
from safetensors.numpy import save
from streamlit.proto.WidgetStates_pb2 import WidgetState

from tests.checkpoints import RESNET18, state_of
from tests.load.client import TIMEOUT, Client, PageError

CLASSES = 1000
LINK = "view=network&network_from=checkpoint"
LABEL = "Checkpoint file"


@cache
def checkpoint() -> bytes:
    """Return the file of a ResNet-18."""
    return save(state_of(RESNET18, CLASSES))


async def upload_checkpoints(address: str, user: int, think: float, until: float) -> int:
    """Upload checkpoints until the time is over; return how many were read and drawn.

    Each has another last value, as one that was read before would come from the cache.
    """
    client = await Client.open(address, LINK)
    await client.run()
    count = 0
    while time.monotonic() < until:
        value = np.float32(user + count / 1000).tobytes()
        await asyncio.to_thread(upload, address, client, checkpoint()[: -len(value)] + value)
        await client.run()
        if not any(": 8 blocks, on " in text for text in client.texts()):
            raise PageError(f"no network of 8 blocks is shown, but {client.texts()}")
        count += 1
        await asyncio.sleep(think)
    await client.close()
    return count


def upload(address: str, client: Client, data: bytes) -> None:
    """Upload a file in place of the one before, as a browser does, for the client's next run."""
    (field,) = [one for one in client.drawn("file_uploader") if one.label == LABEL]
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=TIMEOUT)

    def request(
        method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> Message:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status >= 400:
            raise PageError(f"{method} {path} was refused: {answer.status} {text!r}")
        return answer.headers

    cookie = str(request("GET", "/_stcore/health")["Set-Cookie"]).split(";")[0]
    token = {"Cookie": cookie, "X-Xsrftoken": cookie.split("=", 1)[1]}
    files = f"/_stcore/upload_file/{client.session}/"
    earlier = client.widgets.get(field.id)
    number = 0
    if earlier:
        (info,) = earlier.file_uploader_state_value.uploaded_file_info
        request("DELETE", files + info.file_id, token)
        number = int(info.file_id) + 1
    head = (
        '--file\r\nContent-Disposition: form-data; name="file"; filename="net.safetensors"\r\n\r\n'
    )
    body = b"".join([head.encode(), data, b"\r\n--file--\r\n"])
    form = {"Content-Type": "multipart/form-data; boundary=file"}
    request("PUT", f"{files}{number}", token | form, body)
    connection.close()
    chosen = WidgetState(id=field.id)
    chosen.file_uploader_state_value.uploaded_file_info.add(
        file_id=str(number), name="net.safetensors", size=len(data)
    )
    client.widgets[field.id] = chosen
