"""What is run: the sidebar's settings as a record, and its trace."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace

import numpy as np
from streamlit.delta_generator import DeltaGenerator

from explorer.analysis import Headline, headline, variance_error
from explorer.page.kept import kept
from explorer.recipes import Recipe
from explorer.trace import BlockTrace, trace_block
from explorer.variants import V1

DEFAULT_INPUT, DEFAULT_SHAPE = "zone_plate", (32, 32, 8)


@dataclass(frozen=True)
class Experiment:
    """One run of the block.

    `input_key` names the input completely (an upload by its digest), `load` makes
    it, `private` says that it came from the reader. `notes` are sentences about
    the input for the page.
    """

    input_key: tuple[Hashable, ...]
    load: Callable[[], np.ndarray]
    private: bool
    notes: tuple[str, ...]
    seed: int
    features: int
    use_running_average: bool
    warmup_passes: int

    def key(self, recipe: Recipe) -> tuple[Hashable, ...]:
        """What names this experiment with a recipe completely."""
        mode = self.use_running_average, self.warmup_passes
        # Equal records of different classes are equal to a dict, so not the recipe itself.
        return self.input_key, self.seed, self.features, *mode, repr(recipe)


@dataclass(frozen=True)
class Result:
    """A trace and what the page says of it whole, worked out once."""

    trace: BlockTrace
    headline: Headline
    variance_error: float
    digest: str


def run(
    experiment: Experiment,
    place: DeltaGenerator,
    recipe: Recipe = V1,
    warmup_passes: int | None = None,
) -> Result:
    """The experiment's result, for the basic block or another recipe.

    `warmup_passes` counts in place of the experiment's; `place` shows that it runs.

    Raises:
        InputError: the recipe does not take this input.
        Busy: too many others compute something.
    """
    if warmup_passes is not None:
        experiment = replace(experiment, warmup_passes=warmup_passes)

    def make() -> Result:
        trace = trace_block(
            experiment.seed,
            experiment.load(),
            experiment.features,
            use_running_average=experiment.use_running_average,
            warmup_passes=experiment.warmup_passes,
            variant=recipe,
        )
        return Result(trace, headline(trace), variance_error(trace), trace.digest())

    return kept(
        ("trace", *experiment.key(recipe)),
        make,
        private=experiment.private,
        place=place,
        words="Running the block",
    )
