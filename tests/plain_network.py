"""Networks in plain NNX, written out for every variant; nothing is imported from the explorer."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

MOMENTUM = 0.9
LECUN = nnx.initializers.lecun_normal()


class Stem(nnx.Module):
    def __init__(self, channels: int, width: int, rngs: nnx.Rngs) -> None:
        self.conv = nnx.Conv(channels, width, kernel_size=(3, 3), rngs=rngs)
        self.bn = nnx.BatchNorm(width, momentum=MOMENTUM, rngs=rngs)

    def __call__(self, x: jax.Array, in_eval: bool) -> jax.Array:
        return nnx.relu(self.bn(self.conv(x), use_running_average=in_eval))


class Final(nnx.Module):
    def __init__(self, width: int, rngs: nnx.Rngs) -> None:
        self.bn = nnx.BatchNorm(width, momentum=MOMENTUM, rngs=rngs)


class PlainBlock(nnx.Module):
    def __init__(
        self,
        variant: str,
        width: int,
        rngs: nnx.Rngs,
        kernel_init: Callable[..., Any] = LECUN,
    ) -> None:
        def conv() -> nnx.Conv:
            return nnx.Conv(width, width, kernel_size=(3, 3), kernel_init=kernel_init, rngs=rngs)

        self.variant = variant
        self.conv1 = conv()
        if variant != "no_bn":
            self.bn1 = nnx.BatchNorm(width, momentum=MOMENTUM, rngs=rngs)
        self.conv2 = conv()
        if variant != "no_bn":
            self.bn2 = nnx.BatchNorm(width, momentum=MOMENTUM, rngs=rngs)

    def stages(self, x: jax.Array, in_eval: bool) -> dict[str, jax.Array]:
        s = {"x": x}
        if self.variant == "full_preact":
            s["bn1"] = self.bn1(x, use_running_average=in_eval)
            s["relu1"] = nnx.relu(s["bn1"])
            s["conv1"] = self.conv1(s["relu1"])
            s["bn2"] = self.bn2(s["conv1"], use_running_average=in_eval)
            s["relu2"] = nnx.relu(s["bn2"])
            s["conv2"] = self.conv2(s["relu2"])
            s["add"] = s["out"] = s["conv2"] + x
            return s
        s["conv1"] = self.conv1(x)
        if self.variant == "no_bn":
            s["relu1"] = nnx.relu(s["conv1"])
            s["conv2"] = self.conv2(s["relu1"])
            s["add"] = s["conv2"] + x
            s["out"] = nnx.relu(s["add"])
            return s
        s["bn1"] = self.bn1(s["conv1"], use_running_average=in_eval)
        s["relu1"] = nnx.relu(s["bn1"])
        s["conv2"] = self.conv2(s["relu1"])
        s["bn2"] = self.bn2(s["conv2"], use_running_average=in_eval)
        match self.variant:
            case "v1" | "zero_gamma":
                s["add"] = s["bn2"] + x
                s["out"] = nnx.relu(s["add"])
            case "no_skip":
                s["out"] = nnx.relu(s["bn2"])
            case "relu_before_add":
                s["relu2"] = nnx.relu(s["bn2"])
                s["add"] = s["out"] = s["relu2"] + x
            case "scaled_skip":
                s["scaled_f"] = 0.5 * s["bn2"]
                s["scaled_x"] = 0.5 * x
                s["add"] = s["scaled_f"] + s["scaled_x"]
                s["out"] = nnx.relu(s["add"])
            case _:
                raise AssertionError(self.variant)
        return s


class PlainNetwork(nnx.Module):
    def __init__(
        self,
        variant: str = "v1",
        blocks: int = 2,
        width: int = 4,
        channels: int = 2,
        classes: int = 3,
        seed: int = 0,
    ) -> None:
        rngs = nnx.Rngs(seed)
        self.count = blocks
        self.stem = Stem(channels, width, rngs)
        for index in range(blocks):
            setattr(self, f"block{index + 1}", PlainBlock(variant, width, rngs))
        if variant in ("relu_before_add", "full_preact"):
            self.final = Final(width, rngs)
        self.head = nnx.Linear(width, classes, rngs=rngs)

    def logits(self, h: jax.Array, in_eval: bool) -> jax.Array:
        if hasattr(self, "final"):
            h = nnx.relu(self.final.bn(h, use_running_average=in_eval))
        return self.head(h.mean(axis=(-3, -2)))

    def run(
        self, images: Any, in_eval: bool, order: list[int] | None = None
    ) -> tuple[jax.Array, list[dict[str, jax.Array]], jax.Array]:
        """Return the stem's output, the stages of every block that is run, and the logits."""
        stem = h = self.stem(jnp.asarray(images), in_eval)
        found = []
        for number in order or range(1, self.count + 1):
            found.append(getattr(self, f"block{number}").stages(h, in_eval))
            h = found[-1]["out"]
        return stem, found, self.logits(h, in_eval)

    def set(self, *weights: Mapping[str, Any]) -> "PlainNetwork":
        """Set all weights from nested dicts by part, layer and variable."""
        for arrays in weights:
            _set(self, arrays)
        return self

    def loss(self, images: Any, labels: Any) -> jax.Array:
        """Return the mean cross-entropy in train mode."""
        logits = self.run(images, False)[2]
        chosen = jax.nn.log_softmax(logits)[jnp.arange(len(labels)), jnp.asarray(labels)]
        return -chosen.mean()


def gradients(network: PlainNetwork, images: Any, labels: Any) -> tuple[float, dict[str, Any]]:
    """Return loss and gradient by `nnx.value_and_grad`, which moves the running statistics."""
    loss, found = nnx.value_and_grad(lambda own: own.loss(images, labels))(network)
    return float(loss), nnx.to_pure_dict(found)


def train_plain(
    network: PlainNetwork, images: Any, labels: Any, steps: int, rate: float, optimiser: str = "sgd"
) -> Iterator[tuple[float, dict[str, Any]]]:
    """Train on one batch with optax's own optimisers; yield loss and gradient of every step."""
    schedule = optax.cosine_decay_schedule(rate, steps)
    rule = optax.sgd(schedule, momentum=0.9) if optimiser == "sgd" else optax.adam(schedule)
    chain = optax.chain(optax.add_decayed_weights(1e-4), rule)
    state = nnx.Optimizer(network, chain, wrt=nnx.Param)
    for _ in range(steps):
        loss, found = nnx.value_and_grad(lambda own: own.loss(images, labels))(network)
        state.update(network, found)
        yield float(loss), nnx.to_pure_dict(found)


def weights_of(network: nnx.Module) -> dict[str, np.ndarray]:
    """Return parameters and running statistics by their names joined by dots."""
    state = nnx.to_flat_state(nnx.state(network, nnx.Any(nnx.Param, nnx.BatchStat)))
    return {".".join(map(str, path)): np.asarray(leaf[...]) for path, leaf in state}


def randomise(network: PlainNetwork, seed: int = 0) -> PlainNetwork:
    """Change every weight and running statistic, so that none has its value at the start."""
    random = np.random.default_rng(seed)
    for path, leaf in nnx.to_flat_state(nnx.state(network, nnx.Any(nnx.Param, nnx.BatchStat))):
        noise = 0.1 * random.standard_normal(leaf.shape, dtype=np.float32)
        leaf[...] = leaf[...] + (abs(noise) if path[-1] == "var" else noise)
    return network


def _set(module: Any, arrays: Mapping[str, Any]) -> None:
    for name, value in arrays.items():
        if name in ("scaled_f", "scaled_x"):  # constants, here numbers in the code
            continue
        if isinstance(value, Mapping):
            _set(getattr(module, name), value)
        else:
            getattr(module, name)[...] = jnp.asarray(value)
