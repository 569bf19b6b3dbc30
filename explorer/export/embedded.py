"""Arrays as Python source code, or as files beside it."""

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO

import numpy as np

MAX_EMBEDDED = 2**20  # bytes, compressed
LINE = 94  # characters
_UNPACK = """\
from base64 import b85decode
from zlib import decompress


def unpack(shapes, text):  # arrays by name
    values = np.frombuffer(decompress(b85decode(text)), np.float32)
    ends = np.cumsum([np.prod(shape, dtype=int) for shape in shapes.values()])
    parts = zip(shapes.items(), np.split(values, ends[:-1]))
    return {name: part.reshape(shape) for (name, shape), part in parts}


"""


@dataclass
class Arrays:
    """Arrays that a script needs: in its text as far as they are small, else in files.

    Attributes:
        files: the content of each file by name.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    _has_unpack: bool = False

    def source(self, name: str, arrays: Mapping[str, np.ndarray], file: str) -> str:
        """Return lines that make `name`, a dict of float32 arrays; they need `np`.

        Args:
            name: of the variable.
            arrays: float32, by name.
            file: name of the .npz file that large arrays are in.
        """
        packed = zlib.compress(b"".join(array.tobytes() for array in arrays.values()), 9)
        if len(packed) > MAX_EMBEDDED:
            content = BytesIO()
            np.savez(content, **arrays)  # type: ignore[arg-type]
            self.files[file] = content.getvalue()
            return f'{name} = np.load("{file}")\n'
        text = base64.b85encode(packed).decode()
        lines = [
            f"{name} = unpack(",
            "    {",
            *(f"        {key!r}: {array.shape}," for key, array in arrays.items()),
            "    },",
            *(f"    {text[at : at + LINE]!r}" for at in range(0, len(text), LINE)),
            ")",
            "",
        ]
        before = "" if self._has_unpack else _UNPACK
        self._has_unpack = True
        return before + "\n".join(lines)
