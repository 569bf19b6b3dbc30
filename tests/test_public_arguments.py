"""Whatever an argument of a public function is: a result, or an InputError of one line."""

import itertools
import warnings
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import explorer
from explorer import (
    InputError,
    Model,
    Network,
    Trainer,
    TrainingSettings,
    class_gradient,
    compare_with_expected,
    load_checkpoint,
    load_run,
    propagate,
    read_expected,
    resnet_basic_forward,
    split_gradient,
    train,
    train_steps,
)
from explorer.analysis import downsampling, stage_view, summary
from explorer.analysis.classification import confusion, in_cell, misclassified
from explorer.analysis.colour_limits import channels, check_channel, colour_limits, stage_maps
from explorer.analysis.distributions import distribution, histogram
from explorer.analysis.gallery import gallery
from explorer.analysis.lens import lens_rows
from explorer.analysis.network_health import network_health
from explorer.analysis.network_view import network_view
from explorer.analysis.path_shares import path_shares
from explorer.analysis.pixel import Cell, cell_at, explain
from explorer.analysis.receptive_field import influence, receptive_fields
from explorer.analysis.sum_comparison import category_names, cells_in_box, compare_sum
from explorer.analysis.training_history import gradient_norms_at
from explorer.data import dataset_from_arrays, read_dataset
from explorer.engine.ablation import ablate
from explorer.engine.compilation_cache import enable_compilation_cache
from explorer.engine.forward import trace_block, trace_model
from explorer.engine.gradients import cotangent_of, split_trace
from explorer.engine.linen_parity import linen_parity
from explorer.engine.network_ablation import ablate_network
from explorer.engine.paths import path_lengths
from explorer.engine.propagation import propagate_stack
from explorer.engine.stack import Stack
from explorer.engine.state import state_variables
from explorer.figures.depth import curves_figure
from explorer.figures.depth_ablation import ablation_figure
from explorer.figures.depth_paths import paths_figure
from explorer.figures.distributions import distributions_figure
from explorer.figures.gallery import gallery_figure
from explorer.figures.influence import influence_figure
from explorer.figures.network import network_figure
from explorer.figures.pixel import arithmetic_figure
from explorer.figures.scatter import scatter_figure
from explorer.figures.stage import stage_figure
from explorer.figures.sum_comparison import sum_comparison_figure
from explorer.inputs import generate, pad_channels, project_channels, standardise
from explorer.inputs.class_names import read_class_names
from explorer.inputs.preprocessing import Preprocessing, default_preprocessing, preprocess
from explorer.inputs.random_streams import Purpose, random_stream
from explorer.model.checkpoint import Conventions, read_checkpoint, read_tensors
from explorer.model.layers import BatchNorm, BatchNormSettings, Conv, Crop, PadChannels, Scale
from explorer.model.network import NetworkSpec
from explorer.model.pooling import AvgPool, MaxPool
from explorer.model.relatives import relatives
from explorer.model.source_code import nnx_script, nnx_source, source_diff
from explorer.model.variants import V1, projection, scaled_skip, with_bias, zero_gamma, zero_pad
from explorer.records import measure
from tests.checkpoints import Architecture, state_of
from tests.files import npz
from tests.helpers import network_trace, noise
from tests.plain_network import PlainNetwork
from tests.short_runs import pictures, short_run


class Unreadable:
    """An array of another library that can neither be converted nor printed."""

    dtype, shape, ndim = np.dtype(np.float32), (2, 2, 1), 3

    def __array__(self, *arguments: Any, **keywords: Any) -> np.ndarray:
        raise RuntimeError("cannot convert\na tensor of this device")

    def __repr__(self) -> str:
        raise RuntimeError("cannot print it either")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("cannot compare it")

    __hash__ = None  # type: ignore[assignment]


class Long:
    """An object that is printed in several lines."""

    def __repr__(self) -> str:
        return "a\nb\r\nc\u2028d"


HOSTILE: dict[str, Any] = {
    "None": None,
    "text": "x",
    "empty text": "",
    "2.5": 2.5,
    "True": True,
    "NaN": float("nan"),
    "infinity": float("inf"),
    "-1": -1,
    "99": 99,
    "10**30": 10**30,
    "10**5000": 10**5000,
    "complex": 1j,
    "bytes": b"\n",
    "list": [1],
    "empty list": [],
    "empty tuple": (),
    "ragged": [[1], [1, 2]],
    "dict": {"a": 1},
    "set": {1},
    "object": object(),
    "unreadable": Unreadable(),
    "long": Long(),
    "class": int,
    "key": jax.random.key(0),
    "seed sequence": np.random.SeedSequence(3),
    "text array": np.array(["a\nb"]),
    "object array": np.array([None, Long()], dtype=object),
    "date": np.array("2020-01-01", "datetime64[D]"),
    "masked": np.ma.masked_equal(np.ones((3, 2, 2)), 1),
    "masked scalar": np.ma.masked,
    "no axes": np.zeros(()),
    "empty array": np.zeros((0, 2, 2)),
    "vector": np.zeros(3),
    "complex array": np.zeros((3, 2, 2), complex),
    "infinite array": np.full((3, 2, 2), np.inf),
    "structured": np.zeros((3, 2, 2), [("a", float)]),
    "bfloat16": jnp.zeros((3, 2, 2), jnp.bfloat16),
    "float16": np.zeros((3, 2, 2), np.float16),
}
X = noise((3, 2, 2))
PICTURES, LABELS = noise((4, 2, 2)), np.array([0, 0, 1, 1])


@cache
def records() -> dict[str, Any]:
    trace, stack = trace_block(0, X, 2), Stack.from_seed(0, 2, 2)
    pixel = cotangent_of("pixel", trace, (1, 1, 0))
    depth = propagate_stack(stack, X)
    network = Network.from_seed(0, NetworkSpec(V1, 1, 4, 2, 2))
    return {
        "network": network,
        "network trace": network.trace(X),
        "trace": trace,
        "model": trace.model,
        "stack": stack,
        "split": split_trace(trace, pixel),
        "depth": depth,
        "ablation": ablate(stack, X, kind="swap"),
        "paths": path_lengths(stack, X, samples=2),
        "sum": compare_sum(trace, 0),
        "gallery": gallery(trace, "index"),
        "drawn network": network_trace(V1, 2),
        "window": downsampling.Window(0, 2, 0, 2),
        "trained network": short_run().network,
    }


def of(name: str) -> Callable[[], Any]:
    return lambda: records()[name]


def method(record: str, name: str) -> Callable[..., Any]:
    return lambda **given: getattr(records()[record], name)(**given)


def after(save: Callable[[], Any], load: Callable[..., Any]) -> Callable[..., Any]:
    return lambda **given: (save(), load(**given))


def spec_of_network() -> dict[str, Any]:
    return {"block": V1, "blocks": 2, "width": 4, "channels": 2, "classes": 3}


IMAGES = pictures().test_images
TRAINING: dict[str, Any] = {
    "blocks": 2,
    "width": 4,
    "variant": "v1",
    "steps": 3,
    "batch": 24,
    "learning_rate": 0.1,
    "seed": 0,
    "optimiser": "sgd",
    "initialiser": "he",
    "survival": 1.0,
}

# Functions and their arguments; `of` stands for a record, which is made when it is needed.
FUNCTIONS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "resnet_basic_forward": (resnet_basic_forward, {"seed": 0, "x": X, "features": 2}),
    "trace_block": (
        trace_block,
        {
            "seed": 0,
            "x": X,
            "features": 2,
            "use_running_average": False,
            "warmup_passes": 0,
            "variant": "v1",
        },
    ),
    "trace_model": (
        trace_model,
        {"model": of("model"), "x": X, "use_running_average": True, "warmup_passes": 1},
    ),
    "split_gradient": (
        split_gradient,
        {"seed": 0, "x": X, "features": 2, "cotangent": X, "warmup_passes": 0},
    ),
    "split_trace": (split_trace, {"trace": of("trace"), "cotangent": X}),
    "cotangent_of": (
        cotangent_of,
        {"kind": "pixel", "trace": of("trace"), "pixel": (1, 1, 0), "seed": 0},
    ),
    "cotangent_of random": (cotangent_of, {"kind": "random", "trace": of("trace"), "seed": 0}),
    "propagate": (
        propagate,
        {
            "seed": 0,
            "x": X,
            "features": 2,
            "depth": 2,
            "variant": "v1",
            "seeds": 1,
            "use_running_average": False,
            "progress": None,
        },
    ),
    "propagate_stack": (
        propagate_stack,
        {"stack": of("stack"), "x": X, "seed": 0, "use_running_average": False, "progress": None},
    ),
    "ablate": (
        ablate,
        {
            "stack": of("stack"),
            "x": X,
            "kind": "swap",
            "use_running_average": False,
            "progress": None,
        },
    ),
    "path_lengths": (
        path_lengths,
        {
            "stack": of("stack"),
            "x": X,
            "samples": 2,
            "seed": 0,
            "use_running_average": False,
            "progress": None,
        },
    ),
    "Stack.from_seed": (
        Stack.from_seed,
        {"seed": 0, "features": 2, "depth": 2, "variant": "v1", "runs": 1},
    ),
    "Stack.from_models": (Stack.from_models, {"models": lambda: [records()["model"]]}),
    "Stack.model": (lambda **given: records()["stack"].model(**given), {"block": 0, "run": 0}),
    "state_variables": (state_variables, {"model": of("model"), "x": X}),
    "linen_parity": (
        linen_parity,
        {"model": of("model"), "x": X, "use_running_average": False, "warmup_passes": 0},
    ),
    "enable_compilation_cache": (enable_compilation_cache, {"folder": None}),
    "Model.from_seed": (
        Model.from_seed,
        {"seed": 0, "features": 2, "variant": "v1", "batch_norm": BatchNormSettings()},
    ),
    "BlockSpec": (
        explorer.BlockSpec,
        {
            "title": "a",
            "description": "b",
            "source": "c",
            "branch": V1.branch,
            "shortcut": (),
            "after": V1.after,
            "always_eval": False,
        },
    ),
    "Conv": (Conv, {"size": 3, "out": 2, "stride": 1, "padding": "SAME", "bias": 0.0}),
    "BatchNorm": (BatchNorm, {"gamma": 1.0, "beta": 0.0}),
    "BatchNormSettings": (BatchNormSettings, {"epsilon": 1e-5, "momentum": 0.9}),
    "Scale": (Scale, {"factor": 1.0}),
    "Crop": (Crop, {"margin": 1}),
    "PadChannels": (PadChannels, {"out": 4, "stride": 1, "zeros": "after"}),
    "MaxPool": (MaxPool, {"size": 3, "stride": 2}),
    "AvgPool": (AvgPool, {"size": 2}),
    "read_tensors": (read_tensors, {"source": npz(a=PICTURES)}),
    "read_checkpoint": (
        read_checkpoint,
        {"tensors": state_of(Architecture()), "conventions": Conventions()},
    ),
    "Conventions": (
        Conventions,
        {
            "epsilon": 1e-5,
            "strides": (1, 2),
            "stride_in": "3x3",
            "zero_channels": "after",
            "max_pool": None,
        },
    ),
    "scaled_skip": (scaled_skip, {"factor": 0.5}),
    "projection": (projection, {"out": 2, "stride": 1}),
    "zero_pad": (zero_pad, {"out": 2, "stride": 1}),
    "zero_gamma": (zero_gamma, {"gamma": 0.0}),
    "with_bias": (with_bias, {"spec": V1, "stage": "bn1", "bias": 0.5}),
    "nnx_source": (
        nnx_source,
        {"spec": V1, "use_running_average": False, "batch_norm": BatchNormSettings()},
    ),
    "nnx_script": (
        nnx_script,
        {
            "spec": V1,
            "shape": (3, 2, 2),
            "seed": 0,
            "features": 2,
            "use_running_average": False,
            "warmup_passes": 0,
            "batch_norm": BatchNormSettings(),
            "input_source": "",
        },
    ),
    "source_diff": (source_diff, {"one": V1, "other": V1, "use_running_average": False}),
    "generate": (
        generate,
        {"name": "normal", "height": 3, "width": 2, "channels": 2, "seed": 0},
    ),
    "standardise": (standardise, {"x": X}),
    "pad_channels": (pad_channels, {"x": X, "features": 3}),
    "project_channels": (project_channels, {"x": X, "features": 3, "seed": 0}),
    "random_stream": (random_stream, {"seed": 0, "purpose": Purpose.INPUT}),
    "dataset_from_arrays": (
        dataset_from_arrays,
        {"x": PICTURES, "y": LABELS, "seed": 0, "title": "a"},
    ),
    "read_dataset": (read_dataset, {"data": npz(x=PICTURES, y=LABELS), "seed": 0}),
    "Dataset.standardise": (
        lambda **given: dataset_from_arrays(PICTURES, LABELS).standardise(**given),
        {"images": PICTURES[0, :, :, None]},
    ),
    "NetworkSpec": (NetworkSpec, spec_of_network() | {"batch_norm": BatchNormSettings()}),
    "Network.from_seed": (
        Network.from_seed,
        {"seed": 0, "spec": lambda: NetworkSpec(**spec_of_network()), "initialiser": "he"},
    ),
    "Network.from_nnx": (Network.from_nnx, {"module": PlainNetwork, "variant": "v1"}),
    "Network.from_arrays": (
        Network.from_arrays,
        {
            "block": V1,
            "parameters": lambda: records()["trained network"].parameters,
            "statistics": lambda: records()["trained network"].statistics,
            "batch_norm": {"epsilon": 1e-5},
            "settings": {"step": 3},
        },
    ),
    "Network.trace": (
        method("trained network", "trace"),
        {"images": IMAGES, "use_running_average": True},
    ),
    "Network.logits": (
        method("trained network", "logits"),
        {"images": IMAGES, "order": ["block2"]},
    ),
    "Network.predict": (method("trained network", "predict"), {"images": IMAGES}),
    "Network.accuracy": (
        method("trained network", "accuracy"),
        {"images": IMAGES, "labels": pictures().test_labels},
    ),
    "Network.recalibrated": (method("trained network", "recalibrated"), {"images": IMAGES}),
    "Network.save": (method("trained network", "save"), {"path": "a.safetensors"}),
    "compare_with_expected": (
        compare_with_expected,
        {
            "network": of("trained network"),
            "picture": IMAGES[0],
            "expected": {"logits": np.zeros(3), "block1.bn1": np.zeros((4, 6, 5))},
        },
    ),
    "read_expected": (read_expected, {"data": npz(stem=PICTURES), "name": "stem"}),
    "load_checkpoint": (
        after(lambda: records()["trained network"].save("network"), load_checkpoint),
        {"source": "network", "name": "a", "conventions": Conventions},
    ),
    "class_gradient": (
        class_gradient,
        {"network": of("trained network"), "image": IMAGES[0], "label": 1},
    ),
    "preprocess": (
        preprocess,
        {"picture": X, "settings": lambda: default_preprocessing(2, is_small=True)},
    ),
    "Preprocessing": (
        Preprocessing,
        {"resize": 8, "crop": 8, "mean": lambda: (0.0,), "deviation": lambda: (1.0,)},
    ),
    "read_class_names": (read_class_names, {"data": b"a", "count": 1}),
    "relatives": (relatives, {"spec": lambda: V1}),
    "network_health": (
        network_health,
        {"trace": lambda: records()["trained network"].trace(IMAGES[0])},
    ),
    "load_run": (after(lambda: short_run().save("run"), load_run), {"path": "run"}),
    "TrainingRun.at": (lambda **given: short_run().at(**given), {"step": 0}),
    "TrainingRun.save": (lambda **given: short_run().save(**given), {"path": "a.safetensors"}),
    "TrainingSettings": (TrainingSettings, TRAINING),
    "Trainer": (Trainer, {"dataset": pictures, "settings": lambda: TrainingSettings(**TRAINING)}),
    # Their other arguments are those of the settings.
    "train": (train, {"dataset": pictures, "batch": 24, "steps": 1, "width": 4, "blocks": 2}),
    "train_steps": (
        lambda **given: next(train_steps(**given)),
        {"dataset": pictures, "batch": 24, "steps": 1, "width": 4, "blocks": 2},
    ),
    "BlockTrace.image": (
        lambda **given: trace_block(0, X[None], 2).image(**given),
        {"index": 0},
    ),
    "BlockTrace.pixel": (
        lambda **given: records()["trace"].pixel(**given),
        {"stage": "x", "row": 1, "col": 1},
    ),
    "BlockTrace.digest": (lambda **given: records()["trace"].digest(**given), {"stage": "x"}),
    "measure": (measure, {"array": X}),
    "channels": (lambda trace: channels(trace), {"trace": of("trace")}),
    "check_channel": (
        lambda channel, trace: check_channel(channel, trace),
        {"channel": 0, "trace": of("trace")},
    ),
    "stage_maps": (stage_maps, {"trace": of("trace"), "channel": 0}),
    "colour_limits": (
        lambda scope, channel: colour_limits(
            [records()["trace"]], [stage_maps(records()["trace"], 0)], scope, channel
        ),
        {"scope": "block", "channel": 0},
    ),
    "histogram": (histogram, {"values": X}),
    "distribution": (distribution, {"trace": of("trace"), "stage": "out"}),
    "Window": (downsampling.Window, {"top": 0, "bottom": 2, "left": 0, "right": 2}),
    "block_means": (downsampling.block_means, {"values": X, "step": 2}),
    "select_marks": (
        downsampling.select_marks,
        {"values": X[:, :, 0], "lost": np.ones((3, 2), bool)},
    ),
    "gallery": (gallery, {"trace": of("trace"), "order": "index"}),
    "Gallery.channel": (
        lambda **given: records()["gallery"].channel(**given),
        {"row": 0, "col": 0},
    ),
    "Gallery.tile_of": (lambda **given: records()["gallery"].tile_of(**given), {"channel": 0}),
    "path_shares": (path_shares, {"record": of("paths")}),
    "ablate_network": (
        ablate_network,
        {"network": of("network"), "images": X[None], "labels": [0], "seed": 0, "progress": None},
    ),
    "lens_rows": (lens_rows, {"trace": of("network trace"), "classes": ["a", "b"]}),
    "confusion": (
        confusion,
        {"labels": LABELS, "predicted": LABELS[::-1], "classes": ["a", "b"]},
    ),
    "misclassified": (misclassified, {"labels": LABELS, "predicted": LABELS}),
    "in_cell": (in_cell, {"labels": LABELS, "predicted": LABELS, "true": 0, "guess": 0}),
    "gradient_norms_at": (
        gradient_norms_at,
        {"history": {"gradient norm": np.zeros((2, 3))}, "step": 0},
    ),
    "cell_at": (
        cell_at,
        {"trace": of("trace"), "stage": "x", "row": 0, "col": 0, "channel": 0},
    ),
    "explain": (explain, {"trace": of("trace"), "cell": Cell("out", 0, 0, 0)}),
    "explain a cell": (
        lambda **given: explain(records()["trace"], Cell(**given)),
        {"stage": "conv1", "row": 0, "col": 0, "channel": 0},
    ),
    "receptive_fields": (receptive_fields, {"spec": V1}),
    "influence": (influence, {"split": of("split")}),
    "headline": (summary.headline, {"trace": of("trace")}),
    "branch_ratio": (summary.branch_ratio, {"trace": of("trace")}),
    "zeroed_part": (summary.zeroed_part, {"trace": of("trace")}),
    "correlation": (summary.correlation, {"one": X, "other": X}),
    "channel_table": (summary.channel_table, {"trace": of("trace")}),
    "zeroed": (summary.zeroed, {"trace": of("trace")}),
    "variance_error": (summary.variance_error, {"trace": of("trace")}),
    "gradient_numbers": (summary.gradient_numbers, {"split": of("split")}),
    "stage_view": (
        stage_view.stage_view,
        {"trace": of("trace"), "channel": 0, "scope": "block", "window": None},
    ),
    "stage_views": (
        stage_view.stage_views,
        {"traces": lambda: [records()["trace"]], "channel": 0, "scope": "map"},
    ),
    "difference_view": (
        stage_view.difference_view,
        {"canonical": of("trace"), "variant": of("trace"), "channel": 0, "window": None},
    ),
    "gradient_view": (
        stage_view.gradient_view,
        {"split": of("split"), "channel": 0, "scope": "block", "window": None},
    ),
    "network_view": (
        network_view,
        {"trace": of("drawn network"), "channel": 0, "scope": "block"},
    ),
    "zeroed_map": (stage_view.zeroed_map, {"trace": of("trace"), "channel": 0}),
    "compare_sum": (compare_sum, {"trace": of("trace"), "channel": 0}),
    "category_names": (category_names, {"spec": V1}),
    "cells_in_box": (
        cells_in_box,
        {"comparison": of("sum"), "identity_range": (0, 1), "residual_range": (0, 1)},
    ),
    "stage_figure": (
        stage_figure,
        {
            "trace": of("trace"),
            "channel": 1,
            "scope": "block",
            "theme": "light",
            "arrangement": "wide",
            "window": of("window"),
        },
    ),
    "network_figure": (
        network_figure,
        {
            "trace": of("drawn network"),
            "channel": 1,
            "scope": "block",
            "theme": "light",
            "arrangement": "wide",
        },
    ),
    "gallery_figure": (
        gallery_figure,
        {
            "trace": of("trace"),
            "tiles": of("gallery"),
            "scope": "block",
            "theme": "light",
            "arrangement": "wide",
        },
    ),
    "distributions_figure": (
        distributions_figure,
        {
            "found": lambda: {"x": distribution(records()["trace"], "x")},
            "theme": "light",
            "arrangement": "wide",
        },
    ),
    "influence_figure": (
        influence_figure,
        {
            "found": lambda: {"with": influence(records()["split"])},
            "theme": "light",
            "arrangement": "wide",
        },
    ),
    "arithmetic_figure": (
        arithmetic_figure,
        {
            "found": lambda: explain(records()["trace"], Cell("add", 0, 0, 0)),
            "theme": "light",
            "arrangement": "wide",
        },
    ),
    "curves_figure": (
        curves_figure,
        {
            "residual": of("depth"),
            "plain_network": of("depth"),
            "curve": "gradient norm",
            "theme": "light",
            "arrangement": "wide",
        },
    ),
    "ablation_figure": (
        ablation_figure,
        {
            "residual": of("ablation"),
            "plain_network": of("ablation"),
            "theme": "light",
            "arrangement": "wide",
        },
    ),
    "paths_figure": (
        paths_figure,
        {"found": of("paths"), "theme": "light", "arrangement": "wide"},
    ),
    "sum_comparison_figure": (
        sum_comparison_figure,
        {"comparison": of("sum"), "theme": "light", "arrangement": "wide"},
    ),
    "to_html": (explorer.to_html, {"trace": of("trace"), "path": "page.html"}),
    "to_script": (explorer.to_script, {"trace": of("trace")}),
    "widget": (explorer.widget, {"trace": of("trace"), "channel": 1, "pin": ("x", 0, 0)}),
    "scatter_figure": (
        scatter_figure,
        {"comparison": of("sum"), "theme": "light", "window": of("window"), "pin": (1, 1)},
    ),
}


# A class is a function, whose own errors are not the package's; None would change the tests' cache.
LEFT_OUT = [("progress", "class"), ("folder", "None")]


def made(arguments: dict[str, Any]) -> dict[str, Any]:
    return {name: value() if callable(value) else value for name, value in arguments.items()}


def failure(run: Callable[[], Any]) -> str:
    """Return what is wrong with the end of a call; empty for a result and for an InputError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            run()
    except InputError as error:
        text = str(error)
        return "" if text and len(text.splitlines()) == 1 else f"in several lines: {text!r}"
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:100]}"
    return ""


@pytest.mark.parametrize("name", FUNCTIONS)
def test_hostile_arguments_give_a_result_or_one_sentence(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    function, arguments = FUNCTIONS[name]
    given = made(arguments)
    if name == "enable_compilation_cache":  # its default would change the tests' own cache
        given.clear()
    else:
        function(**given)
    failures = {
        (argument, kind): problem
        for argument, (kind, value) in itertools.product(arguments, HOSTILE.items())
        if (argument, kind) not in LEFT_OUT
        if (problem := failure(partial(function, **{**given, argument: value})))
    }
    assert failures == {}
