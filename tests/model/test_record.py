"""Records survive pickling, copying and a process pool."""

import copy
import pickle
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields, is_dataclass
from multiprocessing import get_context
from typing import Any

import numpy as np
import pytest

from explorer import Model, propagate, split_gradient, trace_block
from explorer.analysis.distributions import distribution
from explorer.analysis.gallery import gallery
from explorer.analysis.stage_view import stage_view
from explorer.analysis.sum_comparison import compare_sum
from explorer.analysis.summary import channel_table, headline
from explorer.engine.ablation import ablate
from explorer.engine.paths import path_lengths
from explorer.engine.stack import Stack
from explorer.engine.state import state_variables
from explorer.model.record import Record
from tests.helpers import SMALL, noise
from tests.short_runs import pictures, short_run

X = noise(SMALL)
MAKERS: list[Callable[[], Any]] = [
    lambda: Model.from_seed(0, 4),
    lambda: trace_block(0, X, 4),
    lambda: trace_block(0, np.stack([X, X]), 4, use_running_average=True).image(1),
    lambda: split_gradient(0, X, 4, cotangent=X),
    lambda: split_gradient(0, X, 4, cotangent=X).as_trace,
    lambda: Stack.from_seed(0, 4, 2, runs=2),
    lambda: propagate(0, X, 4, depth=2),
    lambda: ablate(Stack.from_seed(0, 4, 2), X, kind="delete"),
    lambda: path_lengths(Stack.from_seed(0, 4, 2), X),
    lambda: state_variables(Model.from_seed(0, 4), X),
    lambda: headline(trace_block(0, X, 4)),
    lambda: channel_table(trace_block(0, X, 4)),
    lambda: stage_view(trace_block(0, X, 4)),
    lambda: gallery(trace_block(0, X, 4), "zeroed"),
    lambda: distribution(trace_block(0, X, 4), "out"),
    lambda: compare_sum(trace_block(0, X, 4), 0),
    lambda: short_run("scaled_skip"),
    lambda: short_run().network,
    lambda: short_run().network.trace(pictures().test_images),
]


def expect_equal(one: Any, other: Any, is_record: bool = False) -> None:
    """Compare values and types; the arrays of a `Record` stay read-only."""
    assert type(one) is type(other)
    if isinstance(one, np.ndarray):
        np.testing.assert_array_equal(one, other)
        assert not (is_record and other.flags.writeable)
    elif isinstance(one, Mapping):
        assert list(one) == list(other)
        for name in one:
            expect_equal(one[name], other[name], is_record)
    elif isinstance(one, list | tuple):
        assert len(one) == len(other)
        for left, right in zip(one, other, strict=True):
            expect_equal(left, right)
    elif is_dataclass(one):
        for field in fields(one):
            values = getattr(one, field.name), getattr(other, field.name)
            expect_equal(*values, is_record=isinstance(one, Record))
    else:
        assert one == other or one != one


@pytest.mark.parametrize("make", MAKERS)
def test_a_copy_is_the_record(make: Callable[[], Any]) -> None:
    record = make()
    expect_equal(record, pickle.loads(pickle.dumps(record)))
    expect_equal(record, copy.deepcopy(record))
    shallow = copy.copy(record)
    expect_equal(record, shallow)


def run_spec(model: Model) -> Any:
    return trace_block(0, X, 4, variant=model.spec)


def test_records_go_to_a_process_and_come_back() -> None:
    model = Model.from_seed(0, 4)
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        expect_equal(pool.submit(run_spec, model).result(), run_spec(model))
