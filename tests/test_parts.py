"""Arrays in parts: all values, each once, in whole pixels."""

import numpy as np
import pytest

from explorer.parts import VALUES, parts


@pytest.mark.parametrize(
    "shape", [(), (1,), (7,), (2, 3), (5, 4, 3), (2, 300, 200, 3), (1, 1, 2 * VALUES), (0, 3)]
)
def test_parts_hold_every_value_once_and_are_views(shape: tuple[int, ...]) -> None:
    array = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    found = list(parts(array, -array))
    for one, other in found:
        np.testing.assert_array_equal(other, -one)
        assert one.shape[1] == (shape[-1] if shape else 1)
        assert one.size <= max(VALUES, one.shape[1])
        assert np.shares_memory(one, array)
    values = np.concatenate([one.ravel() for one, _ in found]) if found else np.zeros(0)
    np.testing.assert_array_equal(values, array.ravel())


def test_a_large_array_has_several_parts() -> None:
    assert len(list(parts(np.zeros((256, 256, 8), np.float32)))) == 8
