"""Suggestions: each opens a view with settings that it has."""

import pytest

from explorer.page.suggestions import SUGGESTIONS
from tests.helpers import SMALL_PAGE, control, figure_messages, messages, page


@pytest.mark.parametrize("view", ["forward", "what_if", "gradients"])
def test_every_suggestion_opens_its_view(view: str) -> None:
    link = SMALL_PAGE | ({"view": view} if view != "forward" else {})
    for suggestion in SUGGESTIONS[view]:
        at = page(**link)
        at.button(key=f"suggest_{suggestion.view}").click().run()
        assert not at.exception
        assert not messages(at, "error")
        assert at.segmented_control(key=control(at, "view")).value == suggestion.view
        assert at.query_params.get("view", "forward") == suggestion.view
        for key, value in suggestion.settings.items():
            assert at.session_state[control(at, key)] == value


def test_no_view_suggests_itself() -> None:
    for view, suggestions in SUGGESTIONS.items():
        assert view not in {each.view for each in suggestions}
        assert {each.view for each in suggestions} <= set(SUGGESTIONS)
        assert len({each.view for each in suggestions}) == 3


def test_remove_the_skip_shows_the_block_without_it() -> None:
    at = page(**SMALL_PAGE)
    at.button(key="suggest_what_if").click().run()
    assert at.selectbox(key=control(at, "variant")).value == "no_skip"
    assert "compared" in figure_messages(at)
