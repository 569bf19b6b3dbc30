"""Details of a stack, on records written by hand, and one block of it against NumPy."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer import Model
from explorer.errors import InputError
from explorer.inputs import generate
from explorer.model.variants import V1, VARIANTS
from explorer.page.jobs import Shown
from explorer.page.limiter import Busy
from explorer.records import AblationKind, AblationRecord, PathRecord
from tests.helpers import TIMEOUT, decoded, figure_messages, messages, page
from tests.reference import relu, stages

DEPTH = 4
BINOMIAL = np.array([1, 4, 6, 4, 1]) / 2**DEPTH


@dataclass(frozen=True)
class Stacks:
    """In place of `StackPair`: results written by hand, or the error that computing them raises."""

    changes: dict[AblationKind, tuple[list[float], list[float]]] | None = None
    norms: list[float] | None = None
    problem: Exception | None = None
    depth: int = DEPTH
    is_trained: bool = False

    is_stale: bool = False

    def ablations(
        self, kind: AblationKind, place: Any
    ) -> Shown[tuple[AblationRecord, AblationRecord]] | None:
        if self.problem:
            raise self.problem
        if self.changes is None:
            return None
        residual, plain = (np.array(change, float) for change in self.changes[kind])
        spec = VARIANTS["no_skip"]
        both = AblationRecord(V1, kind, residual), AblationRecord(spec, kind, plain)
        return Shown(both, self.is_stale)

    def paths(self, place: Any) -> Shown[PathRecord] | None:
        if self.problem:
            raise self.problem
        if self.norms is None:
            return None
        norms = np.array(self.norms)
        lengths = np.arange(DEPTH + 1)
        found = PathRecord(DEPTH, lengths, BINOMIAL, norms, np.zeros_like(norms))
        return Shown(found, self.is_stale)


def script(stacks: "Any") -> None:
    from explorer.page.link_state import update_old_link
    from explorer.page.views import depth_details

    update_old_link()
    depth_details.view(stacks)


def details(stacks: Stacks, **link: str) -> AppTest:
    at = AppTest.from_function(script, default_timeout=TIMEOUT, kwargs={"stacks": stacks})
    at.query_params.update(link)
    at.run()
    assert not at.exception
    return at


def sentence(at: AppTest) -> str:
    (only,) = (each.value for each in at.markdown)
    return only


def test_without_a_choice_nothing_is_computed_or_drawn() -> None:
    at = details(Stacks(problem=InputError("computed")))
    assert figure_messages(at) == {}
    assert not messages(at, "error")
    assert not at.caption


@pytest.mark.parametrize(
    ("residual", "plain", "words"),
    [
        ([0.5, 0.25, 0.25, 0.0], [1.0, 2.0, 3.0, 4.0], ("0.25", "2.50")),
        ([0.125], [0.375], ("0.12", "0.38")),  # halves are rounded to even digits
        ([float("nan"), 1.0], [float("inf"), 1.0], ("–", "–")),
        ([], [], ("–", "–")),  # one block has no neighbour to be swapped with
    ],
)
def test_the_mean_change_of_both_stacks(
    residual: list[float], plain: list[float], words: tuple[str, str]
) -> None:
    at = details(Stacks({"delete": (residual, plain)}), depth_details="ablation")
    assert sentence(at) == (
        f"Mean change: {words[0]} of the output's norm with shortcuts, {words[1]} without."
    )


def test_the_change_chosen_is_drawn_for_every_block() -> None:
    changes: dict[AblationKind, tuple[list[float], list[float]]] = {
        "delete": ([0.5, 0.25, 0.125, 1], [1, 2, 3, 4]),
        "swap": ([0.75, 0.375, 1.5], [5, 6, 7]),
    }
    at = details(Stacks(changes), depth_details="ablation")
    for kind, drawn in changes.items():
        at.segmented_control(key="ablation").set_value(kind).run()
        curves = figure_messages(at)["ablation_figure"]["figure"]["data"]
        found = [decoded(item["y"]).tolist() for item in curves if "y" in item]
        for change in drawn:
            assert change in found


@pytest.mark.parametrize(
    ("norms", "mean"),
    [
        # Σ k C(n, k) rᵏ / Σ C(n, k) rᵏ = n r / (1 + r)
        ([1.0, 1.0, 1.0, 1.0, 1.0], "2.0"),
        ([1.0, 0.5, 0.25, 0.125, 0.0625], "1.3"),
        ([1.0, 3.0, 9.0, 27.0, 81.0], "3.0"),
        ([7.0, 0.0, 0.0, 0.0, 0.0], "0.0"),
        ([0.0, 0.0, 0.0, 0.0, 7.0], "4.0"),
        ([0.0, 0.0, 0.0, 0.0, 0.0], "–"),
        ([float("nan"), 1.0, 1.0, 1.0, 1.0], "–"),
    ],
)
def test_the_mean_length_of_paths_is_weighted_by_their_gradients(
    norms: list[float], mean: str
) -> None:
    at = details(Stacks(norms=norms), depth_details="paths")
    words = f"is 2.0 blocks; weighted by the norms of their gradients it is {mean}."
    assert sentence(at).endswith(words)


@pytest.mark.parametrize("chosen", ["ablation", "paths"])
def test_what_was_stopped_is_drawn_as_it_was_before_if_it_was(chosen: str) -> None:
    at = details(Stacks(), depth_details=chosen)
    assert figure_messages(at) == {}
    assert not at.caption
    last = Stacks({"delete": ([1.0], [2.0])}, [1.0] * 5, is_stale=True)
    at = details(last, depth_details=chosen)
    assert [message["stale"] for message in figure_messages(at).values()] == [True]
    assert not at.markdown


@pytest.mark.parametrize("chosen", ["ablation", "paths"])
def test_an_error_is_shown_in_place_of_the_details(chosen: str) -> None:
    at = details(Stacks(problem=InputError("Too large.")), depth_details=chosen)
    assert messages(at, "error") == ["Too large."]
    at = details(Stacks(problem=Busy("Server busy.")), depth_details=chosen)
    assert messages(at, "warning") == ["Server busy."]


@pytest.mark.parametrize("which", ["residual", "plain"])
def test_a_block_of_the_stack_is_numpys_and_its_caption_says_which(which: str) -> None:
    size, seed, features = (8, 6, 4), 3, 4
    names = dict(zip(("height", "width", "channels"), map(str, size), strict=True))
    link = {"view": "depth", "depth": "5", "runs": "2", "seed": str(seed), "stack": which}
    at = page(input="zone_plate", **names, **link, depth_details="one_block", block_number="2")
    x = generate("zone_plate", *size).astype(np.float64)
    for index in (0, 1):
        weights = Model.from_seed(seed + index, features).parameters
        kernels, biases = (
            (np.asarray(weights["conv1"][name]), np.asarray(weights["conv2"][name]))
            for name in ("kernel", "bias")
        )
        found = stages(x, kernels, biases)
        x = found["out"] if which == "residual" else relu(found["bn2"])
    drawn = {item["name"]: item for item in figure_messages(at)["depth_block"]["figure"]["data"]}
    np.testing.assert_allclose(decoded(drawn["bn2"]["z"]), found["bn2"][:, :, 0], atol=1e-4)
    np.testing.assert_allclose(decoded(drawn["out"]["z"]), x[:, :, 0], atol=1e-4)
    words = "Block 2 of the first run. Its weights have seed 4; its input is the output of block 1."
    assert words in [caption.value for caption in at.caption]
    at.number_input(key="block_number").set_value(1).run()
    words = "Block 1 of the first run. Its weights have seed 3; its input is the input x."
    assert words in [caption.value for caption in at.caption]
