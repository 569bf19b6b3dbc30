"""Tests of a trace's arrays and numbers as files."""

import json
from io import BytesIO

import numpy as np
import pytest

from explorer import InputError, trace_block
from explorer.analysis.summary import channel_table, headline
from explorer.export.arrays import trace_json, trace_npz
from tests.helpers import noise

TRACE = trace_block(2, noise((5, 4, 3), 1), 3, use_running_average=True, warmup_passes=2)


def test_npz_holds_every_array_bit_for_bit() -> None:
    with np.load(BytesIO(trace_npz(TRACE))) as found:
        for name, stage in TRACE.stages.items():
            np.testing.assert_array_equal(found[f"stages.{name}"], stage)
        for name, layer in TRACE.model.parameters.items():
            for variable, value in layer.items():
                np.testing.assert_array_equal(found[f"parameters.{name}.{variable}"], value)
        for name, norm in TRACE.norms.items():
            np.testing.assert_array_equal(found[f"statistics.{name}.mean"], norm.mean_before)
            np.testing.assert_array_equal(found[f"after.{name}.var"], norm.var_after)
            np.testing.assert_array_equal(found[f"batch.{name}.var"], norm.batch_var)
        readme = found["README"].decode()
        arrays = [name for name in found.files if name != "README"]
    assert all(f"\n{name}: " in readme for name in arrays)
    assert f"Digest of out: {TRACE.digest()}" in readme
    assert "stages.x: 5×4×3, the stage's values" in readme


def test_json_holds_the_numbers_of_the_page() -> None:
    found = json.loads(trace_json(TRACE))
    assert found["numbers"]["ratio"] == headline(TRACE).ratio
    assert found["digests"]["out"] == TRACE.digest()
    np.testing.assert_array_equal(found["channels"]["zeroed"], channel_table(TRACE).zeroed)
    assert (found["mode"], found["weights"], found["shapes"]["x"]) == ("eval", "seed 2", [5, 4, 3])


def test_json_has_null_for_what_is_undefined() -> None:
    trace = trace_block(0, np.zeros((2, 2, 1)), 1)
    assert json.loads(trace_json(trace))["numbers"]["ratio"] is None


def test_arrays_beyond_the_limit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.export.arrays.MAX_BYTES", 100)
    with pytest.raises(InputError, match="have 0 MB; a file holds at most 0 MB"):
        trace_npz(TRACE)
