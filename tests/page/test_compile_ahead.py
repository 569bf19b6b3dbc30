"""Programs are compiled once, before somebody needs them."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import jax
import pytest

from explorer.data import digits
from explorer.engine.training import Trainer
from explorer.engine.training_settings import TrainingSettings
from explorer.model.variants import VARIANTS
from explorer.page.compile_ahead import compile_default_networks, compile_variants
from tests.browser.server import ROOT
from tests.helpers import TIMEOUT, page

THREAD = "compile ahead"


def threads() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == THREAD]


def compilations() -> list[str]:
    """Return a list to which every later compilation is added."""
    found: list[str] = []

    def listen(event: str, duration_secs: float, **details: str | int) -> None:
        if "backend_compile" in event:
            found.append(event)

    jax.monitoring.register_event_duration_secs_listener(listen)
    return found


def test_the_first_choice_of_a_variant_compiles_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.page.compile_ahead.runtime.exists", lambda: True)
    compile_variants.cache_clear()
    compile_variants()
    (thread,) = threads()
    thread.join(TIMEOUT)
    compiled = compilations()
    at = page(view="what_if", variant="full_preact", input="landscape")
    assert not at.exception
    at = page(view="what_if", variant="bottleneck", input="landscape", seed="3")
    assert not at.exception
    assert compiled == []


def test_a_first_step_and_accuracy_compile_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.page.compile_ahead.runtime.exists", lambda: True)
    compile_default_networks.cache_clear()
    compile_default_networks()
    (thread,) = threads()
    compile_default_networks()
    assert threads() == [thread]
    thread.join(TIMEOUT)
    compiled = compilations()
    dataset = digits()
    for variant in ("v1", "no_skip"):
        trainer = Trainer(dataset, TrainingSettings(variant=variant, seed=5))
        trainer.step()
        trainer.network().accuracy(dataset.test_images, dataset.test_labels)
    assert compiled == []
    Trainer(dataset, TrainingSettings(blocks=1, width=5))
    assert compiled  # the listener works


def test_a_process_that_ends_during_a_compilation_does_not_abort(tmp_path: Path) -> None:
    """It waits for the compilation that runs, and leaves out the others."""
    code = """
import threading
from explorer.page import compile_ahead
compile_ahead.runtime.exists = lambda: True
begun = threading.Event()
def trace_block(*args, **kwargs):
    print("begun")
    begun.set()
    original(*args, **kwargs)
    print("done", flush=True)
original, compile_ahead.trace_block = compile_ahead.trace_block, trace_block
script = threading.Thread(target=compile_ahead.compile_variants, daemon=True)
script.start()
begun.wait()
"""
    environment = os.environ | {"JAX_COMPILATION_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=environment,
        cwd=ROOT,
        timeout=TIMEOUT,
    )
    assert done.returncode == 0, done.stderr
    words = done.stdout.split()
    count = len(words) // 2
    assert words == count * ["begun", "done"]
    assert count < len(VARIANTS)


def test_nothing_is_compiled_without_a_server() -> None:
    compile_default_networks.cache_clear()
    compile_default_networks()
    assert not threads()
