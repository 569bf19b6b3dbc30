"""The details Code and BatchNorm: code, state and Linen parity of a variant."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer import Model, trace_block
from explorer.engine.linen_parity import LinenParity
from explorer.engine.state import StateVariable
from explorer.inputs import generate
from explorer.model.spec import BlockSpec
from explorer.model.variants import V1, VARIANTS
from explorer.model.weights import FromSeed
from explorer.page import cache
from explorer.page.cache import ResultCache
from explorer.page.experiment import Experiment
from explorer.page.views import linen_details, norm_details
from explorer.page.views.subject import Subject
from explorer.records import BlockTrace
from tests.helpers import TIMEOUT
from tests.reference import stages, statistics

X = generate("normal", 8, 6, 4, 7)
LINEN = {"linen": "true"}


@pytest.fixture(autouse=True)
def result_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cache in place of the server's."""
    monkeypatch.setattr(cache, "RESULT_CACHE", ResultCache(16, 2**28, 60))


def script(detail: "Any", subject: "Any") -> None:
    from explorer.page.link_state import ignored_parameters, update_old_link
    from explorer.page.views.code_details import code
    from explorer.page.views.norm_details import batch_norm

    update_old_link()
    {"code": code, "batch_norm": batch_norm}[detail](subject, None)  # type: ignore[arg-type]
    assert not ignored_parameters()


def empty_trace(spec: BlockSpec = V1, use_running_average: bool = False) -> BlockTrace:
    """Return a trace of x alone, of a model without weights."""
    model = Model(spec, 4, {}, {}, FromSeed(0))
    return BlockTrace(model, use_running_average, 0, {"x": X}, {})


def look(
    detail: str,
    spec: BlockSpec = V1,
    canonical: BlockTrace | None = None,
    link: Mapping[str, str] = MappingProxyType({}),
) -> AppTest:
    canonical = canonical or empty_trace()
    in_eval = canonical.use_running_average
    experiment = Experiment(("by hand",), lambda: X, False, (), 0, 4, in_eval, 0)
    subject = Subject(canonical, ("by hand",), False, experiment, canonical, spec)
    arguments = {"detail": detail, "subject": subject}
    at = AppTest.from_function(script, default_timeout=TIMEOUT, kwargs=arguments)
    at.query_params.update(link)
    at.run()
    assert not at.exception
    return at


def captions(at: AppTest) -> list[str]:
    return [caption.value for caption in at.caption]


def columns(at: AppTest, index: int) -> dict[str, list[Any]]:
    frame = at.dataframe[index].value
    return {name: list(frame[name]) for name in frame}


def test_the_basic_block_has_its_code_and_no_difference() -> None:
    at = look("code")
    (code,) = at.code
    assert code.language == "plaintext"
    assert "class Block(nnx.Module):" in code.value
    assert "The difference from v1." not in captions(at)


def test_a_variant_has_its_difference_first_and_then_its_code() -> None:
    at = look("code", VARIANTS["no_skip"])
    difference, code = at.code
    assert captions(at)[0] == "The difference from v1."
    assert (difference.language, code.language) == ("plaintext", "plaintext")
    changed = [line for line in difference.value.splitlines() if line[:1] in ("+", "-")]
    lines = [line[1:] for line in changed if line[:3] not in ("+++", "---")]
    assert lines
    for line in changed:
        if line.startswith("+") and not line.startswith("+++"):
            assert line[1:] in code.value
        elif line.startswith("-") and not line.startswith("---"):
            assert line[1:] not in code.value.splitlines()


@pytest.mark.parametrize(("in_eval", "argument"), [(False, "False"), (True, "True")])
def test_the_code_runs_in_the_mode_of_the_experiment(in_eval: bool, argument: str) -> None:
    (code,) = look("code", canonical=empty_trace(use_running_average=in_eval)).code
    (call,) = (line for line in code.value.splitlines() if line.startswith("out = run("))
    assert call.endswith(f"use_running_average={argument})")


@dataclass
class Variable:
    """A state variable before and after both calls, in the order of channels."""

    path: str
    kind: str
    initial: list[float]
    after_train: list[float] = field(default_factory=list)
    after_eval: list[float] = field(default_factory=list)

    def record(self) -> StateVariable:
        train = self.after_train or self.initial
        values = (self.initial, train, self.after_eval or train)
        return StateVariable(self.path, self.kind, *map(np.array, values))


def test_the_state_before_and_after_the_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = [
        Variable("bn1.mean", "BatchStat", [0, 0], [-0.0125, 0], [-0.0125, 0]),
        Variable("bn1.var", "BatchStat", [1, 1], [1, 2], [1, 2]),  # channel 1 alone moves
        Variable("bn2.mean", "BatchStat", [0.5, 3], [0.5, 3], [0.5, 4]),
        Variable("bn2.scale", "Param", [1, 1], [9, 9]),
    ]
    records = [variable.record() for variable in variables]
    kernel = np.zeros((3, 3, 2, 2))
    records.append(StateVariable("conv1.kernel", "Param", kernel, kernel, kernel))
    number = np.array(0.5)
    records.append(StateVariable("scaled_x.factor", "Constant", number, number, number))
    monkeypatch.setattr(norm_details, "state_variables", lambda model, x: tuple(records))
    at = look("batch_norm")
    assert columns(at, 0) == {
        "running statistic": ["bn1.mean", "bn1.var", "bn2.mean"],
        "fresh block": ["0.000000", "1.000000", "0.500000"],
        "after a train-mode call": ["−0.012500", "1.000000", "0.500000"],
        "after an eval-mode call": ["−0.012500", "1.000000", "0.500000"],
        "changed by train": ["yes", "yes", "no"],
        "changed by eval": ["no", "no", "yes"],
    }
    assert columns(at, 1) == {
        "path": [*(variable.path for variable in variables), "conv1.kernel", "scaled_x.factor"],
        "kind": ["BatchStat"] * 3 + ["Param"] * 2 + ["Constant"],
        "shape": ["2"] * 4 + ["3×3×2×2", "scalar"],
        "values": [2] * 4 + [36, 1],
    }


def test_without_running_statistics_there_is_one_table(monkeypatch: pytest.MonkeyPatch) -> None:
    only = Variable("conv1.bias", "Param", [0.0, 0.0]).record()
    monkeypatch.setattr(norm_details, "state_variables", lambda model, x: (only,))
    at = look("batch_norm", VARIANTS["no_bn"])
    assert len(at.dataframe) == 1
    assert columns(at, 0)["path"] == ["conv1.bias"]
    assert not any("running statistics" in caption for caption in captions(at))


def test_the_running_statistics_move_1_percent_of_the_way_to_numpys() -> None:
    weights = Model.from_seed(0, 4).parameters
    kernels, biases = (
        (np.asarray(weights["conv1"][name]), np.asarray(weights["conv2"][name]))
        for name in ("kernel", "bias")
    )
    expected = {}
    found = stages(X, kernels, biases)
    for norm, source in (("bn1", "conv1"), ("bn2", "conv2")):
        mean, variance = statistics(found[source])
        expected[f"{norm}.mean"] = 0.01 * mean[0]
        expected[f"{norm}.var"] = 0.99 + 0.01 * variance[0]
    table = columns(look("batch_norm", canonical=trace_block(0, X, 4)), 2)
    after = dict(zip(table["running statistic"], table["after a train-mode call"], strict=True))
    assert set(after) == set(expected)
    for path, text in after.items():
        assert float(text.replace("−", "-")) == pytest.approx(expected[path], abs=2e-6), path
    assert table["after an eval-mode call"] == table["after a train-mode call"]


def test_the_largest_difference_from_linen_is_that_of_the_table(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    differences = {"out": 1.5e-7, "bn1.mean": 0.0, "bn2.var": 2.25e-6}
    parity = LinenParity(X, {}, differences)
    monkeypatch.setattr(linen_details, "linen_parity", lambda *given, **options: parity)
    at = look("code", link=LINEN)
    assert [text.value for text in at.markdown] == [
        "Largest difference between Linen and NNX on this input: **2.25e-06**."
    ]
    assert columns(at, 0) == {
        "compared": ["out", "bn1.mean", "bn2.var"],
        "largest |Linen − NNX|": ["1.5e-07", "0", "2.25e-06"],
    }
    sources = [code.value for code in at.code]
    assert [text.splitlines()[0].split("(")[0] for text in sources[1:3]] == [
        "class BasicBlock",
        "class LinenBlock",
    ]


@pytest.mark.parametrize("in_eval", [True, False])
def test_linen_runs_the_basic_block_in_its_mode_whatever_the_variant(
    in_eval: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[tuple[object, ...], dict[str, object]]] = []

    def linen_parity(*given: object, **options: object) -> LinenParity:
        calls.append((given, options))
        return LinenParity(X, {}, {"out": 0.0})

    monkeypatch.setattr(linen_details, "linen_parity", linen_parity)
    canonical = empty_trace(use_running_average=in_eval)
    look("code", VARIANTS["full_preact"], canonical, LINEN)
    ((given, options),) = calls
    assert given[0] is canonical.model
    assert given[1] is X
    assert options == {"use_running_average": in_eval, "warmup_passes": 0}
