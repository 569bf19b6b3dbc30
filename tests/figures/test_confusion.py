import numpy as np
import pytest

from explorer.errors import InputError
from explorer.figures.confusion import confusion_figure
from explorer.figures.theme import THEMES, ThemeName
from explorer.figures.two_layouts import ArrangementName

COUNTS = np.array([[7, 1, 0], [0, 0, 12], [2, 0, 30]])
CLASSES = ("cat", "dog", "a<b")


@pytest.mark.parametrize("arrangement", ["wide", "narrow"])
def test_the_matrix_and_its_texts_are_the_counts(arrangement: ArrangementName) -> None:
    figure = confusion_figure(COUNTS, CLASSES, arrangement=arrangement)
    drawn = {trace.name: trace for trace in figure.data}
    errors, correct = drawn["errors"].z, drawn["correct"].z
    np.testing.assert_array_equal(np.isnan(errors), np.eye(3, dtype=bool))
    np.testing.assert_array_equal(np.where(np.eye(3), correct, errors), COUNTS)
    written = np.full((3, 3), -1)
    for name in ("errors in figures", "correct in figures"):
        texts = drawn[name]
        for x, y, words in zip(texts.x, texts.y, texts.text, strict=True):
            written[y, x] = int(words)
    # Zeros are written on the diagonal only.
    np.testing.assert_array_equal(written, [[7, 1, -1], [-1, 0, 12], [2, -1, 30]])
    assert drawn["errors"].text[1][2] == "true dog, predicted a&lt;b: 12 of 12 pictures"
    assert "37 of 52 pictures" in figure.layout.annotations[0].text
    assert figure.layout.yaxis.range == (2.5, -0.5)  # class 0 is above
    assert figure.layout.xaxis.range == (-0.5, 2.5)
    assert figure.layout.xaxis.ticktext == ("cat", "dog", "a&lt;b")
    assert figure.layout.yaxis.scaleanchor == "x"


@pytest.mark.parametrize("theme", THEMES)
def test_errors_have_colours_and_the_diagonal_is_grey(theme: ThemeName) -> None:
    drawn = {trace.name: trace for trace in confusion_figure(COUNTS, CLASSES, theme=theme).data}
    palette = THEMES[theme]
    assert {colour for _, colour in drawn["correct"].colorscale} == {palette.zeroed}
    scale = drawn["errors"].colorscale
    assert (scale[0][1], scale[-1][1]) == (palette.page, palette.above[1])
    assert (drawn["errors"].zmin, drawn["errors"].zmax) == (0, 12)
    assert scale[1][0] < 1 / 12  # a single error is tinted
    assert scale[1][1] != palette.page


def test_no_pictures_give_an_empty_matrix() -> None:
    figure = confusion_figure(np.zeros((3, 3), int), CLASSES)
    drawn = {trace.name: trace for trace in figure.data}
    assert len(drawn["errors in figures"].text) == len(drawn["correct in figures"].text) == 0
    assert figure.layout.annotations[0].text.endswith("no pictures")
    assert figure.layout.xaxis.tickvals == (0, 1, 2)


@pytest.mark.parametrize(
    "counts", [np.zeros((2, 3), int), np.zeros((3, 3)), np.zeros((4, 4), int), -COUNTS]
)
def test_counts_that_do_not_fit_the_classes_are_refused(counts: np.ndarray) -> None:
    with pytest.raises(
        InputError, match=r"counts must be integers of at least 0 and of shape \(3, 3\)"
    ):
        confusion_figure(counts, CLASSES)
