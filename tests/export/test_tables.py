"""Tables as CSV files, read again with the csv module."""

import csv
from io import StringIO

import numpy as np

from explorer import trace_block
from explorer.analysis.network_health import network_health
from explorer.export.tables import (
    channel_csv,
    confusion_csv,
    health_csv,
    lens_csv,
    training_csv,
)
from explorer.model.variants import V1
from tests.helpers import network_trace, noise


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text)))


def test_the_channels_of_a_block() -> None:
    trace = trace_block(0, noise((5, 4, 3)), 3)
    rows = rows_of(channel_csv(trace))
    assert [row["channel"] for row in rows] == ["0", "1", "2"]
    for channel, row in enumerate(rows):
        x, branch, out = (trace[stage][:, :, channel] for stage in ("x", "bn2", "out"))
        assert np.isclose(float(row["norm_x"]), np.linalg.norm(x))
        assert np.isclose(float(row["ratio"]), np.linalg.norm(branch) / np.linalg.norm(x))
        assert np.isclose(float(row["zeroed"]), np.mean(out == 0))


def test_the_classes_after_every_block() -> None:
    trace = network_trace(V1, 2)
    rows = rows_of(lens_csv(trace, ["a", "b, or c", "d"]))
    assert [row.pop("after") for row in rows] == ["stem", "block1", "block2"]
    for row in rows:
        assert list(row) == ["a", "b, or c", "d"]
        assert np.isclose(sum(map(float, row.values())), 1)
    logits = trace.logits.reshape(-1)
    expected = np.exp(logits - logits.max())
    expected /= expected.sum()
    np.testing.assert_allclose([float(value) for value in rows[-1].values()], expected, rtol=1e-5)


def test_a_confusion_matrix_has_a_row_for_each_class() -> None:
    rows = rows_of(confusion_csv(np.array([[3, 1], [0, 2]]), ["cat", "dog"]))
    assert rows == [
        {"class \\ predicted": "cat", "cat": "3", "dog": "1"},
        {"class \\ predicted": "dog", "cat": "0", "dog": "2"},
    ]


def test_the_health_of_every_block() -> None:
    health = network_health(network_trace(V1, 2))
    rows = rows_of(health_csv(health))
    assert [row["name"] for row in rows] == ["block1", "block2"]
    assert [float(row["ratio"]) for row in rows] == [each.ratio for each in health.rows]
    assert [row["remarks"] for row in rows] == [" ".join(each.remarks) for each in health.rows]


def test_the_test_accuracy_stands_at_the_steps_after_which_it_was_taken() -> None:
    history = {
        "train loss": np.array([2.0, 1.5, 1.0]),
        "train accuracy": np.array([0.0, 0.5, 1.0]),
        "test accuracy": np.array([0.25, 0.75]),
    }
    rows = rows_of(training_csv({"plain": (history, np.array([1, 3]))}))
    assert [row["step"] for row in rows] == ["1", "2", "3"]
    assert [row["test accuracy"] for row in rows] == ["0.25", "", "0.75"]
    assert [row["train loss"] for row in rows] == ["2.0", "1.5", "1.0"]


def test_no_word_is_a_formula_for_a_spreadsheet() -> None:
    names = ["=1+1", "+x", "-x", "@x", "\tx", 'a "word", quoted\n</script>']
    counts = np.zeros((6, 6), int)
    found = list(csv.reader(StringIO(confusion_csv(counts, names))))
    assert found[0][1:] == ["'=1+1", "'+x", "'-x", "'@x", "'\tx", names[5]]
