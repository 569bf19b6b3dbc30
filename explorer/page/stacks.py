"""The two stacks of the Depth view, and their results."""

from collections.abc import Hashable
from dataclasses import dataclass
from functools import partial

from streamlit.delta_generator import DeltaGenerator

from explorer.engine.ablation import ablate
from explorer.engine.paths import path_lengths
from explorer.engine.progress import Progress
from explorer.engine.propagation import propagate_stack
from explorer.engine.stack import Stack
from explorer.model.spec import BlockSpec
from explorer.page.cache import get_or_compute_part
from explorer.page.experiment import Experiment
from explorer.page.jobs import Shown, halves, run_job
from explorer.records import AblationKind, AblationRecord, DepthRecord, PathRecord


@dataclass(frozen=True)
class StackPair:
    """A residual stack and the plain stack of the same weights, with their results."""

    experiment: Experiment
    spec: BlockSpec
    depth: int
    runs: int

    @property
    def is_trained(self) -> bool:
        """Whether the blocks are those of a trained network."""
        return self.experiment.network is not None

    def stack(self) -> Stack:
        """Return the residual stack: a trained network's blocks, or fresh ones, cached."""
        if self.experiment.network is not None:
            return Stack.from_models(list(self.experiment.network.models.values()))
        seed, features = self.experiment.seed, self.experiment.features
        return get_or_compute_part(
            ("stack", seed, features, self.spec.key, self.depth, self.runs),
            partial(Stack.from_seed, seed, features, self.depth, self.spec, runs=self.runs),
        )

    def key(self, name: str, *more: Hashable) -> tuple[Hashable, ...]:
        """Return the cache key of a result."""
        return name, *self.experiment.key(self.spec), self.depth, self.runs, *more

    def curves(
        self, place: DeltaGenerator | None = None
    ) -> Shown[tuple[DepthRecord, DepthRecord]] | None:
        """Return the curves of both stacks; `place` and what else may be returned: `run_job`."""

        def compute(progress: Progress) -> tuple[DepthRecord, DepthRecord]:
            x, stack = self.experiment.load(), self.stack()
            residual, plain_network = (
                propagate_stack(
                    each,
                    x,
                    seed=self.experiment.seed,
                    use_running_average=self.experiment.use_running_average,
                    progress=half,
                )
                for each, half in zip(
                    (stack, stack.without_shortcut()), halves(progress), strict=True
                )
            )
            return residual, plain_network

        return run_job(
            "curves",
            self.key("curves"),
            compute,
            private=self.experiment.private,
            message="Running the stacks",
            place=place,
        )

    def ablations(
        self, kind: AblationKind, place: DeltaGenerator | None = None
    ) -> Shown[tuple[AblationRecord, AblationRecord]] | None:
        """Return the changes of both stacks' output; as for `curves`."""

        def compute(progress: Progress) -> tuple[AblationRecord, AblationRecord]:
            x, stack = self.experiment.load(), self.stack()
            residual, plain_network = (
                ablate(
                    each,
                    x,
                    kind=kind,
                    use_running_average=self.experiment.use_running_average,
                    progress=half,
                )
                for each, half in zip(
                    (stack, stack.without_shortcut()), halves(progress), strict=True
                )
            )
            return residual, plain_network

        return run_job(
            f"ablation {kind}",
            self.key("ablation", kind),
            compute,
            private=self.experiment.private,
            message="Running the stacks",
            place=place,
        )

    def paths(self, place: DeltaGenerator | None = None) -> Shown[PathRecord] | None:
        """Return the gradients along paths through the residual stack; as for `curves`."""
        return run_job(
            "paths",
            self.key("paths"),
            lambda progress: path_lengths(
                self.stack(),
                self.experiment.load(),
                seed=self.experiment.seed,
                use_running_average=self.experiment.use_running_average,
                progress=progress,
            ),
            private=self.experiment.private,
            message="Running the stack",
            place=place,
        )
