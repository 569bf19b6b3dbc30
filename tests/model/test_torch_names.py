"""The names and layout of PyTorch, there and back."""

import numpy as np
import pytest

from explorer import InputError
from explorer.model.torch_names import from_torch, to_torch
from tests.helpers import noise

KERNEL = noise((3, 3, 2, 4))  # height, width, in, out


def test_names_and_layout() -> None:
    arrays = {
        "stem.conv.kernel": KERNEL,
        "stem.bn.mean": noise((4,)),
        "block1.conv1.bias": noise((4,)),
        "block12.bn2.scale": noise((4,)),
        "block12.scaled_f.factor": np.array(0.5, np.float32),
        "final.bn.var": noise((4,)),
        "head.kernel": noise((4, 3)),
        "head.bias": noise((3,)),
    }
    found = to_torch(arrays)
    assert list(found) == [
        "conv1.weight",
        "bn1.running_mean",
        "layer1.0.conv1.bias",
        "layer1.11.bn2.weight",
        "layer1.11.scaled_f.factor",
        "bn2.running_var",
        "fc.weight",
        "fc.bias",
    ]
    assert found["conv1.weight"].shape == (4, 2, 3, 3)
    assert found["conv1.weight"][3, 1, 0, 2] == KERNEL[0, 2, 1, 3]
    np.testing.assert_array_equal(found["fc.weight"], arrays["head.kernel"].T)
    back = from_torch(found)
    assert list(back) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(back[name], array)


@pytest.mark.parametrize(
    "name",
    ["conv2.weight", "layer1.0.weight", "layer1.0.bn1.scale", "bn1", "", "layer1.-1.bn1.bias"],
)
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="expected names such as layer1"):
        from_torch({name: KERNEL})
