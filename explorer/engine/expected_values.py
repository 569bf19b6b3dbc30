"""Comparison of a network with values from elsewhere, and a search for what differs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from explorer.engine.expected_arrays import (
    LOGITS,
    ExpectedStage,
    read_stages,
    wrong_shape,
)
from explorer.engine.expected_record import (
    TOLERANCE,
    ExpectedComparison,
    Explanation,
    StageDifference,
)
from explorer.engine.forward import trace_model
from explorer.engine.network import Network
from explorer.engine.network_parts import run_head
from explorer.engine.suspects import Suspect, suspects
from explorer.errors import InputError, check_type
from explorer.inputs.limits import format_shape
from explorer.model.network import STEM
from explorer.model.weights import Model
from explorer.records import BlockTrace, NetworkTrace, softmax

# A suspect must leave at most this share of the difference.
REMAINDER = 0.1
# Differences up to this one are rounding: no suspect fits better than another.
ROUNDING = 1e-6


def compare_with_expected(
    network: Network, picture: Any, expected: Mapping[str, Any]
) -> ExpectedComparison:
    """Compare the stages of a network, in eval mode, with values from another implementation.

    The first stage that departs by more than 1e-3 of its largest expected value is tried against
    the usual suspects, such as another ε or padding: the network is changed in one of them, in
    the block of that stage and then in all layers up to it, and run again. The one that fits best
    is named if it fits within 1e-3 of the largest value and leaves at most a tenth of the
    difference.

    Args:
        network: the network.
        picture: `(H, W, channels)`, as both implementations receive it.
        expected: real arrays by name: "stem" or a block's name, such as "layer2.0", for its out;
            a stage of it, such as "layer2.0.bn2", where the modules of a shortcut have their names
            in hooks too, such as "layer2.0.downsample.0"; or "logits". Maps are `(H, W, C)` or
            `(C, H, W)`, which their shape tells, and all may have an axis of size 1 before.

    Returns:
        An `ExpectedComparison`.

    Raises:
        InputError: the picture is not one of the network; or a name in `expected` is unknown, or
            its array has another shape, which no suspect explains, or NaN.
    """
    given = check_type("network", network, Network).check_images(picture, 3)
    trace = network.trace(given)
    stages = read_stages(expected, trace)
    differences = tuple(each.difference(_value(trace, each)) for each in stages)
    first = next((index for index, each in enumerate(differences) if each.departs), None)
    if first is None:
        sentence = _sentence_of_agreement(differences)
        return ExpectedComparison(differences, None, None, None, sentence)
    search = _Search(network, trace, tuple(stages[: first + 1]), differences[first])
    explanation = search.best()
    if explanation is None and differences[first].position is None:
        found = _value(trace, stages[first])
        raise wrong_shape(stages[first].name, differences[first].shape, found.shape)
    sentence = _sentence(differences, first, explanation, _value(trace, stages[first]).shape)
    following = None
    if explanation is not None and first + 1 < len(stages):
        following = replace(search, stages=tuple(stages)).following(explanation, first)
    if following is not None:
        sentence += f" With that corrected, the next stage that departs is {following}."
    return ExpectedComparison(differences, differences[first], explanation, following, sentence)


def _value(trace: NetworkTrace, expected: ExpectedStage) -> np.ndarray:
    if expected.part == LOGITS:
        return trace.logits
    return _block(trace, expected.part)[expected.stage]


def _block(trace: NetworkTrace, part: str) -> BlockTrace:
    return trace.stem if part == STEM else trace[part]


@dataclass(frozen=True, eq=False)
class _Search:
    """The search for what gives the expected values at the last of `stages`.

    Attributes:
        network: as it was given.
        trace: of the picture.
        stages: those given up to the first that departs, in dataflow order.
        departure: the difference at that one.
    """

    network: Network
    trace: NetworkTrace
    stages: tuple[ExpectedStage, ...]
    departure: StageDifference

    def best(self) -> Explanation | None:
        """Return the explanation with the smallest difference, if it is small enough."""
        best: Explanation | None = None
        limit = min(TOLERANCE, REMAINDER * self.departure.relative)
        for each in self._explanations():
            if each.relative <= limit and (best is None or _is_better(each, best)):
                best = each
            if best is not None and best.relative <= ROUNDING:
                break
        return best

    def _explanations(self) -> Iterator[Explanation]:
        last = self.stages[-1].part
        models = {STEM: self.network.stem, **self.network.models}
        names = list(models)
        up_to = names if last == LOGITS else names[: names.index(last) + 1]
        every = suspects()
        if last != LOGITS:
            local = {last: models[last]}
            for suspect in every:
                if suspect.affects(models[last]):
                    yield Explanation(
                        suspect.name, suspect.words, last, self._difference(suspect, local)
                    )
        yield from self._other_stages()
        for suspect in every:
            affected = [name for name in up_to if suspect.reverse or suspect.affects(models[name])]
            if affected and (suspect.reverse or affected != [last]):
                start = up_to.index(affected[0])
                changed = {name: models[name] for name in up_to[start:]}
                yield Explanation(
                    suspect.name, suspect.words, None, self._difference(suspect, changed)
                )

    def _other_stages(self) -> Iterator[Explanation]:
        """Yield the explanations that the values are those of another stage."""
        wanted = self.stages[-1]
        if wanted.part == LOGITS:
            relative = wanted.difference(softmax(self.trace.logits)).relative
            yield Explanation("probabilities", "they are the softmax of the logits", None, relative)
            return
        block = _block(self.trace, wanted.part)
        order = list(block.stages)
        for stage, value in block.stages.items():
            if stage == wanted.stage:
                continue
            words = f"they are the values of {wanted.part}.{stage}"
            if order.index(stage) > order.index(wanted.stage):
                words += ", as where a layer that works in place has overwritten them"
            relative = wanted.difference(value).relative
            yield Explanation(f"values of {stage}", words, wanted.part, relative)

    def _difference(self, suspect: Suspect, models: Mapping[str, Model]) -> float:
        """Return the largest difference at the last stage; infinite if an earlier one departs."""
        try:
            for expected, value in self._run(suspect, models):
                relative = expected.difference(value).relative
                if expected is self.stages[-1]:
                    return relative
                if relative > TOLERANCE:
                    break
        except InputError:  # the change does not run on this picture
            pass
        return np.inf

    def following(self, explanation: Explanation, first: int) -> str | None:
        """Return the stage after the first that departs with the explanation's suspect corrected.

        It is corrected in the block where it was found or in all parts, whichever agrees further.
        """
        suspect = next((each for each in suspects() if each.name == explanation.suspect), None)
        if suspect is None:
            return None
        parts = {STEM, *self.network.models}
        places = [parts] if explanation.block is None else [{explanation.block}, parts]
        index = max(self._departure(suspect, where, first) for where in places)
        return self.stages[index].name if index < len(self.stages) else None

    def _departure(self, suspect: Suspect, where: set[str], first: int) -> int:
        """Return the index of the stage after the first that departs; their number if none does."""
        models = {STEM: self.network.stem, **self.network.models}
        after = self.stages[first + 1 :]
        try:
            for expected, value in self._run(suspect, models, where):
                if expected in after and expected.difference(value).departs:
                    return self.stages.index(expected)
        except InputError:  # the change does not run in all parts
            return first + 1
        return len(self.stages)

    def _run(
        self, suspect: Suspect, models: Mapping[str, Model], where: set[str] | None = None
    ) -> Iterator[tuple[ExpectedStage, np.ndarray]]:
        """Run these parts with a suspect in `where`, or in all; yield the stages expected."""
        h = _block(self.trace, next(iter(models)))["x"]
        if suspect.reverse:
            h = h[..., ::-1]
        for part, model in models.items():
            has_it = where is None or part in where
            run, train = (suspect.change(model), suspect.train) if has_it else (model, False)
            trace = trace_model(run, h, use_running_average=not train)
            # Without the sum, F(x) stands for it, and a shortcut has no stages.
            found = {"add": trace[trace.spec.residual], **trace.stages}
            for each in self.stages:
                if each.part == part and each.stage in found:
                    yield each, found[each.stage]
            h = trace["out"]
        if self.stages[-1].part == LOGITS:
            final = self.network.final
            if final and where is None:
                final = suspect.change(final)
            logits = np.asarray(run_head(final, self.network.head, h, not suspect.train))
            yield from ((each, logits) for each in self.stages if each.part == LOGITS)


def _is_better(one: Explanation, other: Explanation) -> bool:
    """Return whether it fits better by more than rounding."""
    return one.relative < other.relative / 2 and other.relative > ROUNDING


def _sentence_of_agreement(differences: tuple[StageDifference, ...]) -> str:
    worst = max(differences, key=lambda each: each.relative)
    count = len(differences)
    number = "The stage agrees" if count == 1 else f"All {count} stages agree"
    if worst.relative == 0:
        return f"{number} with the expected values exactly."
    return (
        f"{number} with the expected values within {TOLERANCE:g} of their largest; the largest "
        f"difference is {worst.relative:.1e} of it, at {worst.name}."
    )


def _sentence(
    differences: tuple[StageDifference, ...],
    first: int,
    explanation: Explanation | None,
    shape: tuple[int, ...],
) -> str:
    there = differences[first]
    if there.position is None:
        size = f"{format_shape(there.shape)} (rows, columns, channels)"
        words = f"its expected values are {size} and the network’s {format_shape(shape)}"
    elif not np.isfinite(there.found):
        words = f"the network has {there.found} at {_position(there.position)}"
    else:
        words = f"by {there.largest:.3g} at {_position(there.position)}, {_share(there.relative)}"
    before = f"after {differences[first - 1].name}, which agrees" if first else "the first given"
    lead = f"The first stage that departs is {there.name} ({before}): {words}."
    if explanation is None:
        more = " and its input, stem.x," if there.name.partition(".")[0] == STEM else ""
        return (
            f"{lead} None of the usual suspects fits. Add the stages just before it{more} to the "
            "expected values, or look at the weights and the preprocessing of the picture."
        )
    where = ", in all layers up to there"
    if explanation.block:
        where = ", at least in " + ("the stem" if explanation.block == STEM else explanation.block)
    if explanation.suspect.startswith(("BGR", "probabilities", "values of")):
        where = ""  # no layers differ
    remains = "exactly"
    if explanation.relative:
        remains = f"up to {explanation.relative:.1e} of the largest"
    return f"{lead} The expected values fit, {remains}, if {explanation.words}{where}."


def _share(relative: float) -> str:
    if relative == np.inf:
        return "where all are expected to be 0"
    return f"which is {relative:.2g} of its largest expected value"


def _position(position: tuple[int, ...]) -> str:
    names = ("class",) if len(position) == 1 else ("row", "column", "channel")
    return ", ".join(f"{name} {index}" for name, index in zip(names, position, strict=True))
