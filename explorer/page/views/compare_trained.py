"""What a trained network on a picture is compared with: another picture, step, network or seed."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import streamlit as st

from explorer.analysis.colour_limits import Scope
from explorer.errors import InputError
from explorer.inputs.random_streams import MAX_SEED
from explorer.page.controls import integer_input, option_slider, segmented_choice
from explorer.page.link_state import setting
from explorer.page.network_selection import Selection, dataset_picture, own_picture
from explorer.page.plain_text import show_message
from explorer.page.runs import find_run, trained_seeds, with_seed
from explorer.page.views.compare import Run, compare


def compare_trained(selection: Selection, *, channel: int | None, scope: Scope) -> None:
    """Draw the controls of what to compare with, and the difference.

    Raises:
        InputError: a file cannot be read, or a network has not been trained.
    """
    kinds = _kinds(selection)
    kind = segmented_choice("Compare with", kinds, key="compare_run", titles=_TITLES)
    other = _KINDS[kind](selection)
    if other is not None:
        compare(_run(selection), _run(other), channel=channel, scope=scope)


def _kinds(selection: Selection) -> tuple[str, ...]:
    """Return what the network can be compared with."""
    found = ["picture"]
    if len(selection.run.snapshots) > 1:
        found.append("step")
    if selection.step in selection.runs[1 - selection.which].networks:
        found.append("network")
    # A link may ask for a seed that has not been trained here: then it says what to do.
    wanted = setting("compare_run", st.query_params.get("compare_run"))
    if wanted == "seed" or trained_seeds(selection.pair, selection.which):
        found.append("seed")
    return tuple(found)


def _run(selection: Selection) -> Run:
    seed = selection.run.settings.seed
    title = f"{selection.title}, seed {seed}, on {selection.picture.title}"
    return Run(selection.single_trace(), selection.trace_key, title, selection.private)


def _picture(selection: Selection) -> Selection | None:
    """Draw the controls of another picture; return the selection with it."""
    pair = selection.pair
    if segmented_choice("Other picture", ("test", "own"), key="compare_picture_from") == "own":
        picture = own_picture(pair, "Picture to compare with", "compare_picture_file")
        if picture is None:
            show_message("info", "Choose a second picture.")
            return None
        return replace(selection, picture=picture)
    last = len(pair.dataset.test_labels) - 1
    index = integer_input(
        "Number of the test picture", 0, last, min(1, last), key="compare_number", width=220
    )
    return replace(selection, picture=dataset_picture(pair, index))


def _step(selection: Selection) -> Selection:
    steps = tuple(step for step in selection.run.snapshots if step != selection.step)
    return replace(selection, step=option_slider("Other step", steps, steps[0], key="compare_step"))


def _network(selection: Selection) -> Selection:
    return replace(selection, which=1 - selection.which)


def _seed(selection: Selection) -> Selection:
    """Draw the field for another seed; return the selection with the network of it."""
    pair, which = selection.pair, selection.which
    seeds = trained_seeds(pair, which)
    default = seeds[0] if seeds else 1
    seed = integer_input(
        "Other seed", 0, MAX_SEED, default, key="compare_run_seed", always_in_url=True, width=220
    )
    if seed == selection.run.settings.seed:
        raise InputError(
            f"Seed {seed} is that of the network shown. Choose another seed to compare it with."
        )
    other = with_seed(pair, seed)
    run = find_run(other, which)
    if run is None or selection.step not in run.networks:
        trained = ", ".join(map(str, seeds)) or "none"
        raise InputError(
            f"The server has no such network of seed {seed} at step {selection.step}; other seeds "
            f"with these settings: {trained}. Set the seed of the training to {seed} in "
            "the Train view, train, and come back to this seed."
        )
    runs = tuple(run if index == which else each for index, each in enumerate(selection.runs))
    return replace(selection, pair=other, runs=runs)


_KINDS: Mapping[str, Callable[[Selection], Selection | None]] = {
    "picture": _picture,
    "step": _step,
    "network": _network,
    "seed": _seed,
}
_TITLES = {
    "picture": "another picture",
    "step": "another step",
    "network": "the other network",
    "seed": "another seed",
}
