"""A block as data: `out = after(shortcut(x) + branch(x))`, each a list of named layers."""

from dataclasses import dataclass, replace
from typing import Any

from explorer.errors import InputError, check_flag, check_type, describe
from explorer.model.layers import BatchNorm, Layer, ReLU, Scale

Layers = tuple[tuple[str, Layer], ...]


@dataclass(frozen=True)
class Grid:
    """Position of a stage's pixels on x.

    Row n covers the `stride` rows of x from `offset + stride · n`; likewise its columns.
    """

    offset: int = 0
    stride: int = 1

    def to_x(self, index: Any) -> Any:
        """Return the first row or column of x that a stage's row or column covers."""
        return self.offset + self.stride * index

    def to_stage(self, index: Any) -> Any:
        """Return the stage's row or column that covers a row or column of x.

        It may lie outside the stage.
        """
        return (index - self.offset) // self.stride


@dataclass(frozen=True)
class BlockSpec:
    """The layers of a block.

    Attributes:
        title: its name in words.
        description: one or two sentences on what it shows.
        source: paper and section, with the published result if there is one.
        branch, after: named layers, in order; F(x) is the branch's last stage.
        shortcut: likewise; empty for the identity, None for no shortcut and no sum.
        always_eval: whether it runs in eval mode regardless of the mode asked for.
    """

    title: str
    description: str
    source: str
    branch: Layers
    shortcut: Layers | None = ()
    after: Layers = (("out", ReLU()),)
    always_eval: bool = False

    def __post_init__(self) -> None:
        for name in ("title", "description", "source"):
            check_type(name, getattr(self, name), str)
        _check_layers("branch", self.branch)
        if not self.branch:
            raise InputError("branch must have at least one layer, got none.")
        if self.shortcut is not None:
            _check_layers("shortcut", self.shortcut)
        _check_layers("after", self.after)
        check_flag("always_eval", self.always_eval)

    @property
    def residual(self) -> str:
        """The stage that is F(x)."""
        return self.branch[-1][0]

    @property
    def identity(self) -> str | None:
        """The stage that F(x) is added to: x, or the shortcut's last; None without a sum."""
        if self.shortcut is None:
            return None
        return self.shortcut[-1][0] if self.shortcut else "x"

    @property
    def last_relu_input(self) -> str | None:
        """The input of the last ReLU; None if the last layer is not a ReLU."""
        is_relu = bool(self.after) and isinstance(self.after[-1][1], ReLU)
        return self.inputs()[self.after[-1][0]] if is_relu else None

    def sources(self) -> dict[str, tuple[str, ...]]:
        """Return, for every stage but x, the stages it is computed from, in dataflow order."""
        found: dict[str, tuple[str, ...]] = {}

        def chain(layers: Layers, source: str) -> str:
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
        """Return, for every layer's stage, the stage that it is computed from."""
        layers = self.layers()
        return {name: sources[0] for name, sources in self.sources().items() if name in layers}

    def stages(self) -> tuple[str, ...]:
        """Return the names of all stages, in dataflow order, from "x" to "out"."""
        return ("x", *self.sources())

    def layers(self) -> dict[str, Layer]:
        """Return every layer by its stage's name."""
        return dict((*self.branch, *(self.shortcut or ()), *self.after))

    def norms(self) -> list[str]:
        """Return the stages that are BatchNorms."""
        return [name for name, layer in self.layers().items() if isinstance(layer, BatchNorm)]

    @property
    def relus(self) -> int:
        """The number of ReLUs that a signal passes on its way through the branch."""
        return sum(isinstance(layer, ReLU) for _, layer in (*self.branch, *self.after))

    def grids(self) -> dict[str, Grid]:
        """Return the `Grid` of every stage."""
        found = {"x": Grid()}

        def lay(layers: Layers, at: Grid) -> Grid:
            for name, layer in layers:
                at = found[name] = Grid(at.to_x(layer.margin), at.stride * layer.stride)
            return at

        end = lay(self.branch, found["x"])
        if self.shortcut is not None:
            lay(self.shortcut, found["x"])
            found["add"] = end
        found["out"] = lay(self.after, end)
        return {stage: found[stage] for stage in self.stages()}

    def widths(self, features: int) -> dict[str, int]:
        """Return the channels of every stage, in a block of `features` channels."""
        found, layers = {"x": features}, self.layers()
        for stage, sources in self.sources().items():
            width = found[sources[0]]
            found[stage] = layers[stage].width(width, features) if stage in layers else width
        return found

    def constants(self) -> dict[str, dict[str, float]]:
        """Return the layers' constants by stage; compiled programs take them as arguments."""
        return {
            name: constants
            for name, layer in self.layers().items()
            if (constants := layer.constants())
        }

    def set_constants(self) -> set[tuple[str, str]]:
        """Return stage and variable of each constant that is no default, or is not trained."""
        found = set()
        for name, layer in self.layers().items():
            usual = layer.with_default_constants().constants()
            for variable, value in layer.constants().items():
                if isinstance(layer, Scale) or value != usual[variable]:
                    found.add((name, variable))
        return found

    def structure(self) -> "BlockSpec":
        """Return the spec without texts and constants; compiled programs depend only on it."""

        def with_default_constants(layers: Layers) -> Layers:
            return tuple((name, layer.with_default_constants()) for name, layer in layers)

        shortcut = None if self.shortcut is None else with_default_constants(self.shortcut)
        branch, after = with_default_constants(self.branch), with_default_constants(self.after)
        return BlockSpec("", "", "", branch, shortcut, after)

    def without_shortcut(self) -> "BlockSpec":
        """Return the same branch without the shortcut and the sum, as in a plain network."""
        return replace(self, shortcut=None, title=f"{self.title}, no skip")

    @property
    def key(self) -> str:
        """A key of the spec's computation; texts are not part of it."""
        return repr(replace(self, title="", description="", source=""))


def _check_layers(name: str, layers: Any) -> None:
    """Raise InputError unless `layers` is a tuple of pairs of a name and a layer."""
    if not isinstance(layers, tuple) or not all(_is_named_layer(each) for each in layers):
        raise InputError(
            f"{name} must be a tuple of pairs of a name and a layer, got {describe(layers)}."
        )


def _is_named_layer(pair: Any) -> bool:
    is_pair = isinstance(pair, tuple) and len(pair) == 2
    return is_pair and isinstance(pair[0], str) and hasattr(pair[1], "apply")
