"""A network that users hold: its trace, its predictions, and a copy of its weights."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Self, get_args

import numpy as np
from flax import nnx

from explorer.engine.arrays import digest_of, frozen
from explorer.engine.forward import trace_chain
from explorer.engine.network_arrays import check_parts, parts_of_file
from explorer.engine.network_parts import (
    BATCH,
    MAX_STREAM_VALUES,
    batch_statistics,
    check_labels,
    padded,
    run_block,
    run_head,
)
from explorer.engine.network_size import stage_values
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
from explorer.model.network import FINAL, HEAD, NETWORK_VARIANTS, STEM, NetworkSpec, Parts
from explorer.model.network_weights import Initialiser, draw_network
from explorer.model.record import Record
from explorer.model.spec import BlockSpec
from explorer.model.torch_names import TORCHVISION, from_torch, to_torch
from explorer.model.variants import VARIANTS
from explorer.model.weight_file import NAMES, flatten, write_weights
from explorer.model.weights import Model
from explorer.records import NetworkTrace

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
    """A network that can be run: stem, blocks and head, and where their weights came from.

    Attributes:
        stem: the model of the layers before the first block; it has no shortcut.
        models: the model of every block by name, in order.
        final: the model of what follows the last block before the pooling; None without it.
        head: the linear map's "kernel" `(width, classes)` and "bias" `(classes,)`.
        provenance: where the weights came from; equal provenance means equal weights.
        settings: what is known of its training, in the types of JSON.
        uniform: the spec of a network whose blocks are all alike, as those that `train` makes;
            None for others. `spec` is the same, and raises InputError for others.
    """

    stem: Model
    models: Mapping[str, Model]
    final: Model | None
    head: Mapping[str, np.ndarray]
    provenance: Hashable
    settings: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    uniform: NetworkSpec | None = None

    @classmethod
    def from_parts(
        cls,
        spec: NetworkSpec,
        parameters: Parts,
        statistics: Parts,
        provenance: Hashable,
        settings: Mapping[str, Any] | None = None,
    ) -> Self:
        """Return the network of a spec and weights that fit it.

        Args:
            spec: its layers.
            parameters, statistics: read-only arrays by part, layer and variable, as in
                `parameters["block3"]["conv1"]["kernel"]`.
            provenance, settings: as in `Network`.
        """

        def model(name: str, block: BlockSpec, features: int) -> Model:
            origin = FromNetwork(provenance, name)
            own = parameters[name], statistics.get(name, {})
            return Model(block, features, *own, origin, spec.batch_norm)

        return cls(
            model(STEM, spec.stem, spec.channels),
            MappingProxyType({name: model(name, spec.block, spec.width) for name in spec.names}),
            model(FINAL, spec.final, spec.width) if spec.final else None,
            parameters[HEAD],
            provenance,
            settings or MappingProxyType({}),
            spec,
        )

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
        return cls.from_parts(spec, parameters, statistics, ("seed", checked, initialiser))

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
            parameters, statistics: arrays by part, layer and variable, as for `from_parts`.
            batch_norm: "epsilon" and "momentum" of all BatchNorms; those of `NetworkSpec` by
                default.
            settings: what is known of the training, in the types of JSON.

        Raises:
            InputError: a part or an array is missing, unknown, or of the wrong shape.
        """
        own = {} if settings is None else settings
        if not isinstance(own, Mapping):
            raise InputError(f"settings must be a dict, got {describe(own)}.")
        spec, trained, running = check_parts(block, parameters, statistics, batch_norm)
        provenance = "weights", digest_of((trained, running))
        return cls.from_parts(spec, trained, running, provenance, MappingProxyType(dict(own)))

    @classmethod
    def from_file(cls, arrays: Mapping[str, np.ndarray], settings: Mapping[str, Any]) -> Self:
        """Return the network of a file's arrays and settings.

        Args:
            arrays: with the names of `save`, if the settings tell so, else with those of `arrays`.
            settings: as `file_settings` returns them.

        Raises:
            InputError: they are not of a network.
        """
        if NAMES in settings:
            check_choice("The file's names", settings[NAMES], (TORCHVISION,))
            arrays = from_torch(arrays)
        variant = check_choice("The file's variant", settings.get("variant"), NETWORK_VARIANTS)
        norm, own = settings.get("batch_norm", {}), settings.get("settings", {})
        return cls.from_arrays(
            VARIANTS[variant], *parts_of_file(arrays), batch_norm=norm, settings=own
        )

    def save(self, path: Any) -> None:
        """Write weights, running statistics and settings to a safetensors file.

        The file has torchvision's names and layout, so that PyTorch reads it: the stem is "conv1"
        and "bn1", block k is "layer1.{k − 1}", the final norm, if there is one, "bn2", and the
        head "fc". The settings are JSON in the metadata. `load_checkpoint` returns a network with
        the same bits.

        Args:
            path: the file to write.

        Raises:
            InputError: the file cannot be written, or the blocks are of no variant of
                `NETWORK_VARIANTS`.
        """
        settings = {NAMES: TORCHVISION, **self.file_settings()}
        write_weights(path, to_torch(self.arrays), settings)

    @property
    def parameters(self) -> Parts:
        """The trained arrays by part, layer and variable, as for `from_parts`."""
        return {name: model.parameters for name, model in self._parts.items()} | {HEAD: self.head}

    @property
    def statistics(self) -> Parts:
        """The running statistics by part, layer and variable."""
        parts = self._parts.items()
        return {name: model.statistics for name, model in parts if model.statistics}

    @property
    def _parts(self) -> dict[str, Model]:
        final = {FINAL: self.final} if self.final else {}
        return {STEM: self.stem, **self.models, **final}

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """All arrays by name, as in "block3.conv1.kernel"."""
        return flatten(self.parameters) | flatten(self.statistics)

    def file_settings(self) -> dict[str, Any]:
        """Return what a file says of the network besides its arrays."""
        norm = self.spec.batch_norm
        # The name is that of the file it was read from.
        own = {name: value for name, value in self.settings.items() if name != "name"}
        return {
            "variant": self.variant,
            "batch_norm": {"epsilon": norm.epsilon, "momentum": norm.momentum},
            "settings": own,
        }

    @property
    def spec(self) -> NetworkSpec:
        """The layers; InputError if the blocks are not all alike."""
        if self.uniform is None:
            raise InputError(
                "This needs a network whose blocks are all alike, as those that train makes; a "
                "checkpoint with several stages has other shapes in each."
            )
        return self.uniform

    @property
    def variant(self) -> str:
        """The name of the variant of its blocks."""
        block = self.spec.block
        for name in NETWORK_VARIANTS:
            if VARIANTS[name].key == block.key:
                return name
        raise InputError(
            f"“{block.title}” is not a variant of networks; those are "
            f"{', '.join(NETWORK_VARIANTS)}."
        )

    @property
    def blocks(self) -> tuple[str, ...]:
        """The names of the blocks, in order."""
        return tuple(self.models)

    @property
    def channels(self) -> int:
        """Channels of a picture."""
        return self.stem.features

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self.head["bias"])

    def check_images(self, images: Any, *axes: int) -> np.ndarray:
        """Return pictures as float32.

        Raises:
            InputError: they are no pictures that the network accepts.
        """
        array = check_array("images", images, *axes)
        if array.shape[-1] != self.channels:
            raise InputError(
                f"images must have {self.channels} channels in the last axis, as the "
                f"network, got shape {array.shape}."
            )
        with np.errstate(over="ignore"):
            found = np.asarray(array, np.float32)
        values = int(np.prod(found.shape[:-3])) * self._stream_values(*found.shape[-3:-1])
        if values > MAX_STREAM_VALUES:
            raise InputError(
                f"The residual stream would have {values:,} values; the limit is "
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
        pictures = given.copy()  # JAX may alias it, and the caller may write to `images`
        pictures.setflags(write=False)
        stem, *blocks = trace_chain((self.stem, *self.models.values()), pictures, in_eval)
        traces = dict(zip(self.models, blocks, strict=True))
        streams = {STEM: stem["out"]} | {name: each["out"] for name, each in traces.items()}
        lens = {
            name: frozen(run_head(self.final, self.head, stream, in_eval))
            for name, stream in streams.items()
            if stream.shape[-1] == len(self.head["kernel"])
        }
        return NetworkTrace(
            images=pictures,
            stem=stem,
            blocks=MappingProxyType(traces),
            lens=MappingProxyType(lens),
            use_running_average=in_eval,
        )

    def most_traced(self, height: int, width: int) -> int:
        """Return how many pictures of this size `trace` accepts at once."""
        return MAX_TRACE_VALUES // max(self._traced_values(height, width), 1)

    def most_calibrated(self, height: int, width: int) -> int:
        """Return how many pictures of this size `recalibrated` accepts."""
        return MAX_STREAM_VALUES // self._stream_values(height, width)

    def _stream_values(self, height: int, width: int) -> int:
        """Return the largest number of values of the residual stream, for one picture."""
        return max(each["out"] for each in self._values(height, width))

    def _traced_values(self, height: int, width: int) -> int:
        return sum(sum(each.values()) for each in self._values(height, width)[1:])

    def _values(self, height: int, width: int) -> list[dict[str, int]]:
        return list(stage_values((self.stem, *self.models.values()), height, width))

    def _check_trace_size(self, shape: tuple[int, ...]) -> None:
        values = int(np.prod(shape[:-3])) * self._traced_values(*shape[-3:-1])
        if values > MAX_TRACE_VALUES:
            raise InputError(
                f"The trace would have {values:,} values; the limit is {MAX_TRACE_VALUES:,}. Pass "
                "fewer or smaller pictures."
            )

    def batch_size(self, shape: tuple[int, ...]) -> int:
        """Return how many pictures `(…, H, W, channels)` are run at once in eval mode.

        It is `BATCH`, whatever their number, so that one compiled program serves all; fewer if
        they are large.
        """
        values = self._stream_values(*shape[-3:-1])
        return max(1, min(BATCH, MAX_STREAM_VALUES // values))

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
        size = self.batch_size(array.shape)
        parts = [
            self._logits(padded(self.check_images(array[start : start + size], 4), size), names)
            for start in range(0, len(array), size)
        ]
        return frozen(np.concatenate(parts)[: len(array)])

    def _logits(self, images: np.ndarray, names: Sequence[str]) -> np.ndarray:
        h = run_block(self.stem, images)
        for name in names:
            h = run_block(self.models[name], h)
        return np.asarray(run_head(self.final, self.head, h, True))

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
        return Network.from_parts(self.spec, self.parameters, statistics, provenance, self.settings)
