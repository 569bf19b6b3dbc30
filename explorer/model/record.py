"""The base class of records of arrays, which can be pickled and copied."""

from types import MappingProxyType
from typing import Any

import numpy as np


class _Frozen(dict[str, Any]):
    """The content of a mapping proxy, which cannot be pickled itself."""


class Record:
    """A frozen dataclass whose arrays and mappings are read-only, also in copies.

    Pickling alone would drop the arrays' flag, and refuses mapping proxies.
    """

    def __getstate__(self) -> dict[str, Any]:
        return {
            name: _Frozen(value) if isinstance(value, MappingProxyType) else value
            for name, value in vars(self).items()
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update({name: _read_only(value) for name, value in state.items()})


def _read_only(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        value.setflags(write=False)
    if isinstance(value, dict):
        items = {name: _read_only(item) for name, item in value.items()}
        return MappingProxyType(items) if isinstance(value, _Frozen) else items
    return value
