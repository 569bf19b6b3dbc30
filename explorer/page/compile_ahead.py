"""Programs that are compiled before somebody needs them, in the background."""

import gc
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache

from streamlit import runtime

from explorer.data import digits
from explorer.engine.forward import trace_block
from explorer.engine.training import Trainer
from explorer.engine.training_settings import TrainingSettings
from explorer.errors import InputError
from explorer.inputs import generate, standardise
from explorer.model.variants import VARIANTS
from explorer.page.experiment import DEFAULT_INPUT, default_shape
from explorer.page.trainings import training_turn


@cache
def compile_default_networks() -> None:
    """Compile the programs of the default networks in the background, once per server.

    Then the first step after a click on Train need not wait for them.
    """
    _in_background(_compile_networks)


@cache
def compile_variants() -> None:
    """Compile the variants on the default input in the background, once per server.

    Then the first figure after a choice need not wait for them.
    """
    _in_background(_compile_variants)


def _in_background(work: Callable[[], None]) -> None:
    if runtime.exists():
        threading.Thread(target=work, name="compile ahead", daemon=True).start()


def _compile_variants() -> None:
    shape = default_shape(DEFAULT_INPUT)
    x = standardise(generate(DEFAULT_INPUT, *shape))
    for variant in VARIANTS:
        with training_turn(), suppress(InputError):  # one variant does not run, as its page says
            trace_block(0, x, shape[2], variant=variant)


def _compile_networks() -> None:
    dataset = digits()
    for variant in ("v1", "no_skip"):
        with training_turn():
            trainer = Trainer(dataset, TrainingSettings(variant=variant))
            trainer.step()
            trainer.network().accuracy(dataset.test_images, dataset.test_labels)
    # As in the server's warm-up: what was imported and compiled stays, so that collecting
    # garbage after each rerun need not look at it.
    gc.collect()
    gc.freeze()
