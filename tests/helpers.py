"""Helpers that several tests share: inputs, names of panels, and the page without a browser."""

import base64
import json
import re
import threading
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
from streamlit.testing.v1 import AppTest

from explorer.engine.network import Network
from explorer.lessons import shipped_lessons
from explorer.model.network import NetworkSpec
from explorer.model.spec import BlockSpec
from explorer.model.variants import V1, projection
from explorer.model.weights import Model
from explorer.page.plain_text import Kind
from explorer.records import NetworkTrace

ROOT = Path(__file__).parent.parent
SMALL = (8, 6, 4)  # where the shape does not matter: its programs are compiled once for all
SMALL_PAGE = {"input": "zone_plate", "height": "8", "width": "6", "channels": "4"}
SHAPES = [(1, 1, 1), (2, 3, 4), (8, 8, 4), (17, 9, 3), (32, 32, 16), (224, 224, 3)]


def noise(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


@cache
def network_trace(block: BlockSpec, blocks: int, shape: tuple[int, int] = (8, 6)) -> NetworkTrace:
    """Return the trace of a network with fresh weights, of a picture of noise `(H, W, 1)`."""
    spec = NetworkSpec(block, blocks, width=4, channels=1, classes=3)
    return Network.from_seed(0, spec).trace(noise((*shape, 1)))


def staged_network(seed: int = 0) -> Network:
    """Return a network of three blocks of which the second halves rows and columns."""
    stem = NetworkSpec(V1, 0, width=4, channels=1, classes=3).stem
    blocks = (4, V1), (4, projection(8, 2)), (8, V1)
    random = np.random.default_rng(seed)
    return Network(
        stem=Model.from_seed(seed, 1, stem),
        models={
            f"layer{1 + index}.0": Model.from_seed(seed + index, features, spec)
            for index, (features, spec) in enumerate(blocks)
        },
        final=None,
        head={
            "kernel": random.standard_normal((8, 3)).astype(np.float32),
            "bias": np.zeros(3, np.float32),
        },
        provenance=("staged", seed),
    )


PANELS = {
    "x": "x",
    "conv1": "conv1",
    "bn1": "bn1",
    "relu1": "relu1",
    "conv2": "conv2",
    "bn2": "bn2",
    "identity": "x",
    "add": "add",
    "out": "out",
}


TIMEOUT = 120  # seconds, enough for a first compile on a busy machine


def page(**link: str) -> AppTest:
    at = AppTest.from_file(ROOT / "explorer" / "page" / "main.py", default_timeout=TIMEOUT)
    for key, value in link.items():
        at.query_params[key] = value
    return at.run()


def control(at: AppTest, name: str) -> str:
    """Return the key of the widget of a setting (see `link_state.control_key`)."""
    state = at.session_state
    number = state["numbers_of_widgets"].get(name, 0) if "numbers_of_widgets" in state else 0
    return f"{name} {number}" if number else name


def messages(at: AppTest, kind: Kind) -> list[str]:
    """Return the messages of one kind on the page."""
    found = [html.value for html in at.html if f'data-kind="{kind}"' in html.value]
    return [_without_tags(html) for html in found]


def notes(at: AppTest) -> list[str]:
    """Return the notes in plain text on the page, without those of the list of lessons."""
    found = [_without_tags(html.value) for html in at.html if "data-kind" not in html.value]
    summaries = {lesson.summary for lesson in shipped_lessons()}
    return [note for note in found if note not in summaries]


def own_buttons(at: AppTest) -> dict[str, str]:
    """Return the labels by key of the buttons that are a view's own."""
    keyed = {str(button.key): button.label for button in at.button}
    common = "suggest_", "lesson_", "present_"
    return {key: label for key, label in keyed.items() if not key.startswith(common)}


def _without_tags(html: str) -> str:
    return unescape(re.sub("<[^>]*>", "", html))


def figure_messages(at: AppTest) -> dict[str, Any]:
    """Return the messages of the linked figures on the page, by their keys."""
    protos = [element.proto for element in at.get("bidi_component")]
    return {
        proto.id.rsplit("-", 1)[1]: strict_json(proto.bytes)
        for proto in protos
        if proto.component_name == "linked_figure"
    }


def strict_json(text: bytes) -> Any:
    """Parse JSON as a browser does: NaN and Infinity are errors."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    return json.loads(text, parse_constant=refuse)


def decoded(array: dict[str, str]) -> np.ndarray:
    """Return a typed array of a message as a NumPy array."""
    values = np.frombuffer(base64.b64decode(array["bdata"]), array["dtype"])
    shape = array.get("shape", str(values.size))
    return values.reshape([int(side) for side in shape.split(", ")])


def digest(at: AppTest) -> str:
    (line,) = (c.value for c in at.caption if c.value.startswith("Digest of out"))
    return line.split()[3].rstrip(".")


def upload(at: AppTest, name: str, data: bytes) -> AppTest:
    at.selectbox(key="input").select("upload").run()
    at.file_uploader(key="file").upload(name, data, "application/octet-stream").run()
    return at


def wait_for_trainings() -> None:
    """Wait until no training runs in the background."""
    for thread in threading.enumerate():
        if thread.name == "training":
            thread.join(TIMEOUT)
            assert not thread.is_alive()
