"""The experiment: the settings, their models and their results."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.analysis.summary import Headline, headline, variance_error
from explorer.engine.forward import check_arguments, check_stage_sizes, trace_model
from explorer.engine.network import Network
from explorer.errors import InputError
from explorer.inputs import GENERATORS
from explorer.model.spec import BlockSpec
from explorer.model.variants import V1
from explorer.model.weights import Model
from explorer.page.cache import get_cached, get_or_compute, get_or_compute_part
from explorer.page.earlier_results import session_results
from explorer.page.errors import PROBLEMS, show_problem
from explorer.page.limiter import WORK_LIMITER
from explorer.records import BlockTrace

ONE_IMAGE = "This view uses the statistics of this image alone, not those of the batch."
DEFAULT_INPUT = "landscape"
# Pinned on the default input: x is negative there, the sum is positive (in channel 0, with seed 0).
DEFAULT_PIN = "add,57,69"


def default_shape(kind: str) -> tuple[int, int, int]:
    """Return height, width and channels of a generated input unless others are chosen."""
    channels = GENERATORS[kind].channels
    return (32, 32, 8) if channels is None else (96, 96, channels)


@dataclass(frozen=True)
class Experiment:
    """Everything that determines a result: model, input and mode.

    `input_key` is the input's cache key (with the digest of an upload), `load` returns the
    input, `private` is True for an upload, and `notes` are sentences about the input.
    `input_source` is NumPy code that makes the input, empty if there is none. If `image` is not
    None, the input is a batch, and results are of this image of it, with the batch's statistics.
    If `block` is not None, the weights are those of this block of a trained `network`, whose
    residual stream after the stem is `stem`. If `traced` is not None, it is the trace of `block` on
    the input, which need not be run again.
    """

    input_key: tuple[Hashable, ...]
    load: Callable[[], np.ndarray]
    private: bool
    notes: tuple[str, ...]
    seed: int
    features: int
    use_running_average: bool
    warmup_passes: int
    input_source: str = ""
    image: int | None = None
    block: Model | None = None
    network: Network | None = None
    stem: np.ndarray | None = None
    traced: BlockTrace | None = None

    def alone(self) -> "Experiment":
        """Return the experiment with the image shown as its only input."""
        if (image := self.image) is None:
            return self
        key = (*self.input_key, "image", image)
        return replace(self, input_key=key, load=lambda: self.load()[image].copy(), image=None)

    def of_stack(self) -> "Experiment":
        """Return the experiment with the trained network's stream after the stem as input."""
        if (stem := self.stem) is None:
            return self
        key = (*self.input_key, "stem")
        return replace(self, input_key=key, load=lambda: stem, image=None, traced=None)

    def whole_input(self, trace: BlockTrace) -> np.ndarray:
        """Return the input of a trace, or the batch that its statistics are of."""
        return trace["x"] if self.image is None else self.load()

    def without_file(self) -> "Experiment":
        """Return the same experiment without the file's content; what was made of it is cached."""
        load = _no_file if self.private else self.load
        return replace(self, load=load, traced=None)

    @property
    def spec(self) -> BlockSpec:
        """The spec of the block: of the trained block, or the basic block."""
        return self.block.spec if self.block else V1

    @property
    def default_pin(self) -> str:
        """The pin before the user sets one, as in a URL; empty unless the input is the default."""
        settings = DEFAULT_INPUT, *default_shape(DEFAULT_INPUT), 0
        return DEFAULT_PIN if self.input_key[: len(settings)] == settings else ""

    def model(self, spec: BlockSpec) -> Model:
        """Return the model of a spec; its weights are drawn once and cached."""
        if self.block:
            return self.block.as_variant(spec, self.seed)
        key = "model", self.seed, self.features, spec.key
        return get_or_compute_part(key, partial(Model.from_seed, self.seed, self.features, spec))

    def key(self, spec: BlockSpec) -> tuple[Hashable, ...]:
        """Return the cache key of this experiment with a spec."""
        mode = self.use_running_average, self.warmup_passes
        source = self.block.provenance if self.block else self.seed
        return self.input_key, self.image, source, self.features, *mode, spec.key


def _no_file() -> np.ndarray:
    raise InputError("The file of this result is no longer here. Choose it again.")


@dataclass(frozen=True)
class Numbers:
    """Numbers of a trace over all cells, computed in a slot of the limiter when first needed.

    `batch_variance_error` is that of the whole batch, if the trace is of one of its images.
    """

    trace: BlockTrace
    batch_variance_error: float | None = None

    @cached_property
    def headline(self) -> Headline:
        """The headline numbers."""
        with WORK_LIMITER.slot(is_patient=True):
            return headline(self.trace)

    @cached_property
    def variance_error(self) -> float:
        """The error of the batch variances, as `analysis.summary.variance_error` defines it."""
        if self.batch_variance_error is not None:
            return self.batch_variance_error
        with WORK_LIMITER.slot(is_patient=True):
            return variance_error(self.trace)

    @cached_property
    def digest(self) -> str:
        """The digest of out."""
        with WORK_LIMITER.slot(is_patient=True):
            return self.trace.digest()


@dataclass(frozen=True)
class Result:
    """A trace and its numbers."""

    trace: BlockTrace
    numbers: Numbers


def _with_kept_input(experiment: Experiment, placeholder: DeltaGenerator) -> Experiment:
    """Return the experiment with its input in the cache, where another seed finds it."""
    x = get_or_compute(
        ("input", *experiment.input_key),
        experiment.load,
        private=experiment.private,
        placeholder=placeholder,
        message=None,
        is_quick=True,
    )
    return replace(experiment, load=lambda: x)


def start_part(experiment: Experiment) -> Result | None:
    """Start a run of a part of the page; return the experiment's result.

    If there is an error, show it and return None. The result counts as used by this run, so it
    stays in the cache for the rest of the page.
    """
    session_results().begin_run()
    try:
        return run(experiment, st.empty())
    except PROBLEMS as problem:
        show_problem(problem, "view")
        return None


def run(
    experiment: Experiment,
    placeholder: DeltaGenerator,
    spec: BlockSpec | None = None,
    warmup_passes: int | None = None,
) -> Result:
    """Return the experiment's result, for its own block or another spec.

    `warmup_passes` replaces the experiment's; `placeholder` shows a spinner.

    Raises:
        InputError: the spec does not accept this input.
        Busy: too many computations are queued.
    """
    if warmup_passes is not None:
        experiment = replace(experiment, warmup_passes=warmup_passes)
    spec = spec or experiment.spec
    key = "trace", *experiment.key(spec)
    if not experiment.block and get_cached(key, private=experiment.private) is None:
        experiment = _with_kept_input(experiment, placeholder)

    def compute() -> Result:
        traced = experiment.traced
        if traced and spec.key == traced.spec.key and not experiment.warmup_passes:
            return Result(traced, Numbers(traced))
        x = check_arguments(experiment.seed, experiment.load(), experiment.features)
        check_stage_sizes(spec, x.shape)
        trace = trace_model(
            experiment.model(spec),
            x,
            use_running_average=experiment.use_running_average,
            warmup_passes=experiment.warmup_passes,
        )
        if experiment.image is None:
            return Result(trace, Numbers(trace))
        error, trace = variance_error(trace), trace.image(experiment.image)
        return Result(trace, Numbers(trace, error))

    result = get_or_compute(
        key,
        compute,
        private=experiment.private,
        placeholder=placeholder,
        message="Running the block",
        is_quick=True,
    )
    if result.trace.spec == spec:
        return result
    # Texts are not part of the key: the cached trace may be of a spec with another title.
    model = replace(result.trace.model, spec=spec)
    return replace(result, trace=replace(result.trace, model=model))
