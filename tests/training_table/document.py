"""The document of the trainings: settings, two tables and what they show."""

import importlib.metadata
import platform
import statistics
from collections.abc import Iterable, Sequence

from explorer import Dataset, TrainingSettings
from explorer.engine.training_step import MOMENTUM, WEIGHT_DECAY
from tests.bench.table import table
from tests.training_table.runs import KINDS, LAST_STEPS, Pair

PACKAGES = ("jax", "flax", "numpy")
TEXT = """# Training loss and accuracy against depth

Made by `make table`, which runs `python -m tests.training_table`, with {versions}.

Residual (`{residual}`) and plain (`{plain}`) networks of {depths} blocks are trained with the seeds
{seeds}. The two networks of a seed start from the same kernels and see the same batches. Layers are
those with weights: the stem's convolution, two in every block, and the head.

{claim}

{settings}
The training loss is the mean over the last {last} steps, each of its own batch, in train mode. The
test accuracy is that of all test pictures after the last step, in eval mode.

## By depth

Means over the seeds, with the smallest and the largest value in parentheses. The last column counts
the seeds in which the plain network's training loss is the larger one.

{by_depth}
## By seed

{by_seed}
Other machines and versions round differently, and training amplifies the differences.
"""


def document(pairs: Sequence[Pair], dataset: Dataset, settings: TrainingSettings) -> str:
    """Return the document as Markdown.

    Args:
        pairs: the trained networks, by depth and seed.
        dataset: what they were trained on.
        settings: of all trainings; their `blocks`, `variant` and `seed` are not used.
    """
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    versions["Python"] = platform.python_version()
    return TEXT.format(
        versions=", ".join(f"{name} {version}" for name, version in versions.items()),
        residual=KINDS["residual"],
        plain=KINDS["plain"],
        depths=listed(group[0].blocks for group in grouped(pairs)),
        seeds=listed(sorted({pair.seed for pair in pairs})),
        claim=claim(pairs),
        settings=settings_table(dataset, settings),
        last=min(LAST_STEPS, settings.steps),
        by_depth=depth_table(pairs),
        by_seed=seed_table(pairs),
    )


def claim(pairs: Sequence[Pair]) -> str:
    """Return a sentence on what the tables show, computed from the pairs."""
    groups = grouped(pairs)
    worse = [group[0].layers for group in groups if plain_is_worse(group) == len(group)]
    at = f" ({listed(worse)} layers)" if worse else ""
    return (
        f"At {len(worse)} of {len(groups)} depths{at} the plain network's training loss is larger "
        f"than the residual network's in all {len(groups[0])} seeds."
    )


def settings_table(dataset: Dataset, settings: TrainingSettings) -> str:
    """Return what all trainings have in common."""
    rules = {"sgd": f"SGD, momentum {MOMENTUM:g}", "adam": "Adam"}
    rows = [
        ("data", dataset.title),
        (
            "pictures to train and to test on",
            f"{len(dataset.train_images):,} and {len(dataset.test_images):,}",
        ),
        ("width", f"{settings.width} channels"),
        ("steps", f"{settings.steps}"),
        ("batch", f"{settings.batch} pictures"),
        ("optimiser", f"{rules[settings.optimiser]}, weight decay {WEIGHT_DECAY:g}"),
        ("learning rate", f"{settings.learning_rate:g}, falling to 0 as a cosine"),
        (
            "initial kernels",
            {"he": "He et al. 2015b", "lecun": "LeCun et al. 1998"}[settings.initialiser],
        ),
    ]
    return table(("setting", "value"), rows)


def depth_table(pairs: Sequence[Pair]) -> str:
    """Return the numbers of every depth, over the seeds."""
    rows = []
    for group in grouped(pairs):
        cells = [f"{group[0].blocks}", f"{group[0].layers}"]
        cells += [spread((pair.loss[kind] for pair in group), 3) for kind in KINDS]
        cells += [spread((100 * pair.accuracy[kind] for pair in group), 1) for kind in KINDS]
        rows.append([*cells, f"{plain_is_worse(group)} of {len(group)}"])
    return table(("blocks", "layers", *headings(), "plain loss larger"), rows)


def seed_table(pairs: Sequence[Pair]) -> str:
    """Return the numbers of every pair."""
    rows = []
    for pair in pairs:
        cells = [f"{pair.blocks}", f"{pair.layers}", f"{pair.seed}"]
        cells += [f"{pair.loss[kind]:.3f}" for kind in KINDS]
        rows.append([*cells, *(f"{100 * pair.accuracy[kind]:.1f}" for kind in KINDS)])
    return table(("blocks", "layers", "seed", *headings()), rows)


def headings() -> list[str]:
    """Return the headings of losses and accuracies."""
    return [f"{what}, {kind}" for what in ("loss", "accuracy (%)") for kind in KINDS]


def grouped(pairs: Sequence[Pair]) -> list[list[Pair]]:
    """Return the pairs of every depth, the smallest depth first."""
    depths = sorted({pair.blocks for pair in pairs})
    return [[pair for pair in pairs if pair.blocks == blocks] for blocks in depths]


def plain_is_worse(group: Sequence[Pair]) -> int:
    """Return in how many pairs the plain network's training loss is larger."""
    return sum(pair.loss["plain"] > pair.loss["residual"] for pair in group)


def spread(values: Iterable[float], digits: int) -> str:
    """Return mean and range as text."""
    found = [*values]
    mean, low, high = (
        f"{value:.{digits}f}" for value in (statistics.fmean(found), min(found), max(found))
    )
    return f"{mean} ({low} – {high})"


def listed(numbers: Iterable[int]) -> str:
    """Return numbers as text, as in "3, 8 and 27"."""
    *first, last = (str(number) for number in numbers)
    return f"{', '.join(first)} and {last}" if first else last
