"""Layers as data: their arguments, and specs that differ in a program are unequal."""

import json
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer import BlockSpec, InputError, trace_block
from explorer.model.layers import (
    Attention,
    BatchNorm,
    BatchNormSettings,
    Conv,
    Crop,
    Dense,
    LayerNorm,
    PadChannels,
    Scale,
    Times,
)
from explorer.model.variants import projection, scaled_skip, with_bias, zero_gamma, zero_pad
from tests.helpers import noise

ROOT = Path(__file__).parents[2]
FEATURES = 3
X = noise((5, 4, FEATURES))
# Numbers that Python compares as equal although their types differ.
WIDTHS: list[Any] = [
    value
    for n in (1, 3, 6)
    for value in (n, float(n), np.int64(n), np.float32(n), np.array(n), Fraction(n))
] + [Fraction(1, 3), Fraction(2, 3), Times(Fraction(1)), Times(Fraction(2))]
STRIDES: list[Any] = [1, 1.0, np.int8(1), 2, 2.0, np.float64(2)]
CONSTANTS: list[Any] = [0, 0.0, -0.0, np.float32(0), 1, 1.0, np.int8(1), 0.5]


def expected_width(out: Any) -> int:
    """Return the channels that `out` means in a block of `FEATURES` channels."""
    factor = out.factor if isinstance(out, Times) else out
    return int(FEATURES * factor) if isinstance(factor, Fraction) else int(factor)


@pytest.mark.parametrize("first", [1, Fraction(1)])
@pytest.mark.parametrize("make", [projection, zero_pad])
def test_channels_and_a_fraction_of_them_do_not_share_a_program(
    make: Callable[..., BlockSpec], first: int | Fraction
) -> None:
    """In both orders, each in a fresh process: what is compiled first must not matter."""
    script = (
        "import json, sys\n"
        "from fractions import Fraction\n"
        "import numpy as np\n"
        "from explorer import trace_block\n"
        "from explorer.model import variants\n"
        "make, x = getattr(variants, sys.argv[1]), np.ones((2, 3, 4), np.float32)\n"
        "outs = [4, Fraction(4)] if sys.argv[1] == 'zero_pad' else [1, Fraction(1)]\n"
        "outs = outs if sys.argv[2] == 'int' else outs[::-1]\n"
        "print(json.dumps([trace_block(0, x, 4, variant=make(o))['out'].shape for o in outs]))\n"
    )
    command = [sys.executable, "-c", script, make.__name__, type(first).__name__]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    widths = [shape[-1] for shape in json.loads(run.stdout)]
    expected = [4, 16] if make is zero_pad else [1, 4]
    assert widths == (expected if isinstance(first, int) else expected[::-1])


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(WIDTHS), st.sampled_from(WIDTHS), st.sampled_from(STRIDES), st.booleans())
def test_specs_of_equal_programs_are_equal(one: Any, other: Any, stride: Any, pads: bool) -> None:
    make = zero_pad if pads else projection
    specs = [make(out, stride) for out in (one, other)]
    same = isinstance(one, Fraction | Times) == isinstance(other, Fraction | Times)
    same = same and expected_width(one) == expected_width(other)
    assert (specs[0] == specs[1]) == same
    assert (specs[0].structure() == specs[1].structure()) == same
    assert (specs[0].key == specs[1].key) == same
    if same:
        assert hash(specs[0]) == hash(specs[1])


@pytest.mark.parametrize("order", list(permutations([1, Fraction(1), Times(Fraction(2))])))
def test_widths_are_those_of_the_spec_in_any_order(order: tuple[Any, ...]) -> None:
    for out in order:
        trace = trace_block(0, X, FEATURES, variant=projection(out))
        assert trace["out"].shape[-1] == expected_width(out)
        assert trace.spec.widths(FEATURES)["out"] == expected_width(out)


MAKERS: list[Callable[[Any], BlockSpec]] = [
    scaled_skip,
    zero_gamma,
    lambda value: with_bias(projection(), "bn1", value),
]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("one", CONSTANTS)
@pytest.mark.parametrize("other", CONSTANTS)
def test_constants_are_equal_where_their_values_are(
    make: Callable[[Any], BlockSpec], one: Any, other: Any
) -> None:
    specs = [make(value) for value in (one, other)]
    assert (specs[0] == specs[1]) == (specs[0].key == specs[1].key) == (one == other)
    assert specs[0].structure() == specs[1].structure()


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("value", [True, Fraction(1), "1", None, float("inf"), np.zeros(1)])
def test_a_constant_is_a_real_number(make: Callable[[Any], BlockSpec], value: Any) -> None:
    with pytest.raises(InputError, match="must be a real number"):
        make(value)


@pytest.mark.parametrize(
    ("layer", "arguments", "message"),
    [
        (Conv, {"size": 0}, "size must be an integer of at least 1, got 0."),
        (Conv, {"stride": True}, "stride must be an integer of at least 1, got True."),
        (Conv, {"padding": "same"}, "padding must be one of SAME, VALID; got 'same'."),
        (Conv, {"bias": float("nan")}, "bias must be a real number .* got nan."),
        (Conv, {"out": 0.5}, "out must be a number of channels, .* got 0.5."),
        (Conv, {"out": Fraction(0)}, r"out must be .* got Fraction\(0, 1\)."),
        (PadChannels, {"out": "2"}, "out must be a number of channels, .* got '2'."),
        (Crop, {"margin": 0}, "margin must be an integer of at least 1, got 0."),
        (Dense, {"times": 1.5}, "times must be an integer of at least 1, got 1.5."),
        (
            Attention,
            {"max_tokens": "many"},
            "max_tokens must be an integer .* got 'many'.",
        ),
        (BatchNorm, {"gamma": 1e300}, "gamma must be a real number .* got 1e\\+300."),
        (Scale, {"factor": 1j}, "factor must be a real number .* got 1j."),
        (LayerNorm, {"epsilon": "1e-6"}, "epsilon must be a real number .* got '1e-6'."),
        (BatchNormSettings, {"momentum": None}, "momentum must be a real number .* got None."),
    ],
)
def test_illegal_arguments_are_rejected(
    layer: Callable[..., Any], arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=f"^{message}$"):
        layer(**arguments)
