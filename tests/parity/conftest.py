"""Lets torchvision be imported beside a CPU build of torch."""

from importlib.util import find_spec
from pathlib import Path

import torch


def _declare_operators() -> list[torch.library.Library]:
    """Declare the operators that torchvision needs when it is imported.

    PyPI has torchvision only with operators built for CUDA. They do not load beside a CPU build of
    torch, and then `import torchvision` fails, since it names two of them. No ResNet uses them.
    """
    spec = find_spec("torchvision")
    assert spec is not None
    assert spec.origin is not None
    try:
        torch.ops.load_library(Path(spec.origin).with_name("_C.so"))
    except OSError:
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor boxes, Tensor scores, float threshold) -> Tensor")
        return [library]
    return []


OPERATORS = _declare_operators()  # they are removed with the library, so it is kept
