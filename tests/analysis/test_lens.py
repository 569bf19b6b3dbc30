"""The lens of a network, by hand and against its trace."""

from dataclasses import replace

import numpy as np
import pytest

from explorer import VARIANTS, InputError, Network, NetworkTrace
from explorer.analysis.lens import lens_rows
from explorer.model.network import NetworkSpec
from tests.helpers import noise

PICTURE = noise((4, 4, 1), 2)
NAMES = ["a", "b", "c", "d"]


def traced(variant: str, images: np.ndarray = PICTURE) -> NetworkTrace:
    spec = NetworkSpec(VARIANTS[variant], 2, 4, 1, len(NAMES))
    return Network.from_seed(0, spec).trace(images)


@pytest.fixture(scope="module")
def residual() -> NetworkTrace:
    return traced("v1")


def test_lens_rows_by_hand(residual: NetworkTrace) -> None:
    # e² : e¹ : e⁰ : e¹, then all equal, then one infinite
    logits = np.array([[2, 1, 0, 1], [0, 0, 0, 0], [np.inf, 0, 0, 0]], np.float32)
    lens = dict(zip(residual.stream, logits, strict=True))
    first, second, third = lens_rows(replace(residual, lens=lens), NAMES)
    assert (first.position, second.position, third.position) == ("stem", "block1", "block2")
    assert first.classes == ("a", "b", "d")
    total = np.exp(2) + 2 * np.exp(1) + 1
    np.testing.assert_allclose(first.probabilities, np.exp([2, 1, 1]) / total, rtol=1e-6)
    assert second.classes == ("a", "b", "c")
    assert second.probabilities == (0.25, 0.25, 0.25)
    assert np.isnan(third.probabilities[0])


def test_the_last_row_is_the_networks_prediction(residual: NetworkTrace) -> None:
    rows = lens_rows(residual, NAMES)
    assert len(rows) == 3
    assert rows[-1].classes[0] == NAMES[int(np.argmax(residual.logits))]
    for row in rows:
        assert list(row.probabilities) == sorted(row.probabilities, reverse=True)


def test_two_classes_have_two_in_a_row(residual: NetworkTrace) -> None:
    rows = lens_rows(
        replace(residual, lens=dict.fromkeys(residual.stream, np.zeros(2))), ("no", "yes")
    )
    assert rows[0].classes == ("no", "yes")


def test_what_is_refused(residual: NetworkTrace) -> None:
    with pytest.raises(InputError, match="trace must be a NetworkTrace, got 1"):
        lens_rows(1, NAMES)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"a batch of 1; use trace.image\(n\) for picture n"):
        lens_rows(traced("v1", PICTURE[None]), NAMES)
    with pytest.raises(InputError, match="classes must be a list of 4 names"):
        lens_rows(residual, NAMES[:3])
    with pytest.raises(InputError, match="classes must be a list of 4 names"):
        lens_rows(residual, "abcd")
