import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer.engine.forward import trace_block
from explorer.inputs import standardise
from tests.files import colours, npy, npz, picture
from tests.helpers import control, digest, messages, notes, page, upload

BATCH = np.random.default_rng(0).standard_normal((3, 6, 5, 2)).astype(np.float32)


def test_channels_first_are_read_and_the_other_reading_is_offered() -> None:
    x = np.random.default_rng(1).standard_normal((3, 8, 8)).astype(np.float32)
    at = upload(page(), "a.npy", npy(x))
    assert digest(at) == trace_block(0, x.transpose(1, 2, 0), 3).digest()
    assert "was read as 8×8×3" in notes(at)[0]
    assert "read as CHW, one image, channels first, because the first axis is 3" in notes(at)[0]
    axes = at.selectbox(key="layout")
    assert axes.options == [
        "automatic",
        "HWC: one image, channels last",
        "CHW: one image, channels first",
        "NHW: a stack of grey images",
    ]
    axes.select("HWC").run()
    assert digest(at) == trace_block(0, x, 8).digest()
    assert at.query_params["layout"] == "HWC"
    assert "side" not in at.query_params


@pytest.mark.parametrize("array", [np.eye(4), np.ones((4, 4, 3)) * np.eye(4)[:, :, None]])
def test_one_image_has_no_controls_of_a_batch(array: np.ndarray) -> None:
    at = upload(page(), "a.npy", npy(array))
    assert not at.exception
    assert {widget.key for widget in at.number_input} >= {"seed", "features"}
    assert not [widget for widget in at.number_input if widget.key in ("image", "side")]


def test_an_image_of_a_batch_is_chosen() -> None:
    at = upload(page(), "a.npz", npz(a=BATCH))
    assert digest(at) == trace_block(0, BATCH[0], 2).digest()
    assert "This is image 0 of 3, counted from 0." in notes(at)[0]
    at.number_input(key="image").set_value(2).run()
    assert digest(at) == trace_block(0, BATCH[2], 2).digest()
    assert at.number_input(key="image").max == 2


@pytest.mark.parametrize("standardised", ["never", "always"])
def test_a_batch_is_kept_for_batch_norm(standardised: str) -> None:
    at = upload(page(standardise=standardised, statistics="batch", image="1"), "a.npy", npy(BATCH))
    whole = standardise(BATCH) if standardised == "always" else BATCH
    expected = trace_block(0, whole, 2).image(1)
    assert digest(at) == expected.digest()
    assert digest(at) != trace_block(0, whole[1], 2).digest()
    at.segmented_control(key="statistics").set_value("image").run()
    assert digest(at) == trace_block(0, whole[1], 2).digest()


@pytest.mark.parametrize("detail", ["code", "batch_norm", "linen"])
def test_details_of_a_variant_use_the_batch(detail: str) -> None:
    at = upload(
        page(
            input="zone_plate",
            view="what_if",
            variant="pre_activation",
            statistics="batch",
            details="code" if detail == "linen" else detail,
            linen=str(detail == "linen").lower(),
        ),
        "a.npy",
        npy(BATCH),
    )
    assert not at.exception
    assert not messages(at, "error")
    if detail == "linen":
        (line,) = [m.value for m in at.markdown if m.value.startswith("Largest difference")]
        assert float(line.split("**")[1].rstrip(".")) < 1e-5


@pytest.mark.parametrize("view", ["gradients", "depth"])
def test_other_views_use_the_image_alone_and_say_so(view: str) -> None:
    at = upload(
        page(input="zone_plate", view=view, statistics="batch", image="1", depth="2", runs="1"),
        "a.npy",
        npy(BATCH),
    )
    assert not at.exception
    assert any("statistics of this image alone" in caption.value for caption in at.caption)


def test_a_batch_with_a_missing_value_is_refused_only_where_it_counts() -> None:
    bad = BATCH.copy()
    bad[2, 1, 3, 0] = np.nan
    at = upload(page(), "a.npy", npy(bad))
    assert not messages(at, "error")
    at.segmented_control(key="statistics").set_value("batch").run()
    (error,) = messages(at, "error")
    assert "the first at image 2, row 1, column 3, channel 0 of 3×6×5×2" in error
    at.segmented_control(key="statistics").set_value("image").run()
    assert not messages(at, "error")


def test_integers_are_standardised_as_a_picture() -> None:
    shades = np.random.default_rng(0).integers(0, 256, (6, 7, 3), dtype=np.uint8)
    at = upload(page(), "a.npy", npy(shades))
    assert digest(at) == trace_block(0, standardise(shades.astype(np.float32)), 3).digest()
    assert "holds integers" in notes(at)[0]
    assert "standardised to mean 0" in notes(at)[0]
    assert not [button for button in at.button if button.key == "offer_standardise"]
    at.segmented_control(key="standardise").set_value("never").run()
    assert "raw pixels from 0 to 1" not in notes(at)[0]
    assert_offer(at, "x is", "F(x) hardly shows")


def assert_offer(at: AppTest, *words: str) -> None:
    """Assert that the page compares x and F(x), and standardises the input on request."""
    (caption,) = [c.value for c in at.caption if "hardly shows" in c.value]
    assert all(part in caption for part in words)
    at.button(key="offer_standardise").click().run()
    assert at.segmented_control(key=control(at, "standardise")).value == "always"
    assert at.query_params["standardise"] == "always"
    assert not [c for c in at.caption if "hardly shows" in c.value]


@pytest.mark.parametrize(
    ("scale", "words"), [(1e3, "F(x) hardly shows"), (1e-3, "x hardly shows"), (1, "")]
)
def test_a_dwarfed_term_is_told_and_standardisation_offered(scale: float, words: str) -> None:
    x = np.random.default_rng(0).standard_normal((5, 6, 2)) * scale
    at = upload(page(), "a.npy", npy(x))
    ratio = float(at.metric[0].value)
    assert (ratio > 20 or ratio < 1 / 20) == bool(words)
    if words:
        assert_offer(at, words)
    else:
        assert not [c for c in at.caption if "hardly shows" in c.value]


def test_the_file_is_kept_while_another_input_is_shown() -> None:
    at = upload(page(), "mine.npy", npy(np.eye(5)))
    mine = digest(at)
    for kind in ("edge", "normal"):
        at.selectbox(key="input").select(kind).run()
        assert digest(at) != mine
        assert at.file_uploader(key="file").value.name == "mine.npy"
        assert "file" not in at.query_params
    at.selectbox(key="input").select("upload").run()
    assert digest(at) == mine
    assert at.query_params["file"] == "mine.npy"


def test_without_a_file_no_field_is_kept() -> None:
    assert not page(input="zone_plate").get("file_uploader")


def test_settings_of_one_file_are_not_those_of_the_next() -> None:
    at = upload(page(layout="NHWC", statistics="batch", image="2"), "a.npy", npy(BATCH))
    assert digest(at) == trace_block(0, BATCH, 2).image(2).digest()
    at.file_uploader(key="file").upload("b.npy", npy(-BATCH), "application/octet-stream").run()
    assert digest(at) == trace_block(0, -BATCH[0], 2).digest()
    assert not {"layout", "statistics", "image"} & set(at.query_params)


@pytest.mark.parametrize(("name", "data"), [("a.csv", b"1,2\n3,5"), ("a.npy", npy(np.eye(3)))])
def test_only_pictures_have_a_longest_side(name: str, data: bytes) -> None:
    at = upload(page(), name, data)
    assert not messages(at, "error")
    assert "side" not in {widget.key for widget in at.number_input}
    at.file_uploader(key="file").upload("a.png", picture(colours(4, 5, 3), "PNG"), "x").run()
    assert "side" in {widget.key for widget in at.number_input}
