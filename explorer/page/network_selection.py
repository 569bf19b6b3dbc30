"""The controls of a trained network: which one, at which step, on which picture."""

from collections.abc import Hashable
from dataclasses import dataclass
from functools import partial

import numpy as np
import streamlit as st

from explorer.analysis.classification import misclassified
from explorer.engine.network import Network
from explorer.engine.training_run import TrainingRun
from explorer.inputs import decode_upload
from explorer.inputs.resize import resize_picture
from explorer.page.bar import Bar
from explorer.page.cache import get_or_compute
from explorer.page.controls import integer_input, option_slider, segmented_choice, select, toggle
from explorer.page.experiment import Experiment
from explorer.page.input_source import file_uploader
from explorer.page.network_controls import TITLES
from explorer.page.runs import find_runs
from explorer.page.trainings import Pair
from explorer.records import NetworkTrace

BATCH = 128  # pictures whose statistics BatchNorm uses in train mode


@dataclass(frozen=True)
class Picture:
    """A picture that a network runs on, standardised as the training pictures."""

    pixels: np.ndarray
    key: tuple[Hashable, ...]
    title: str
    label: int | None = None
    private: bool = False


@dataclass(frozen=True)
class Selection:
    """A trained network at a step, and a picture."""

    pair: Pair
    runs: tuple[TrainingRun, ...]
    which: int
    step: int
    picture: Picture
    in_eval: bool

    @property
    def run(self) -> TrainingRun:
        """The training of the network."""
        return self.runs[self.which]

    @property
    def network(self) -> Network:
        """The network at the selected step."""
        return self.run.at(self.step)

    @property
    def private(self) -> bool:
        """Whether results depend on what this user uploaded."""
        return self.pair.private or self.picture.private

    @property
    def title(self) -> str:
        """The network in words."""
        kind = TITLES[self.run.settings.variant]
        blocks = self.run.settings.blocks
        count = "1 block" if blocks == 1 else f"{blocks} blocks"
        return f"{kind}, {count}, after step {self.step}"

    @property
    def trace_key(self) -> tuple[Hashable, ...]:
        """A key of the trace."""
        return self.network.provenance, self.pair.dataset.key, self.picture.key, self.in_eval

    def trace(self) -> NetworkTrace:
        """Return the trace of the network, of the whole batch in train mode."""
        return get_or_compute(
            ("network trace", *self.trace_key),
            partial(self.network.trace, self._images(), use_running_average=self.in_eval),
            private=self.private,
            placeholder=st.empty(),
            message="Running the network",
            is_quick=True,
        )

    def single_trace(self) -> NetworkTrace:
        """Return the trace of the picture alone; in train mode, with the batch's statistics."""
        return self.trace() if self.in_eval else self.trace().image(0)

    def _images(self) -> np.ndarray:
        if self.in_eval:
            return self.picture.pixels
        others = self.pair.dataset.train_images[: self._others]
        return np.concatenate([self.picture.pixels[None], others])

    @property
    def _others(self) -> int:
        """Number of training pictures beside the picture in train mode."""
        dataset = self.pair.dataset
        most = self.network.most_traced(*dataset.shape[:2])
        return max(min(BATCH, most, len(dataset.train_images) + 1) - 1, 0)

    def experiment(self, block: str) -> Experiment:
        """Return the experiment of one block, on the residual stream that reaches it."""
        trace = self.trace()
        x, stem = trace[block]["x"], trace.stream["stem"]
        source = f"The input is the residual stream that reaches {block}: {self.picture.title}."
        if not self.in_eval:
            source += (
                f" BatchNorm uses the values of this picture and of {self._others} training "
                "pictures."
            )
        return Experiment(
            input_key=("stream", self.network.provenance, self.picture.key, block, self.in_eval),
            load=lambda: x,
            private=self.private,
            notes=(f"The weights are those of {block} in the network “{self.title}”. {source}",),
            seed=self.run.settings.seed,
            features=self.network.models[block].features,
            use_running_average=self.in_eval,
            warmup_passes=0,
            image=None if self.in_eval else 0,
            block=self.network.models[block],
            network=self.network,
            stem=stem if self.in_eval else stem[0],
        )


def network_selection(pair: Pair, bar: Bar) -> Selection | None:
    """Draw the controls; return what they select, or None if the pair is not trained.

    Raises:
        InputError: the user's picture cannot be read.
    """
    runs = find_runs(pair)
    if runs is None:
        return None
    with bar.experiment:
        which = int(
            segmented_choice(
                "Network",
                ("0", "1"),
                key="network",
                titles={str(i): TITLES[each.variant] for i, each in enumerate(pair.settings)},
            )
        )
        steps = runs[which].snapshots
        step = option_slider(
            "Step",
            steps,
            steps[-1],
            key="net_step",
            width=160,
            help="The steps at which the network was kept.",
        )
        # Of the last step, so that the order stays while the snapshots play.
        picture = _picture(pair, runs[which].network, bar)
        mode = segmented_choice(
            "Mode",
            ("eval", "train"),
            key="net_mode",
            help="Eval: BatchNorm uses the running statistics, as for the accuracy. Train: those "
            "of a batch of this picture and training pictures.",
        )
    return None if picture is None else Selection(pair, runs, which, step, picture, mode == "eval")


def select_block(network: Network) -> str:
    """Draw the list of blocks; return the one selected."""
    names = {name: name for name in network.blocks}
    return select("Block of the network", names, network.blocks[0], key="net_block")


def predictions(network: Network, pair: Pair) -> np.ndarray:
    """Return the predicted classes of the test pictures."""
    return get_or_compute(
        ("predictions", network.provenance, pair.dataset.key),
        lambda: network.predict(pair.dataset.test_images),
        private=pair.private,
        placeholder=st.empty(),
        message="Classifying the test pictures",
    )


def _picture(pair: Pair, network: Network, bar: Bar) -> Picture | None:
    """Draw the controls of the picture; return it, or None if a file is missing."""
    dataset = pair.dataset
    if segmented_choice("Picture", ("test", "own"), key="picture_from") == "own":
        return own_picture(pair)
    order = np.arange(len(dataset.test_labels))
    count = len(order)
    number = integer_input("Number of the picture", 0, count - 1, key="picture", width=190)
    with bar.more:
        is_wrong_first = toggle("Wrongly classified pictures first", key="wrong_first")
    if is_wrong_first:
        wrong = misclassified(dataset.test_labels, predictions(network, pair))
        order = np.concatenate([wrong, np.setdiff1d(order, wrong)])
        bar.below.caption(
            f"{len(wrong)} of {count} pictures are classified wrongly after the last step; they "
            "come first."
        )
    return dataset_picture(pair, int(order[number]))


def dataset_picture(pair: Pair, index: int) -> Picture:
    """Return a test picture, counted from 0."""
    dataset = pair.dataset
    label = int(dataset.test_labels[index])
    return Picture(
        dataset.test_images[index],
        (*dataset.key, "test", index),
        f"test picture {index}, class {dataset.classes[label]}",
        label,
    )


def own_picture(pair: Pair, label: str = "File", key: str = "file") -> Picture | None:
    """Draw the field for a picture; return it, or None without a file."""
    file = file_uploader(label, key)
    if file is None:
        return None
    data = file.getvalue()
    height, width, channels = pair.dataset.shape
    raw = resize_picture(decode_upload(file.name, data).array, height, width, channels)
    images = pair.dataset.train_images
    low, high = float(images.min()), float(images.max())
    span = float(raw.max() - raw.min()) or 1.0
    pixels = low + (raw - raw.min()) / span * (high - low)
    pixels = np.asarray(pixels, np.float32)
    pixels.setflags(write=False)
    return Picture(
        pixels,
        ("own picture", pixels.tobytes()),
        f"your picture, resized to {height}×{width} and scaled to the range of the data set",
        private=True,
    )
