"""What to try next, from what the page shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import streamlit as st

from explorer.page.open_block import open_link


@dataclass(frozen=True)
class Suggestion:
    """A question, the view that answers it, and the settings that the view needs."""

    words: str
    view: str
    settings: Mapping[str, str] = field(default_factory=dict)


_GRADIENTS = Suggestion("What comes back to x?", "gradients")
# With fresh weights: the blocks of a checkpoint have several shapes.
_DEPTH = Suggestion("What do many blocks do?", "depth", {"weights": "seed"})
_TRAIN = Suggestion("Why does it train?", "train")
_NO_SKIP = Suggestion("Remove the skip", "what_if", {"variant": "no_skip"})
_INSIDE = Suggestion("Look inside the trained network", "network", {"network_from": "trained"})
_BLOCK = Suggestion("One block, stage by stage", "forward")
SUGGESTIONS: Mapping[str, Sequence[Suggestion]] = {
    "forward": (_NO_SKIP, _GRADIENTS, _TRAIN),
    "what_if": (_GRADIENTS, _DEPTH, _TRAIN),
    "gradients": (_DEPTH, _TRAIN, _BLOCK),
    "depth": (_TRAIN, _GRADIENTS, _BLOCK),
    "train": (_INSIDE, _DEPTH, _BLOCK),
    "network": (_TRAIN, _DEPTH, _BLOCK),
}


def suggest(view: str) -> None:
    """Draw a button for each suggestion of a view."""
    with st.container(horizontal=True, vertical_alignment="center", key="suggestions"):
        st.caption("Next:", width="content")
        for suggestion in SUGGESTIONS[view]:
            st.button(
                suggestion.words,
                key=f"suggest_{suggestion.view}",
                on_click=open_link,
                args=({"view": suggestion.view, **suggestion.settings},),
                type="tertiary",
                icon=":material/arrow_forward:",
            )
