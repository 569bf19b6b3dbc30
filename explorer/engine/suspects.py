"""The usual mistakes of a port, each as a change of a model or of how it is run."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from explorer.model.layers import Conv, Layer, PadChannels, ReLU
from explorer.model.other_padding import UnevenConv, UnevenMaxPool, UnpaddedMaxPool
from explorer.model.pooling import MaxPool
from explorer.model.spec import BlockSpec, Layers
from explorer.model.weights import Model

# ε of BatchNorm in Keras, PyTorch, timm's and TensorFlow's code, and others.
EPSILONS = (1e-3, 1e-5, 1e-6, 1e-4, 1e-8)


def _same(model: Model) -> Model:
    return model


@dataclass(frozen=True)
class Suspect:
    """A mistake that may explain a difference.

    Attributes:
        name: a short name.
        words: what the expected values would then be of, as a clause.
        change: returns a changed stem or block; the same object where it changes nothing.
        train: whether BatchNorm uses the statistics of the picture.
        reverse: whether the channels of the picture are reversed.
    """

    name: str
    words: str
    change: Callable[[Model], Model] = _same
    train: bool = False
    reverse: bool = False

    def affects(self, model: Model) -> bool:
        """Return whether a stem or block gives other values, the input being the same."""
        return self.train or self.change(model) is not model


def suspects() -> list[Suspect]:
    """Return the usual suspects; of those that fit equally well, the first one counts."""
    uneven = "pads as NNX’s and TensorFlow’s SAME, unevenly, instead of evenly on all sides"
    return [
        Suspect("BGR", "the picture’s channels are in reverse order (BGR)", reverse=True),
        *(_other_epsilon(value) for value in EPSILONS),
        Suspect(
            "train mode",
            "BatchNorm is in train mode, with the statistics of this picture",
            train=True,
        ),
        Suspect(
            "uneven padding",
            f"every convolution of stride 2 {uneven}",
            lambda model: _map_layers(model, _uneven_conv),
        ),
        Suspect(
            "uneven padding of the pooling",
            f"the max pooling {uneven}",
            lambda model: _map_layers(model, _uneven_pool),
        ),
        Suspect(
            "uneven padding everywhere",
            f"every convolution of stride 2 and the max pooling {uneven}",
            lambda model: _map_layers(model, lambda layer: _uneven_pool(_uneven_conv(layer))),
        ),
        Suspect("no max pooling", "the max pooling is absent", _without_pool),
        Suspect(
            "max pooling without padding",
            "the max pooling does not pad",
            lambda model: _map_layers(model, _unpadded_pool),
        ),
        Suspect("stride", "the stride is in another convolution of the branch", _move_stride),
        Suspect("zero channels", "the shortcut’s zero channels are elsewhere", _move_zeros),
        Suspect("no skip", "the shortcut is not added to F(x)", _without_skip),
        Suspect(
            "ReLU before the sum",
            "the ReLU is before the sum instead of after it",
            lambda model: _with_relu(model, after=False),
        ),
        Suspect(
            "ReLU before and after the sum",
            "a ReLU is before the sum too",
            lambda model: _with_relu(model, after=True),
        ),
        Suspect("no last ReLU", "no ReLU follows the sum", _without_last_relu),
    ]


def _other_epsilon(value: float) -> Suspect:
    def change(model: Model) -> Model:
        more = np.float32(value - model.batch_norm.epsilon)
        if not model.spec.norms() or not more:
            return model
        # In eval mode ε is only added to the variance; the compiled program stays the same.
        statistics = {
            norm: {**each, "var": each["var"] + more} for norm, each in model.statistics.items()
        }
        return replace(model, statistics=statistics)

    return Suspect(f"ε {value:g}", f"ε of BatchNorm is {value:g}", change)


def _without_skip(model: Model) -> Model:
    return model if model.spec.shortcut is None else model.without_shortcut()


def _with_relu(model: Model, after: bool) -> Model:
    spec = model.spec
    if spec.shortcut is None or spec.last_relu_input != "add":
        return model
    relu = f"relu_{spec.residual}", ReLU()
    return _with_spec(
        model, replace(spec, branch=(*spec.branch, relu), after=spec.after if after else ())
    )


def _without_last_relu(model: Model) -> Model:
    spec = model.spec
    if spec.shortcut is None or spec.last_relu_input != "add":
        return model
    return _with_spec(model, replace(spec, after=()))


def _move_stride(model: Model) -> Model:
    """Move the stride between the first two convolutions of a branch, if one of them has it."""
    convs = [(name, layer) for name, layer in model.spec.branch if isinstance(layer, Conv)]
    if model.spec.shortcut is None or len(convs) < 2 or convs[0][1].stride == convs[1][1].stride:
        return model
    (one, first), (other, second) = convs[:2]
    strides = {one: second.stride, other: first.stride}
    branch = tuple(
        (name, replace(layer, stride=strides[name]))
        if isinstance(layer, Conv) and name in strides
        else (name, layer)
        for name, layer in model.spec.branch
    )
    return _with_spec(model, replace(model.spec, branch=branch))


def _without_pool(model: Model) -> Model:
    after = model.spec.after
    if not after or not isinstance(after[-1][1], MaxPool):
        return model
    return _with_spec(model, replace(model.spec, after=after[:-1]))


def _move_zeros(model: Model) -> Model:
    def moved(layer: Layer) -> Layer:
        if not isinstance(layer, PadChannels):
            return layer
        return replace(layer, zeros="after" if layer.zeros == "around" else "around")

    return _map_layers(model, moved)


def _uneven_conv(layer: Layer) -> Layer:
    is_even = type(layer) is Conv and layer.padding == "SAME"
    return _as(UnevenConv, layer) if is_even and layer.stride > 1 and any(layer.reach) else layer


def _uneven_pool(layer: Layer) -> Layer:
    return _as(UnevenMaxPool, layer) if type(layer) is MaxPool else layer


def _unpadded_pool(layer: Layer) -> Layer:
    return _as(UnpaddedMaxPool, layer) if type(layer) is MaxPool else layer


def _as(kind: Any, layer: Any) -> Layer:
    found: Layer = kind(**{field.name: getattr(layer, field.name) for field in fields(layer)})
    return found


def _map_layers(model: Model, change: Callable[[Layer], Layer]) -> Model:
    def changed(layers: Layers) -> Layers:
        return tuple((name, change(layer)) for name, layer in layers)

    spec = model.spec
    shortcut = None if spec.shortcut is None else changed(spec.shortcut)
    new = replace(spec, branch=changed(spec.branch), shortcut=shortcut, after=changed(spec.after))
    return model if new.key == spec.key else _with_spec(model, new)


def _with_spec(model: Model, spec: BlockSpec) -> Model:
    return replace(model, spec=spec)
