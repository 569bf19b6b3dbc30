"""The programs of the default networks, compiled before somebody trains them."""

import gc
import threading
from functools import cache

from streamlit import runtime

from explorer.data import digits
from explorer.engine.training import Trainer
from explorer.engine.training_settings import TrainingSettings
from explorer.page.trainings import training_turn


@cache
def compile_default_networks() -> None:
    """Compile the programs of the default networks in the background, once per server.

    Then the first step after a click on Train need not wait for them.
    """
    if runtime.exists():
        threading.Thread(target=_compile, name="compile ahead", daemon=True).start()


def _compile() -> None:
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
