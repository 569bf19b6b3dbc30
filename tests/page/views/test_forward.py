"""The page's logic, without a browser."""

import json
import re

import numpy as np
import pytest

from explorer import STAGES, trace_block
from explorer.analysis.summary import headline
from explorer.figures.sheet import format_number
from explorer.inputs import GENERATORS, generate, standardise
from tests.files import colours, npy, npz, picture
from tests.helpers import (
    PANELS,
    ROOT,
    SMALL_PAGE,
    digest,
    figure_messages,
    messages,
    noise,
    notes,
    page,
    upload,
)


def test_the_default_experiment() -> None:
    at = page(input="zone_plate")
    trace = trace_block(0, generate("zone_plate", 32, 32, 8), 8)
    numbers = headline(trace)
    assert not at.exception
    assert not messages(at, "error")
    assert digest(at) == trace.digest()
    assert [m.value for m in at.metric] == [
        f"{numbers.ratio:.3f}",
        f"{numbers.identity_share:.0%}",
        f"{numbers.zeroed:.1%}",
        "0",
        "0",
    ]
    (summary,) = (each.value for each in at.markdown if each.value.startswith("F(x) is"))
    assert summary == (
        f"F(x) is {numbers.ratio:.2f} × as large as x. "
        f"Of their summed variance, {numbers.identity_share:.0%} comes from x. "
        f"{numbers.zeroed:.1%} of the cells of all channels are zeroed by the last ReLU."
    )


def test_undefined_numbers_have_no_sentence() -> None:
    at = upload(page(), "white.png", picture(np.full((8, 8, 3), 255, np.uint8), "PNG"))
    assert not any("as large as x." in each.value for each in at.markdown)
    assert any(each.value.endswith("zeroed by the last ReLU.") for each in at.markdown)


def test_a_link_sets_every_control() -> None:
    at = page(
        input="normal",
        height="9",
        width="11",
        channels="3",
        input_seed="5",
        seed="4294967295",
        mode="eval",
        warmup="7",
        standardise="always",
    )
    x = standardise(generate("normal", 9, 11, 3, 5))
    trace = trace_block(2**32 - 1, x, 3, use_running_average=True, warmup_passes=7)
    assert digest(at) == trace.digest()


@pytest.mark.parametrize(
    "value", ["", "-1", "4294967296", "1e99", "nan", "1.5", "<b>", "%00", "x" * 999]
)
@pytest.mark.parametrize("key", ["seed", "height", "features", "mode", "input", "channel", "scope"])
def test_nonsense_in_a_link_is_ignored(key: str, value: str) -> None:
    at = page(**{"input": "zone_plate", key: value})
    assert not at.exception
    assert not messages(at, "error")
    assert len(at.metric) == 5


def test_undefined_numbers_of_a_blank_picture_are_dashes() -> None:
    at = upload(page(), "white.png", picture(np.full((8, 8, 3), 255, np.uint8), "PNG"))
    assert [metric.value for metric in at.metric[:2]] == ["–", "–"]
    assert "constant channels become 0" in notes(at)[0]


@pytest.mark.parametrize(("features", "is_offered"), [(12, True), (4, False)])
def test_zero_channels_are_offered_only_where_channels_are_missing(
    features: int, is_offered: bool
) -> None:
    at = page(input="zone_plate", features=str(features))
    texts = messages(at, "error")[0]
    assert ("add zero channels" in texts) == is_offered
    assert "project it" in texts


def test_every_kind_of_input_is_drawn() -> None:
    at = page(input="zone_plate")
    for kind in GENERATORS:
        at.selectbox(key="input").select(kind).run()
        assert not at.exception
        assert not messages(at, "error")
        assert len(at.metric) == 5, kind


def test_unequal_features_give_one_error_and_two_fixes() -> None:
    at = page(input="zone_plate", channels="4", features="6")
    assert "needs equal shapes" in messages(at, "error")[0]
    assert not at.metric
    at.segmented_control(key="widen").set_value("zero_channels").run()
    assert not messages(at, "error")
    assert len(at.metric) == 5
    at.segmented_control(key="widen").set_value("projection").run()
    assert len(at.metric) == 5
    at.number_input(key="features").set_value(2).run()
    assert len(at.metric) == 5
    at.segmented_control(key="widen").set_value("zero_channels").run()
    assert "only be added" in messages(at, "error")[0]


def test_an_array_is_read_and_features_follow_it() -> None:
    array = np.random.default_rng(0).standard_normal((24, 40, 5)).astype(np.float32)
    at = upload(page(), "a.npy", npy(array))
    assert not at.exception
    assert digest(at) == trace_block(0, array, 5).digest()
    assert "24×40×5" in notes(at)[0]


def test_pictures_are_standardised_unless_the_user_selects_never() -> None:
    shades = colours(20, 30, 3)
    at = upload(page(), "a.png", picture(shades, "PNG"))
    x = (shades / np.float32(255)).astype(np.float32)
    assert digest(at) == trace_block(0, standardise(x), 3).digest()
    at.segmented_control(key="standardise").set_value("never").run()
    assert digest(at) == trace_block(0, x, 3).digest()
    assert "dominates the identity" in notes(at)[0]


def test_of_several_arrays_one_is_chosen() -> None:
    at = upload(page(), "a.npz", npz(first=np.eye(4), second=np.ones((3, 5, 2))))
    assert "4×4×1" in notes(at)[0]
    at.selectbox(key="array").select("second").run()
    assert "3×5×2" in notes(at)[0]


@pytest.mark.parametrize(
    ("name", "data", "captions"),
    [
        ("a.npy", npy(np.array([{}]), allow_pickle=True), "Python objects"),
        ("a.png", b"hello", "are no PNG picture"),
        ("a.csv", b"1,nan", "1 NaN"),
        ("a.exe", b"MZ", "is not recognised"),
    ],
)
def test_a_bad_file_leaves_the_page_usable(name: str, data: bytes, captions: str) -> None:
    at = upload(page(), name, data)
    assert captions in messages(at, "error")[0]
    assert not at.exception
    at.selectbox(key="input").select("edge").run()
    assert not messages(at, "error")
    assert len(at.metric) == 5


def test_a_link_asks_for_its_file_by_name_and_digest() -> None:
    at = page(input="upload", file="<b>cat</b>.png", digest="00ff")
    assert "00ff" in messages(at, "info")[0]
    assert "<b>cat</b>.png" in messages(at, "info")[0]
    at.file_uploader(key="file").upload("dog.npy", npy(np.eye(3)), "x").run()
    assert "not the file of the link" in notes(at)[0]
    assert len(at.metric) == 5
    at.file_uploader(key="file").upload("cow.npy", npy(np.eye(4)), "x").run()
    assert "not the file of the link" not in notes(at)[0]


def test_the_mode_can_be_changed_while_features_do_not_fit() -> None:
    at = page(input="zone_plate", channels="4", features="6", mode="eval")
    assert "needs equal shapes" in messages(at, "error")[0]
    assert at.number_input(key="warmup")


def test_one_detail_is_shown_at_a_time() -> None:
    at = page(input="zone_plate", details="channels")
    assert len(at.dataframe) == 1
    assert "gallery" in figure_messages(at)
    trace = trace_block(0, generate("zone_plate", 32, 32, 8), 8)
    assert at.dataframe[0].value["‖x‖"].iloc[3] == pytest.approx(
        np.linalg.norm(trace["x"][:, :, 3]), rel=1e-6
    )
    at.segmented_control(key="details").set_value("batch_norm").run()
    assert len(at.dataframe) == 4
    np.testing.assert_allclose(
        at.dataframe[1].value["variance after"], trace.norms["bn2"].var_after
    )


@pytest.mark.parametrize("view", ["pixel", "outcomes", "scatter", "channels", "histograms"])
@pytest.mark.parametrize("show", ["channel", "mean"])
@pytest.mark.parametrize("size", [("1", "1", "1"), ("3", "200", "2")])
def test_every_view_opens_on_any_shape(view: str, show: str, size: tuple[str, str, str]) -> None:
    height, width, channels = size
    at = page(
        input="zone_plate",
        details=view,
        show=show,
        height=height,
        width=width,
        channels=channels,
        pin="add,0,0",
    )
    assert not at.exception
    assert not messages(at, "error")


@pytest.mark.parametrize("stage", STAGES)
def test_a_pin_in_the_link_opens_its_arithmetic(stage: str) -> None:
    at = page(input="zone_plate", pin=f"{stage},3,4", channel="2")
    words = json.dumps(figure_messages(at)["arithmetic"]["figure"]["layout"], ensure_ascii=False)
    trace = trace_block(0, generate("zone_plate", 32, 32, 8), 8)
    assert f"<b>= {format_number(trace[stage][3, 4, 2])}</b>" in words
    assert "arithmetic" not in figure_messages(page(input="zone_plate"))


def test_the_link_of_the_figure() -> None:
    link = figure_messages(page(input="zone_plate", pin="conv2,3,4"))["stages"]["link"]
    assert link["panels"] == list(PANELS)
    assert (link["rows"], link["cols"]) == (32, 32)
    assert link["pin"] == {"panel": "conv2", "row": 3, "col": 4}
    assert link["fields"]["conv2"] == {"relu1": [1, 1], "bn1": [1, 1], "conv1": [1, 1], "x": [2, 2]}
    assert link["fields"]["identity"] == {"x": [0, 0]}
    assert [term["panel"] for term in link["readout"][0] if term["kind"] == "value"] == [
        "x",
        "bn2",
        "add",
        "out",
    ]


@pytest.mark.parametrize(
    "box", ["0,1,-1,0", "nan,nan,nan,nan", "1", "a,b,c,d", "0,1,2,inf", "1e400,1,2,3"]
)
def test_a_box_of_the_scatter_plot_is_in_the_link(box: str) -> None:
    at = page(input="zone_plate", details="scatter", box=box)
    assert not at.exception
    trace = trace_block(0, generate("zone_plate", 32, 32, 8), 8)
    x, residual = trace["x"][:, :, 0], trace["bn2"][:, :, 0]
    inside = ((x >= 0) & (x <= 1) & (residual >= -1) & (residual <= 0)).sum()
    captions = [c.value for c in at.caption if "The box holds" in c.value]
    if box == "0,1,-1,0":
        assert f"The box holds {inside} cells" in captions[0]
        assert len(figure_messages(at)["stages"]["link"]["cells"]) == inside
    else:
        assert captions == []


def test_means_have_a_readout_of_their_own() -> None:
    (readout,) = figure_messages(page(input="zone_plate", show="mean"))["stages"]["link"]["readout"]
    texts = [term.get("text") for term in readout]
    assert "→ ReLU →" not in texts
    assert not any("negative" in term for term in readout)


# The details do not depend on the pin: every stage and every detail, but not every pair of them.
@pytest.mark.parametrize(
    ("stage", "view"),
    list(zip(STAGES, ["pixel", "outcomes", "channels", "histograms"] * 2, strict=True)),
)
@pytest.mark.parametrize("side", [4, 200])
def test_values_that_overflow_are_drawn_and_not_hidden(stage: str, view: str, side: int) -> None:
    link = page(input="zone_plate", details=view, pin=f"{stage},1,1")
    at = upload(link, "a.npy", npy(np.full((side, side, 1), 3e38, np.float32)))
    assert not at.exception
    assert len(at.metric) == 5
    assert figure_messages(at)["stages"]["link"]["pin"]["panel"] == stage


@pytest.mark.parametrize(("factor", "caption"), [(1e20, "Overflow: "), (1e30, "Overflow: ")])
def test_overflow_is_explained_and_no_number_is_made_up(factor: float, caption: str) -> None:
    """At 1e20 the square of conv1 overflows, at 1e30 the statistics are NaN."""
    at = upload(page(), "a.npy", npy(factor * noise((8, 6, 4))))
    assert not at.exception
    at.segmented_control(key="standardise").set_value("never").run()
    assert any(each.value.startswith(caption) for each in at.caption)
    words = [each.value for each in (*at.metric, *at.caption)]
    for details in ("channels", "outcomes", "histograms"):
        at.segmented_control(key="details").set_value(details).run()
        for message in figure_messages(at).values():
            words += [note["text"] for note in message["figure"]["layout"]["annotations"]]
            words += (message["link"] or {}).get("labels", [])
    assert not any(re.search(r"\bnan\b|\binf\b", each) for each in words)
    if factor == 1e30:
        assert {each.label: each.value for each in at.metric}["Zeroed"] == "–"
        for number in ("0% zeroed", "zeroed 0", "grey: 0", "48 beyond", "stays zero 4"):
            assert not any(number in each for each in words), number
        for text in ("48 NaN", "grey: – of this", " · NaN 100%", "mean – · std –", "zeroed –"):
            assert any(text in each for each in words), text


def test_all_pixels_enter_a_pixel_only_in_train_mode() -> None:
    words = "in train mode, all pixels also enter through the batch statistics"
    assert any(words in each.value for each in page(input="zone_plate").caption)
    assert not any(words in each.value for each in page(input="zone_plate", mode="eval").caption)


def test_the_channel_stays_within_fewer_features() -> None:
    at = page(input="zone_plate", channel="7")
    assert at.number_input(key="channel").value == 7
    at.number_input(key="channels").set_value(3).run()
    assert not at.exception
    assert at.number_input(key="channel").value == 2


def test_the_digest_is_promised_for_one_machine_and_these_versions() -> None:
    (words,) = (each.value for each in page(**SMALL_PAGE).caption if "Digest of out" in each.value)
    assert "the same digest on this machine and with these versions" in words
    assert words.endswith("another processor may change the last bits.")
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert (
        "The digest shown below the figure is that of one machine and one set of versions: another "
        "processor may change the last bits."
    ) in readme


def test_a_ratio_is_undefined_where_x_is_all_zero() -> None:
    at = upload(page(), "a.npy", npy(np.zeros((4, 4, 1), np.float32)))
    (ratio,) = (each for each in at.metric if each.label == "‖F(x)‖ / ‖x‖")
    assert ratio.value == "–"
    assert "undefined where x is all zero" in ratio.help
