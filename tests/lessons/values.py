"""The values that a step's numbers name, computed by the engine from the step's settings.

`value_of` knows the names that docs/lessons.md lists.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, cached_property
from typing import Any

import numpy as np

from explorer.analysis.sum_comparison import compare_sum
from explorer.analysis.summary import GradientNumbers, Headline, gradient_numbers, headline
from explorer.data import digits
from explorer.engine.forward import trace_block
from explorer.engine.gradients import cotangent_of, split_trace
from explorer.engine.propagation import propagate
from explorer.engine.shipped_runs import shipped_run
from explorer.engine.training_run import TrainingRun
from explorer.engine.training_settings import TrainingSettings
from explorer.inputs import GENERATORS, generate, standardise
from explorer.model.spec import BlockSpec
from explorer.model.variants import (
    FAMILIES,
    FIXES,
    VARIANTS,
    with_bias,
    zero_gamma,
)
from explorer.page.final_loss import final_loss
from explorer.records import BlockTrace, DepthRecord, GradientSplit

Values = Mapping[str, Callable[["State"], Any]]
SOURCES = " ".join(spec.source for spec in VARIANTS.values())


class State:
    """The state of the page that a link describes, and its results, computed when asked for."""

    def __init__(self, link: Mapping[str, str]) -> None:
        self.link = link

    def integer(self, name: str, default: int) -> int:
        return int(self.link.get(name, default))

    @cached_property
    def x(self) -> np.ndarray:
        kind = self.link["input"]
        channels = GENERATORS[kind].channels or self.integer("channels", 8)
        size = int(self.link["height"]), int(self.link["width"])
        return _input(kind, *size, channels, self.integer("input_seed", 0), self._standardises)

    @property
    def _standardises(self) -> bool:
        wanted = self.link.get("standardise", "pictures")
        is_sample = GENERATORS[self.link["input"]].group == "sample"
        return wanted == "always" or (wanted == "pictures" and is_sample)

    @property
    def in_eval(self) -> bool:
        return self.link.get("mode") == "eval"

    @property
    def warmup(self) -> int:
        return self.integer("warmup", 0)

    @cached_property
    def spec(self) -> BlockSpec:
        """The block of the Forward and Gradients views; v1 in What if."""
        if self.link.get("view") != "gradients":
            return VARIANTS["v1"]
        name = self.link.get("variant", self.link.get("block", "v1"))
        gamma, shift = (float(self.link.get(k, d)) for k, d in (("gamma2", 1), ("shift", 0)))
        spec = VARIANTS[name] if gamma == 1 else zero_gamma(gamma)
        return with_bias(spec, self.link.get("shifted", "conv1"), shift) if shift else spec

    @cached_property
    def variant_spec(self) -> BlockSpec:
        name = self.link.get("variant", "no_skip")
        if self.link.get("fix", "none") != "none":
            return FIXES[name][1]
        if name not in FAMILIES:
            return VARIANTS[name]
        keys = {"factor": ("factor", float), "gamma": ("gamma2", float), "out": ("out", int)}
        keys["stride"] = ("stride", int)
        given = {
            key: keys[key][1](self.link[keys[key][0]])
            for key in FAMILIES[name].parameters
            if keys[key][0] in self.link
        }
        return FAMILIES[name].make(**given)

    @cached_property
    def trace(self) -> BlockTrace:
        return self._run(self.spec, self.in_eval)

    @cached_property
    def variant(self) -> BlockTrace:
        return self._run(self.variant_spec, self.in_eval or self.variant_spec.always_eval)

    @cached_property
    def branch(self) -> BlockTrace:
        """The variant's branch alone, for a sum that does not run."""
        return self._run(replace(self.variant_spec, shortcut=None, after=()), self.in_eval)

    def _run(self, spec: BlockSpec, in_eval: bool) -> BlockTrace:
        return trace_block(
            self.integer("seed", 0),
            self.x,
            self.x.shape[-1],
            variant=spec,
            use_running_average=in_eval,
            warmup_passes=self.warmup if in_eval else 0,
        )

    @cached_property
    def headline(self) -> Headline:
        return headline(self.trace)

    @cached_property
    def variant_headline(self) -> Headline:
        return headline(self.variant)

    @cached_property
    def split(self) -> GradientSplit:
        kind: Any = self.link.get("cotangent", "ones")
        pixel = None
        if kind == "pixel":
            row, col = (int(each) for each in self.link["pin"].split(",")[1:])
            pixel = (row, col, self.channel)
        cotangent = cotangent_of(kind, self.trace, pixel, self.integer("seed", 0))
        return split_trace(self.trace, cotangent)

    @cached_property
    def gradient(self) -> GradientNumbers:
        return gradient_numbers(self.split)

    @property
    def channel(self) -> int:
        return self.integer("channel", 0)

    def pixel(self, array: np.ndarray) -> float:
        """Return an array's value at the pinned pixel."""
        row, col = (int(each) for each in self.link["pin"].split(",")[1:])
        return float(array[row, col, self.channel])

    def at_pin(self, trace: BlockTrace, stage: str) -> float:
        row, col = (int(each) for each in self.link["pin"].split(",")[1:])
        values = trace.pixel(stage, row, col)
        assert values is not None, f"{stage} has no value at the pin"
        return float(values[self.channel])

    @cached_property
    def curves(self) -> Mapping[str, DepthRecord]:
        spec = VARIANTS["no_bn" if self.link.get("batch_norm") == "off" else "v1"]
        if self.link.get("last_relu") == "off":
            spec = replace(spec, after=())
        return {
            "residual": self._stack(spec),
            "plain": self._stack(replace(spec, shortcut=None)),
        }

    def _stack(self, spec: BlockSpec) -> DepthRecord:
        return propagate(
            self.integer("seed", 0),
            self.x,
            self.x.shape[-1],
            depth=self.integer("depth", 32),
            seeds=self.integer("runs", 8),
            variant=spec,
            use_running_average=self.in_eval,
        )

    def median(self, stack: str, curve: str, block: int) -> float:
        """Return the median over the runs of a curve, at a block counted from 1; −1 is the last."""
        values = self.curves[stack].curves[curve]
        return float(np.median(values[:, block - 1 if block > 0 else block]))

    def training(self, which: str) -> TrainingRun:
        variant = {"residual": "v1", "plain": "no_skip"}[which]
        return _training(self.integer("net_blocks", 8), variant)


@cache
def _input(
    kind: str, height: int, width: int, channels: int, seed: int, is_standardised: bool
) -> np.ndarray:
    x = generate(kind, height, width, channels, seed)
    return standardise(x) if is_standardised else x


@cache
def _training(blocks: int, variant: str) -> TrainingRun:
    run = shipped_run(TrainingSettings(blocks=blocks, variant=variant))
    assert run is not None
    return run


@cache
def _ablation(blocks: int, variant: str) -> np.ndarray:
    """Return the test accuracies without each block, as the Network view shows them."""
    data, network = digits(), _training(blocks, variant).network
    orders = [[name for name in network.blocks if name != removed] for removed in network.blocks]
    logits = (network.logits(data.test_images, order) for order in orders)
    return np.array([np.mean(each.argmax(axis=1) == data.test_labels) for each in logits])


def _without_a_block(blocks: int, which: str, part: str) -> float:
    found = _ablation(blocks, {"residual": "v1", "plain": "no_skip"}[which])
    return float({"mean": found.mean(), "lowest": found.min(), "highest": found.max()}[part])


def _accuracy(run: TrainingRun) -> float:
    return float(run.history["test accuracy"][-1])


def _text(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))


def _outcome(state: State, index: int) -> int:
    return int(compare_sum(state.trace, state.channel).counts[index])


# Names without parameters.
_PLAIN: Values = {
    "ratio": lambda s: s.headline.ratio,
    "variance from x": lambda s: s.headline.identity_share,
    "zeroed": lambda s: s.headline.zeroed,
    "std of out": lambda s: s.headline.spread,
    "correlation": lambda s: s.headline.correlation,
    "zeroed in channel": lambda s: np.mean(s.trace["add"][..., s.channel] < 0),
    "cells in channel": lambda s: s.trace["add"][..., s.channel].size,
    "outcome 1": lambda s: _outcome(s, 0),
    "outcome 2": lambda s: _outcome(s, 1),
    "outcome 3": lambda s: _outcome(s, 2),
    "outcome 4": lambda s: _outcome(s, 3),
    "variant ratio": lambda s: s.variant_headline.ratio,
    "variant variance from x": lambda s: s.variant_headline.identity_share,
    "variant zeroed": lambda s: s.variant_headline.zeroed,
    "variant std of out": lambda s: s.variant_headline.spread,
    "variant correlation": lambda s: s.variant_headline.correlation,
    "norm of identity part": lambda s: s.gradient.identity,
    "norm of residual part": lambda s: s.gradient.residual,
    "identity's share": lambda s: s.gradient.identity_share,
    "cosine": lambda s: s.gradient.cosine,
    "gradient through shortcut": lambda s: s.pixel(s.split.identity),
    "gradient through F": lambda s: s.pixel(s.split.residual),
    "gradient at x": lambda s: s.pixel(s.split.total),
    "seed": lambda s: s.integer("seed", 0),
    "channel": lambda s: s.channel,
    "row": lambda s: int(s.link["pin"].split(",")[1]),
    "column": lambda s: int(s.link["pin"].split(",")[2]),
    "warm-up passes": lambda s: s.warmup,
    "gamma2": lambda s: float(s.link["gamma2"]),
    "factor": lambda s: float(s.link["factor"]),
    "blocks": lambda s: s.integer("depth", 32),
    "runs": lambda s: s.integer("runs", 8),
    "network blocks": lambda s: s.integer("net_blocks", 8),
    "network layers": lambda s: 2 * s.integer("net_blocks", 8) + 2,
}
# Names with a parameter, which the expression's group is.
_WITH_PARAMETER: Mapping[str, Callable[[State, Any], Any]] = {
    r"paper ([\d.]+)": lambda s, m: m[1] if m[1] in re.findall(r"\d+\.\d+", SOURCES) else None,
    r"shape of (\w+)": lambda s, m: _text(s.trace[m[1]].shape),
    r"variant shape of (\w+)": lambda s, m: _text(s.variant[m[1]].shape),
    r"branch shape of (\w+)": lambda s, m: _text(s.branch[m[1]].shape),
    r"batch mean of (\w+)": lambda s, m: s.trace.norms[m[1]].batch_mean[s.channel],
    r"batch variance of (\w+)": lambda s, m: s.trace.norms[m[1]].batch_var[s.channel],
    r"running mean of (\w+)": lambda s, m: s.trace.norms[m[1]].mean_after[s.channel],
    r"running variance of (\w+)": lambda s, m: s.trace.norms[m[1]].var_after[s.channel],
    r"momentum of (\w+)": lambda s, m: s.trace.norms[m[1]].momentum,
    r"gradient growth (residual|plain)": lambda s, m: (
        s.median(m[1], "gradient norm", 1) / s.median(m[1], "gradient norm", -1)
    ),
    r"branch share at (\d+)": lambda s, m: s.median("residual", "branch share", int(m[1])),
    r"gradient correlation (residual|plain)": lambda s, m: s.median(
        m[1], "gradient correlation", 1
    ),
    r"accuracy (residual|plain)": lambda s, m: _accuracy(s.training(m[1])),
    r"loss (residual|plain)": lambda s, m: final_loss(s.training(m[1]).history),
    r"(mean|lowest|highest) accuracy without a block (residual|plain)": lambda s, m: (
        _without_a_block(s.integer("net_blocks", 8), m[2], m[1])
    ),
    r"variant (\w+)": lambda s, m: s.at_pin(s.variant, m[1]),
    r"(\w+)": lambda s, m: s.at_pin(s.trace, m[1]),
}


@cache
def state_of(settings: tuple[tuple[str, str], ...]) -> State:
    """Return the state of a link's settings; steps with the same ones share its results."""
    return State(dict(settings))


def value_of(state: State, name: str) -> Any:
    """Return the value of a name: a number, or a text such as a shape.

    Raises:
        KeyError: no value has this name.
    """
    if name in _PLAIN:
        return _PLAIN[name](state)
    for pattern, compute in _WITH_PARAMETER.items():
        if found := re.fullmatch(pattern, name):
            return compute(state, found)
    raise KeyError(f"no value has the name {name!r}")


def printed_as(value: Any, text: str) -> str:
    """Return a value as the page prints it, with as many digits as `text` has."""
    if isinstance(value, str):
        return value
    if text.endswith("%"):
        return (
            f"{printed_as(100 * value, text.rstrip('%').strip())}{'%' if ' ' not in text else ' %'}"
        )
    if found := re.fullmatch(r"(?:(−?\d(?:\.\d+)?)·)?10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", text):
        decimals = len((found[1] or "").partition(".")[2])
        digits_of, exponent = f"{value:.{decimals}e}".split("e")
        raised = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
        return (f"{digits_of}·" if found[1] else "") + f"10{raised}"
    decimals = len(text.partition(".")[2])
    rounded = f"{value:,.{decimals}f}"
    return rounded.replace("-", "−")
