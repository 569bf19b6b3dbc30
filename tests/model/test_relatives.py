import numpy as np
import pytest

from explorer import VARIANTS, trace_model
from explorer.errors import InputError
from explorer.model.relatives import relatives
from explorer.model.variants import V1, projection
from explorer.model.weights import Model
from tests.helpers import noise

SPEC = projection(8, 2)
X = noise((6, 5, 4))


def test_a_block_with_the_stages_of_v1_has_all_variants() -> None:
    assert relatives(V1) is VARIANTS
    assert relatives(VARIANTS["no_skip"]) is VARIANTS


def test_relatives_of_a_projection_differ_in_one_step() -> None:
    """The weights are the block's own, so that every stage up to that step is the same."""
    model = Model.from_seed(1, 4, SPEC)
    own = trace_model(model, X)
    found = {name: trace_model(model.as_variant(spec), X) for name, spec in relatives(SPEC).items()}
    assert list(found) == ["no_skip", "relu_before_add", "no_last_relu"]
    for trace in found.values():
        np.testing.assert_array_equal(trace["bn2"], own["bn2"])
    branch, shortcut = own["bn2"], own["bn_proj"]
    np.testing.assert_array_equal(found["no_skip"]["out"], np.maximum(branch, 0))
    np.testing.assert_array_equal(found["relu_before_add"]["out"], np.maximum(branch, 0) + shortcut)
    np.testing.assert_array_equal(found["no_last_relu"]["out"], own["add"])
    for trace in found.values():
        assert trace.spec.title
        assert trace.spec.source


def test_other_values_are_refused() -> None:
    with pytest.raises(InputError, match="spec must be a BlockSpec, got 1"):
        relatives(1)  # type: ignore[arg-type]
