import numpy as np
import pytest

from explorer.errors import InputError
from explorer.figures.picture_sheet import LabelledPictures, picture_sheet_figure
from explorer.figures.two_layouts import ArrangementName

CLASSES = ("cat", "dog", "a<b")


def pictures(count: int, shape: tuple[int, int, int] = (4, 3, 2)) -> LabelledPictures:
    images = np.random.default_rng(0).standard_normal((count, *shape), dtype=np.float32)
    numbers = np.arange(count)
    return LabelledPictures(images, numbers + 100, numbers % 3, np.zeros(count, int))


@pytest.mark.parametrize("arrangement", ["wide", "narrow"])
@pytest.mark.parametrize("count", [1, 5, 12])
def test_a_tile_of_the_sheet_is_the_mean_over_channels(
    count: int, arrangement: ArrangementName
) -> None:
    found = pictures(count)
    figure = picture_sheet_figure(found, CLASSES, arrangement=arrangement)
    grey = found.images.mean(axis=-1)
    drawn = {trace.name: trace for trace in figure.data}
    assert len(drawn) == 2 * -(-count // 5)
    for index in range(count):
        strip, at = drawn[f"pictures {index // 5 + 1}"], index % 5
        left = np.rint((at - 0.5 - strip.x0) / strip.dx + 1).astype(int)
        np.testing.assert_array_equal(strip.z[:, left : left + 3], grey[index])
        # The middle column of the picture is centred at its number, the middle row at 0.
        assert strip.x0 + (left + 1) * strip.dx == pytest.approx(at)
        assert strip.y0 + 1.5 * strip.dy == pytest.approx(0)
        assert (strip.zmin, strip.zmax) == (grey.min(), grey.max())
        caption = drawn[f"captions {index // 5 + 1}"].text[at]
        assert f"<b>{100 + index}</b>" in caption
        assert f"true {('cat', 'dog', 'a&lt;b')[index % 3]}" in caption
        assert ("color" in caption) == (index % 3 != 0)  # where the prediction, cat, is wrong
    shown = np.concatenate([strip.z.ravel() for strip in figure.data if strip.type == "heatmap"])
    assert np.isfinite(shown).sum() == grey.size


def test_strips_stand_beside_each_other_in_the_wide_layout_only() -> None:
    wide, narrow = (
        picture_sheet_figure(pictures(12), CLASSES, arrangement=name).layout
        for name in ("wide", "narrow")
    )
    assert wide.xaxis.domain[1] < wide.xaxis2.domain[0]
    assert wide.yaxis.domain == wide.yaxis2.domain != wide.yaxis3.domain
    assert narrow.xaxis.domain == narrow.xaxis2.domain
    assert narrow.yaxis.domain[0] > narrow.yaxis2.domain[1]
    assert wide.annotations[0].text == "12 pictures, 8 classified wrongly; bold: index"


def test_short_names_stand_after_the_whole_word_and_long_names_are_shortened() -> None:
    short = picture_sheet_figure(pictures(2), ("0", "1", "2")).data[1].text[1]
    assert "predicted 0" in short
    long = picture_sheet_figure(pictures(2), ("aeroplane", "dog", "2")).data[1].text[1]
    assert "pred. aero…" in long


def test_a_sheet_without_pictures_says_so() -> None:
    figure = picture_sheet_figure(pictures(0), CLASSES)
    assert len(figure.data) == 0
    assert figure.layout.annotations[0].text == "no pictures"


def test_a_constant_picture_and_wrong_lengths() -> None:
    flat = LabelledPictures(np.full((1, 2, 2, 1), 3.0), *np.zeros((3, 1), int))
    strip = picture_sheet_figure(flat, CLASSES).data[0]
    assert (strip.zmin, strip.zmax) == (3, 4)
    with pytest.raises(InputError, match="labels must have a value for each of the 1 pictures"):
        LabelledPictures(flat.images, flat.indices, np.zeros(2, int), flat.predicted)
    with pytest.raises(InputError, match="labels must be from 0 to 1, as there are 2 classes"):
        picture_sheet_figure(pictures(3), CLASSES[:2])
    with pytest.raises(InputError, match="images must have shape"):
        LabelledPictures(flat.images[0], flat.indices, flat.labels, flat.predicted)
