"""A network that users hold: its trace, its predictions, and a copy of its weights."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, Self, get_args

import numpy as np
from flax import nnx

from explorer.engine.arrays import check_arrays, digest_of, frozen
from explorer.engine.forward import trace_model
from explorer.engine.network_parts import (
    MAX_STREAM_VALUES,
    batch_size,
    batch_statistics,
    check_labels,
    padded,
    run_block,
    run_head,
    run_stem,
    without,
)
from explorer.engine.nnx_module import read_module
from explorer.errors import (
    InputError,
    check_array,
    check_choice,
    check_flag,
    check_type,
    describe,
)
from explorer.inputs.random_streams import check_seed
from explorer.model.network import (
    FINAL,
    HEAD,
    NETWORK_VARIANTS,
    STEM,
    NetworkSpec,
    Parts,
    shapes,
)
from explorer.model.network_weights import Initialiser, draw_network
from explorer.model.record import Record
from explorer.model.spec import BlockSpec
from explorer.model.variants import VARIANTS
from explorer.model.weight_file import flatten, nest, write_weights
from explorer.model.weights import Model
from explorer.records import BlockTrace, NetworkTrace

_STATISTICS = {"mean", "var"}  # the names of running statistics
MAX_TRACE_VALUES = 2**27  # of all stages of a trace: 512 MB


@dataclass(frozen=True)
class FromNetwork:
    """The provenance of a block's weights: the network, and the block's name in it."""

    network: Hashable
    block: str

    def __str__(self) -> str:
        return f"{self.block} of {self.network}"


@dataclass(frozen=True, eq=False)
class Network(Record):
    """A network that can be run: spec, weights and provenance.

    Attributes:
        spec: its layers.
        parameters, statistics: read-only arrays by part, layer and variable, as in
            `parameters["block3"]["conv1"]["kernel"]`.
        provenance: where the weights came from; equal provenance means equal weights.
        settings: what is known of its training, in the types of JSON.
    """

    spec: NetworkSpec
    parameters: Parts
    statistics: Parts
    provenance: Hashable
    settings: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def from_seed(
        cls,
        seed: float,
        spec: NetworkSpec,
        initialiser: Initialiser = "he",
    ) -> Self:
        """Return a network with fresh weights, as `draw_network` draws them.

        Args:
            seed: integer 0 … 2³²−1, fixes the weights.
            spec: the network's layers.
            initialiser: "he" (He et al. 2015b) or "lecun" (NNX's default), for the kernels of all
                convolutions.

        Raises:
            InputError: an argument is outside its documented range.
        """
        checked = check_seed(seed)
        check_type("spec", spec, NetworkSpec)
        check_choice("initialiser", initialiser, get_args(Initialiser))
        parameters, statistics = draw_network(spec, checked, initialiser)
        return cls(spec, parameters, statistics, ("seed", checked, initialiser))

    @classmethod
    def from_nnx(cls, module: nnx.Module, variant: str = "v1") -> Self:
        """Return the network of a user's NNX module.

        Args:
            module: a module with the attributes of `ResidualNetwork`: `stem` (with `conv` and
                `bn`), `block1`, `block2`, … with the layers of the variant, `final` (with `bn`)
                if the variant ends without a ReLU, and `head`. It is not changed.
            variant: the variant of its blocks.

        Raises:
            InputError: the module has other parts, shapes or settings of its layers.
        """
        block = VARIANTS[check_choice("variant", variant, NETWORK_VARIANTS)]
        parameters, statistics, batch_norm = read_module(module, block)
        return cls.from_arrays(block, parameters, statistics, batch_norm=batch_norm)

    @classmethod
    def from_arrays(
        cls,
        block: BlockSpec,
        parameters: Parts,
        statistics: Parts,
        *,
        batch_norm: Mapping[str, float] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> Self:
        """Return the network of these arrays, whose provenance is their digest.

        Args:
            block: the spec of every block.
            parameters, statistics: arrays by part, layer and variable, as in `Network`.
            batch_norm: "epsilon" and "momentum" of all BatchNorms; those of `NetworkSpec` by
                default.
            settings: what is known of the training, in the types of JSON.

        Raises:
            InputError: a part or an array is missing, unknown, or of the wrong shape.
        """
        if not isinstance(parameters, Mapping) or not isinstance(statistics, Mapping):
            raise InputError("Parameters and statistics must be nested dicts by part.")
        norm = {} if batch_norm is None else batch_norm
        if not isinstance(norm, Mapping) or not set(norm) <= {"epsilon", "momentum"}:
            raise InputError(f"batch_norm must have epsilon and momentum, got {describe(norm)}.")
        own = {} if settings is None else settings
        if not isinstance(own, Mapping):
            raise InputError(f"settings must be a dict, got {describe(own)}.")
        try:
            channels, width = np.shape(parameters[STEM]["conv"]["kernel"])[2:]
            classes = np.shape(parameters[HEAD]["kernel"])[1]
        except (KeyError, IndexError, ValueError, TypeError):
            raise InputError(
                "A network needs a stem with a 3×3 convolution and a linear head; got the parts "
                f"{describe(list(parameters))}."
            ) from None
        blocks = sum(name not in (STEM, FINAL, HEAD) for name in parameters)
        spec = NetworkSpec(block, blocks, width, channels, classes)
        spec = replace(spec, batch_norm=replace(spec.batch_norm, **norm))
        trained, running = check_arrays((parameters, statistics), shapes(spec.structure()))
        provenance = "weights", digest_of((trained, running))
        return cls(spec, trained, running, provenance, MappingProxyType(dict(own)))

    @classmethod
    def from_file(cls, arrays: Mapping[str, np.ndarray], settings: Mapping[str, Any]) -> Self:
        """Return the network of a file's arrays and settings, as `save` writes them.

        Raises:
            InputError: they are not of a network.
        """

        def part(is_statistic: bool) -> Parts:
            return nest(
                {
                    name: array
                    for name, array in arrays.items()
                    if (name.rpartition(".")[2] in _STATISTICS) == is_statistic
                }
            )

        variant = check_choice("The file's variant", settings.get("variant"), NETWORK_VARIANTS)
        norm, own = settings.get("batch_norm", {}), settings.get("settings", {})
        return cls.from_arrays(
            VARIANTS[variant], part(False), part(True), batch_norm=norm, settings=own
        )

    def save(self, path: Any) -> None:
        """Write weights, running statistics and settings to a safetensors file.

        `load_checkpoint` returns a network with the same bits.

        Args:
            path: the file to write.

        Raises:
            InputError: the file cannot be written, or the blocks are of no variant of
                `NETWORK_VARIANTS`.
        """
        write_weights(path, self.arrays, self.file_settings())

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """All arrays by name, as in "block3.conv1.kernel"."""
        return flatten(self.parameters) | flatten(self.statistics)

    def file_settings(self) -> dict[str, Any]:
        """Return what a file says of the network besides its arrays."""
        norm = self.spec.batch_norm
        return {
            "variant": self.variant,
            "batch_norm": {"epsilon": norm.epsilon, "momentum": norm.momentum},
            "settings": dict(self.settings),
        }

    @property
    def variant(self) -> str:
        """The name of the variant of its blocks."""
        for name in NETWORK_VARIANTS:
            if VARIANTS[name].key == self.spec.block.key:
                return name
        raise InputError(
            f"“{self.spec.block.title}” is not a variant of networks; those are "
            f"{', '.join(NETWORK_VARIANTS)}."
        )

    @property
    def blocks(self) -> tuple[str, ...]:
        """The names of the blocks, in order."""
        return self.spec.names

    @cached_property
    def models(self) -> Mapping[str, Model]:
        """The model of every block, by name."""
        return MappingProxyType({name: self._model(name) for name in self.blocks})

    def _model(self, name: str) -> Model:
        return Model(
            self.spec.block,
            self.spec.width,
            self.parameters[name],
            self.statistics.get(name, {}),
            FromNetwork(self.provenance, name),
            self.spec.batch_norm,
        )

    def check_images(self, images: Any, *axes: int) -> np.ndarray:
        """Return pictures as float32.

        Raises:
            InputError: they are no pictures that the network accepts.
        """
        array = check_array("images", images, *axes)
        if array.shape[-1] != self.spec.channels:
            raise InputError(
                f"images must have {self.spec.channels} channels in the last axis, as the "
                f"network, got shape {array.shape}."
            )
        with np.errstate(over="ignore"):
            found = np.asarray(array, np.float32)
        if (size := found.size // found.shape[-1] * self.spec.width) > MAX_STREAM_VALUES:
            raise InputError(
                f"The residual stream would have {size:,} values; the limit is "
                f"{MAX_STREAM_VALUES:,}. Pass fewer or smaller pictures."
            )
        return found

    def trace(self, images: Any, *, use_running_average: bool = True) -> NetworkTrace:
        """Run the network and return every stage of every block.

        Args:
            images: one picture `(H, W, channels)` or a batch `(N, H, W, channels)`, standardised
                as in training.
            use_running_average: True is eval mode. False is train mode, in which BatchNorm uses
                the statistics of these pictures.

        Raises:
            InputError: an argument is outside its documented range.
        """
        given = self.check_images(images, 3, 4)
        self._check_trace_size(given.shape)
        in_eval = check_flag("use_running_average", use_running_average)
        ends = self.spec.ends(), *self.ends
        h = np.asarray(run_stem(*ends, given, in_eval))
        streams = {STEM: h}
        traces: dict[str, BlockTrace] = {}
        for name, model in self.models.items():
            traces[name] = trace_model(model, h, use_running_average=in_eval)
            streams[name] = h = traces[name]["out"]
        lens = [run_head(*ends, stream, in_eval) for stream in streams.values()]
        return NetworkTrace(
            images=frozen(given),
            blocks=MappingProxyType(traces),
            stream=MappingProxyType({name: frozen(each) for name, each in streams.items()}),
            lens=frozen(np.stack(lens)),
            use_running_average=in_eval,
        )

    def _check_trace_size(self, shape: tuple[int, ...]) -> None:
        spec, pixels = self.spec, int(np.prod(shape[:-1]))
        values = pixels * sum(spec.block.widths(spec.width).values()) * spec.blocks
        if values > MAX_TRACE_VALUES:
            raise InputError(
                f"The trace would have {values:,} values; the limit is {MAX_TRACE_VALUES:,}. Pass "
                "fewer or smaller pictures."
            )

    def logits(self, images: Any, order: Sequence[str] | None = None) -> np.ndarray:
        """Return the logits `(N, classes)` of pictures `(N, H, W, channels)`, in eval mode.

        Args:
            images: the pictures, standardised as in training.
            order: the blocks to run, by name; all in order by default. A block may be left out
                or be at another place.

        Raises:
            InputError: an argument is outside its documented range.
        """
        names = self.blocks if order is None else order
        if not isinstance(names, list | tuple):
            raise InputError(f"order must be a list of names of blocks, got {describe(order)}.")
        for name in names:
            check_choice("order", name, self.blocks)
        array = check_array("images", images, 4)
        size = batch_size(self.spec, array.shape)
        parts = [
            self._logits(padded(self.check_images(array[start : start + size], 4), size), names)
            for start in range(0, len(array), size)
        ]
        return frozen(np.concatenate(parts)[: len(array)])

    def _logits(self, images: np.ndarray, names: Sequence[str]) -> np.ndarray:
        structure, ends = self.spec.block_structure(), (self.spec.ends(), *self.ends)
        h = run_stem(*ends, images, True)
        for name in names:
            model = self.models[name]
            h = run_block(structure, model.parameters, model.statistics, h)
        return np.asarray(run_head(*ends, h, True))

    def predict(self, images: Any) -> np.ndarray:
        """Return the class `(N,)` of each picture, in eval mode; arguments as for `logits`."""
        return frozen(np.argmax(self.logits(images), axis=-1))

    def accuracy(self, images: Any, labels: Any) -> float:
        """Return the fraction of pictures whose predicted class is their label, in eval mode.

        Args:
            images: `(N, H, W, channels)`, standardised as in training.
            labels: `(N,)` integers, the classes.

        Raises:
            InputError: an argument is outside its documented range.
        """
        predicted = self.predict(images)
        return float(np.mean(predicted == check_labels(labels, len(predicted))))

    def recalibrated(self, images: Any) -> "Network":
        """Return the network with these pictures' statistics as its running statistics.

        Every BatchNorm gets the mean and variance that it sees when the pictures pass in train
        mode, in one batch.

        Args:
            images: `(N, H, W, channels)`, as a rule the training pictures.

        Raises:
            InputError: an argument is outside its documented range.
        """
        given = self.check_images(images, 4)
        # With momentum 0 a pass in train mode leaves the batch's own statistics.
        immediate = replace(self.spec.batch_norm, momentum=0.0)
        spec = replace(self.spec.structure(), batch_norm=immediate)
        statistics = frozen(batch_statistics(spec, self.parameters, self.statistics, given))
        provenance = ("recalibrated", self.provenance, digest_of(statistics))
        return replace(self, statistics=statistics, provenance=provenance)

    @property
    def ends(self) -> tuple[Parts, Parts]:
        """Parameters and statistics of all parts but the blocks."""
        return without(self.parameters, self.blocks), without(self.statistics, self.blocks)
