"""Programs that are compiled before somebody needs them, in the background.

Python aborts if it exits during a compilation, so these threads are not daemons: the process waits
for the compilation in progress, and the remaining ones are skipped.
"""

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


class _Ended(Exception):
    """The process ends."""


def _check_process(ahead: int = 0) -> None:
    """Raise `_Ended` if the main thread has ended; `ahead`, from the limiter, is not used."""
    if not threading.main_thread().is_alive():
        raise _Ended


def _in_background(work: Callable[[], None]) -> None:
    def run() -> None:
        with suppress(_Ended):
            work()

    if runtime.exists():
        threading.Thread(target=run, name="compile ahead", daemon=False).start()


def _compile_variants() -> None:
    shape = default_shape(DEFAULT_INPUT)
    x = standardise(generate(DEFAULT_INPUT, *shape))
    for variant in VARIANTS:
        _check_process()
        # One variant does not run, as its page says.
        with training_turn(_check_process), suppress(InputError):
            trace_block(0, x, shape[2], variant=variant)


def _compile_networks() -> None:
    dataset = digits()
    for variant in ("v1", "no_skip"):
        _check_process()
        with training_turn(_check_process):
            trainer = Trainer(dataset, TrainingSettings(variant=variant))
            trainer.step()
            trainer.network().accuracy(dataset.test_images, dataset.test_labels)
    # As in the server's warm-up: what was imported and compiled stays, so that collecting
    # garbage after each rerun need not look at it.
    gc.collect()
    gc.freeze()
