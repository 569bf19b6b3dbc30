"""A block as a recipe: `out = after(shortcut(x) + branch(x))`, and the class that runs it.

A recipe lists named layers for the branch, the shortcut and what comes after the
sum. Layers that recipes have in common get the same weights from the same seed.
"""

from collections.abc import Callable
from dataclasses import dataclass

import jax
from flax import nnx

from explorer.block import BasicBlock
from explorer.errors import InputError
from explorer.layers import BatchNorm, Layer, ReLU

Stages = tuple[tuple[str, Layer], ...]
Nudge = Callable[[str, jax.Array], jax.Array]
BRANCH, SHORTCUT = "x into the branch", "x into the shortcut"


@dataclass(frozen=True)
class Grid:
    """Where a stage's pixels lie on x: its pixel n is centred on x's `offset` + `stride` · n,
    and stands for `stride` of them."""

    offset: int = 0
    stride: int = 1


@dataclass(frozen=True)
class Recipe:
    """A variant of the block.

    Attributes:
        title: its name in words.
        lesson: one or two sentences on what it shows.
        source: paper and place, with the published figure where there is one.
        branch, after: named layers, in order; F(x) is the branch's last stage.
        shortcut: likewise; empty for the identity, None for no shortcut and no sum.
        always_eval: runs with running statistics, whatever was asked for.
    """

    title: str
    lesson: str
    source: str
    branch: Stages
    shortcut: Stages | None = ()
    after: Stages = (("out", ReLU()),)
    always_eval: bool = False

    @property
    def residual(self) -> str:
        """The stage that is F(x)."""
        return self.branch[-1][0]

    def sources(self) -> dict[str, tuple[str, ...]]:
        """For every stage but x the stages that it is computed from, in dataflow order."""
        found: dict[str, tuple[str, ...]] = {}

        def chain(layers: Stages, source: str) -> str:
            for name, _ in layers:
                found[name], source = (source,), name
            return source

        end = chain(self.branch, "x")
        if self.shortcut is not None:
            found["add"] = (end, chain(self.shortcut, "x"))
            end = "add"
        end = chain(self.after, end)
        if end != "out":
            found["out"] = (end,)
        return found

    def inputs(self) -> dict[str, str]:
        """For every layer's stage, the stage that it is computed from."""
        layers = self.layers()
        return {name: sources[0] for name, sources in self.sources().items() if name in layers}

    def stages(self) -> tuple[str, ...]:
        """The names of all stages, in dataflow order, from "x" to "out"."""
        return ("x", *self.sources())

    @property
    def identity(self) -> str | None:
        """The stage that F(x) is added to: x, or the shortcut's last; None without a sum."""
        if self.shortcut is None:
            return None
        return self.shortcut[-1][0] if self.shortcut else "x"

    @property
    def cut(self) -> str | None:
        """The stage that the last ReLU cuts to give "out"; None where nothing is cut last."""
        is_cut = bool(self.after) and isinstance(self.after[-1][1], ReLU)
        return self.inputs()[self.after[-1][0]] if is_cut else None

    def grids(self) -> dict[str, Grid]:
        """Every stage's pixels, as they lie on x."""
        found = {"x": Grid()}

        def lay(layers: Stages, at: Grid) -> Grid:
            for name, layer in layers:
                offset = at.offset + at.stride * layer.margin
                at = found[name] = Grid(offset, at.stride * layer.stride)
            return at

        end = lay(self.branch, found["x"])
        if self.shortcut is not None:
            lay(self.shortcut, found["x"])
            found["add"] = end
        found["out"] = lay(self.after, end)
        return {stage: found[stage] for stage in self.stages()}

    def widths(self, features: int) -> dict[str, int]:
        """Every stage's channels, in a block of so many features."""
        found, layers = {"x": features}, self.layers()
        for stage, sources in self.sources().items():
            width = found[sources[0]]
            found[stage] = layers[stage].width(width, features) if stage in layers else width
        return found

    def values(self) -> dict[str, dict[str, float]]:
        """Constants of the layers by stage: data that the program runs on."""
        return {name: given for name, layer in self.layers().items() if (given := layer.values())}

    def program(self) -> "Recipe":
        """The recipe without words and values: recipes that share it are compiled once."""

        def plain(stages: Stages) -> Stages:
            return tuple((name, layer.plain()) for name, layer in stages)

        shortcut = None if self.shortcut is None else plain(self.shortcut)
        return Recipe("", "", "", plain(self.branch), shortcut, plain(self.after))

    def norms(self) -> list[str]:
        """The stages that are BatchNorms."""
        return [name for name, layer in self.layers().items() if isinstance(layer, BatchNorm)]

    def layers(self) -> dict[str, Layer]:
        """Every layer by its stage's name."""
        return dict((*self.branch, *(self.shortcut or ()), *self.after))


class RecipeBlock(nnx.Module):
    """The block of a recipe.

    Kernels that a canonical block of this seed has under the same name and of the
    same shape are the same; what the recipe adds is drawn after them.

    Args:
        recipe: what to build.
        features: channels of the input.
        rngs: NNX's random streams.
    """

    def __init__(self, recipe: Recipe, features: int, rngs: nnx.Rngs):
        self.recipe = recipe
        canonical = BasicBlock(features, rngs)
        widths, layers = recipe.widths(features), recipe.layers()
        for name, source in recipe.inputs().items():
            module = layers[name].build(widths[source], features, rngs)
            twin = getattr(canonical, name, None)
            if module is None:
                continue
            setattr(self, name, module)
            if isinstance(module, nnx.Conv) and isinstance(twin, nnx.Conv):
                _share_kernel(twin, module)

    def stages(
        self, x: jax.Array, use_running_average: bool, nudge: Nudge = lambda _, value: value
    ) -> dict[str, jax.Array]:
        """Every stage by name, in dataflow order, from "x" to "out".

        Args:
            x: input `(H, W, C)`.
            use_running_average: False is train mode, True is eval mode.
            nudge: gets each stage's name and value and returns what goes on in its place;
                also for `BRANCH` and `SHORTCUT`, which are x as either path takes it.

        Raises:
            InputError: F(x) and the shortcut have shapes that cannot be added.
        """
        values = {"x": nudge("x", x)}

        def run(layers: Stages, value: jax.Array) -> jax.Array:
            for name, layer in layers:
                module = getattr(self, name, None)
                value = nudge(name, layer.apply(module, value, use_running_average))
                values[name] = value
            return value

        total = run(self.recipe.branch, nudge(BRANCH, values["x"]))
        if self.recipe.shortcut is not None:
            identity = run(self.recipe.shortcut, nudge(SHORTCUT, values["x"]))
            total = values["add"] = nudge("add", _add(total, identity))
        values["out"] = run(self.recipe.after, total)
        return values

    def __call__(self, x: jax.Array, use_running_average: bool) -> jax.Array:
        """The last of `stages`."""
        return self.stages(x, use_running_average)["out"]


def _share_kernel(one: nnx.Conv, other: nnx.Conv) -> None:
    """Gives `other` the kernel of `one` where the shapes agree."""
    if one.kernel.shape == other.kernel.shape:
        other.kernel[...] = one.kernel[...]


def _add(residual: jax.Array, identity: jax.Array) -> jax.Array:
    """F(x) + shortcut, or InputError where their shapes differ."""
    shapes = f"F(x) has shape {residual.shape} and the shortcut {identity.shape}"
    try:
        total = residual + identity
    except (TypeError, ValueError) as error:
        raise InputError(
            f"The addition does not run: {shapes}, and a sum needs equal shapes. JAX says: {error}"
        ) from error
    if residual.shape != identity.shape:
        raise InputError(
            f"The addition is no sum: {shapes}, and + would quietly spread the single channel over "
            "all; a sum needs equal shapes."
        )
    return total
