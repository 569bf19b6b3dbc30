"""The sidebar of networks: own data sets, files that are none, and hostile links."""

from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer.data import read_dataset
from explorer.engine.network import Network
from explorer.engine.training import train
from explorer.page.network_controls import TITLES
from tests.files import npy, npz
from tests.helpers import (
    decoded,
    digest,
    figure_messages,
    messages,
    noise,
    own_buttons,
    page,
    wait_for_trainings,
)

pytestmark = pytest.mark.usefixtures("no_runs")
SMALL = {"net_blocks": "1", "net_width": "4", "net_steps": "3", "net_batch": "16"}
SETTINGS: dict[str, Any] = {"blocks": 1, "width": 4, "steps": 3, "batch": 16}
LABELS = np.arange(500) % 4
PICTURES = npz(x=noise((500, 7, 6, 3)) + LABELS[:, None, None, None], y=LABELS + 10)


def opened(**link: str) -> AppTest:
    return without_exception(page(**SMALL | link))


def without_exception(at: AppTest) -> AppTest:
    assert not at.exception, at.exception[0].message
    return at


def choose_data(at: AppTest, data: bytes, name: str = "data.npz") -> AppTest:
    at.file_uploader(key="data_file").upload(name, data, "application/octet-stream").run()
    return without_exception(at)


def show(at: AppTest, view: str) -> AppTest:
    return without_exception(at.segmented_control(key="view").set_value(view).run())


def trained(at: AppTest, key: str = "start_training") -> AppTest:
    at.button(key=key).click().run()
    without_exception(at)
    wait_for_trainings()
    return without_exception(at.run())


def drawn(at: AppTest, figure: str) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in figure_messages(at)[figure]["figure"]["data"]}


def labels(at: AppTest) -> list[str]:
    """Return the labels of the view's own buttons."""
    return list(own_buttons(at).values())


def test_an_own_data_set_is_trained_and_opened_in_every_view() -> None:
    dataset = read_dataset(PICTURES)
    runs = [train(dataset, variant=variant, **SETTINGS) for variant in ("v1", "no_skip")]
    at = opened(view="train", data="own")
    assert messages(at, "info") == ["Choose a data set: an .npz file with pictures x and labels y."]
    choose_data(at, PICTURES)
    trained(at)
    for run in runs:
        title = TITLES[run.settings.variant]
        curve = drawn(at, "training_curves")[f"{title}: training loss of every step"]
        np.testing.assert_array_equal(decoded(curve["y"]), run.history["train loss"])
    assert len(at.query_params["data_digest"]) == 16

    show(at, "network")
    found: Network = runs[0].network
    trace = found.trace(dataset.test_images[0])
    (sentence,) = (each.value for each in at.markdown if "Test accuracy" in each.value)
    for run in runs:
        accuracy = np.mean(run.network.predict(dataset.test_images) == dataset.test_labels)
        assert f"{TITLES[run.settings.variant]} {accuracy:.1%}" in sentence
    assert f": classified as {10 + trace.logits.argmax()} with " in sentence
    stream = decoded(drawn(at, "network_figure")["block1 out"]["z"])
    np.testing.assert_allclose(stream, trace["block1"]["out"][:, :, 0], rtol=1e-6)
    assert len(at.table[0].value) == 2
    for details in ("ablation", "confusion", "statistics", "save"):
        at.segmented_control(key="network_details").set_value(details).run()
        without_exception(at)
        assert messages(at, "error") == []
    at.session_state["weights"] = "network"
    show(at, "forward")
    assert digest(at) == trace["block1"].digest()
    for view in ("what_if", "gradients", "depth"):
        show(at, view)
        assert figure_messages(at)
        assert messages(at, "error") == []
    at.segmented_control(key="net_mode").set_value("train").run()
    show(at, "forward")
    batch = np.concatenate([dataset.test_images[:1], dataset.train_images[:127]])
    expected = found.trace(batch, use_running_average=False)["block1"].image(0)
    assert digest(at) == expected.digest()


def test_runs_on_own_pictures_are_of_their_session_alone() -> None:
    link = {"view": "train", "data": "own", "net_seed": "1"}
    first = trained(choose_data(opened(**link), PICTURES))
    assert labels(first) == ["Train again"]
    second = choose_data(opened(**link), PICTURES)
    assert labels(second) == ["Train"]


def test_a_block_of_a_network_on_own_pictures_asks_for_the_data_set() -> None:
    at = opened(weights="network", data="own")
    assert messages(at, "info") == ["Choose a data set: an .npz file with pictures x and labels y."]
    choose_data(at, PICTURES)
    (sentence,) = messages(at, "info")
    assert sentence.startswith("This server has no run with these settings")
    trained(at, "offer_training")
    run = train(read_dataset(PICTURES), variant="v1", **SETTINGS)
    trace = run.network.trace(read_dataset(PICTURES).test_images[0])
    assert digest(at) == trace["block1"].digest()


def test_fewer_pictures_than_a_batch_are_one_batch() -> None:
    y = np.arange(12) % 2
    data = npz(x=noise((12, 5, 4)) + y[:, None, None], y=y)
    at = trained(choose_data(opened(view="train", data="own", net_batch="128"), data))
    run = train(read_dataset(data), variant="v1", **SETTINGS | {"batch": 9})
    curve = drawn(at, "training_curves")["residual, v1: training loss of every step"]
    np.testing.assert_array_equal(decoded(curve["y"]), run.history["train loss"])


X, Y = noise((8, 5, 5)), np.arange(8) % 2
BAD_FILES = {
    "one class": (npz(x=X, y=Y * 0), "y has only the label 0; expected at least 2"),
    "NaN": (npz(x=np.where(X > 1, np.nan, X), y=Y), "NaN"),
    "lengths": (npz(x=X, y=Y[:7]), "x has 8 pictures but y has 7 labels"),
    "fractions": (npz(x=X, y=Y + 0.5), "y must hold whole numbers"),
    "too large": (npz(x=noise((4, 33, 2)), y=Y[:4]), "the limit is 32×32"),
    "channels": (npz(x=noise((4, 8, 8, 5)), y=Y[:4]), "the limit is 4"),
    "no y": (npz(x=X), "no array named y"),
    "pickled": (npz(x=X, y=np.array([{}] * 8)), "y"),
    "no npz": (npy(X), "npz"),
    "empty": (b"", "0 bytes"),
    "words": (b"plain words", "npz"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_file_that_is_no_data_set_is_one_sentence_and_the_controls_stay(name: str) -> None:
    data, words = BAD_FILES[name]
    at = choose_data(opened(view="train", data="own"), data)
    (sentence,) = messages(at, "error")
    assert words in sentence
    assert at.number_input(key="net_blocks").value == 1
    without_exception(at.segmented_control(key="data").set_value("digits").run())
    assert messages(at, "error") == []
    assert labels(at) == ["Train"]


def test_settings_that_do_not_fit_the_data_are_a_sentence() -> None:
    """A step may store 2²⁴ values of the residual stream."""
    data = npz(x=noise((640, 32, 32)), y=np.arange(640) % 2)
    link = {"net_blocks": "54", "net_width": "32", "net_batch": "512"}
    at = trained(choose_data(opened(view="train", data="own", **link), data))
    (sentence,) = messages(at, "error")
    assert sentence.startswith("A step would store 905,969,664 values of the residual stream")
    assert labels(at) == ["Train"]


HOSTILE = ("abc", "-1", "9" * 30, "3.7", "nan", "-inf", "", "block99", "<b>1</b>", "1e400")
TRAIN, NETWORK = {"view": "train"}, {"view": "network"}
FORWARD, GRADIENTS = {"weights": "network"}, {"weights": "network", "view": "gradients"}
PARAMETERS: dict[str, dict[str, str]] = {
    **dict.fromkeys(("data", "net_blocks", "net_width", "net_first", "net_second"), TRAIN),
    **dict.fromkeys(("net_rate", "net_seed", "net_steps", "net_batch", "net_optimiser"), TRAIN),
    **dict.fromkeys(("net_kernels", "net_survival", "train_details"), TRAIN),
    "gradient_step": TRAIN | {"train_details": "gradients"},
    **dict.fromkeys(("network", "net_step", "picture", "picture_from", "wrong_first"), NETWORK),
    **dict.fromkeys(("net_mode", "network_details", "show", "channel"), NETWORK),
    "weights": {},
    "net_block": FORWARD,
    "variant": GRADIENTS,
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_hostile_value_is_one_sentence_and_leaves_the_default(name: str) -> None:
    link = {"net_blocks": "3"} | PARAMETERS[name]
    for index, value in enumerate(HOSTILE):
        if index % 4 == len(name) % 4 or value == "block99":
            at = without_exception(page(**link | {name: value}))
            (sentence,) = messages(at, "warning")
            assert sentence.startswith(f"Ignored URL parameter {name}=")
            assert messages(at, "error") == []
            assert name not in at.query_params
            assert figure_messages(at)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("picture", "9999", "an integer from 0 to 359"),
        ("net_step", "3", "one of 0, 2, 4, 8, 16, 32, 64, 128, 180"),
        ("network", "2", "one of 0, 1"),
        ("net_block", "block4", "one of block1, block2, block3"),
        ("net_rate", "0.2", "one of 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10"),
        ("net_blocks", "55", "an integer from 1 to 54"),
        ("net_width", "3", "an integer from 4 to 32"),
        ("net_batch", "1", "an integer from 2 to 1024"),
    ],
)
def test_a_value_beyond_its_bounds_is_named_with_them(name: str, value: str, expected: str) -> None:
    at = page(input="zone_plate", **{"weights": "network", "net_blocks": "3"} | {name: value})
    without_exception(at)
    assert messages(at, "warning") == [
        f"Ignored URL parameter {name}='{value}': expected {expected}."
    ]
