import re

import numpy as np
import pytest

from explorer.errors import InputError
from explorer.inputs import LAYOUTS, decode_upload, read_upload
from explorer.inputs.layout import as_stored, batch_shape, choose_layout
from tests.files import npy, npz

CHOSEN = {
    (3, 64, 64): "CHW",
    (1, 28, 28): "CHW",
    (4, 8, 5): "CHW",
    (3, 8, 8): "CHW",
    (60, 28, 28): "NHW",
    (64, 64, 64): "NHW",
    (5, 16, 16): "NHW",
    (5, 15, 15): "HWC",
    (64, 8, 8): "HWC",
    (2, 64, 64): "HWC",
    (3, 64, 4): "HWC",
    (24, 40, 5): "HWC",
    (224, 224, 64): "HWC",
    (60, 28): "HW",
    (1, 24, 40, 5): "NHWC",
    (8, 32, 32, 3): "NHWC",
    (8, 3, 32, 32): "NCHW",
    (8, 3, 32, 3): "NHWC",
    (8, 32, 32, 64): "NHWC",
    (8, 1, 28, 28): "NCHW",
}


@pytest.mark.parametrize(("shape", "layout"), CHOSEN.items())
def test_auto_follows_its_rules(shape: tuple[int, ...], layout: str) -> None:
    assert choose_layout(shape)[0] == layout


@pytest.mark.parametrize(
    ("shape", "notes"),
    [
        (
            (3, 64, 64),
            "Its axes were read as CHW, one image, channels first, because the first axis is 3 and "
            "the last is larger than 4.",
        ),
        (
            (60, 28, 28),
            "Its axes were read as NHW, a stack of grey images, because the last two axes are "
            "equal and at least 16. It could also be HWC, one image of 60×28 pixels with 28 "
            "channels or CHW, one image of 28×28 pixels with 60 channels: select the layout if so.",
        ),
        (
            (64, 8, 8),
            "Its axes were read as HWC, one image, channels last, because channels are taken to be "
            "the last axis. It could also be CHW, one image of 8×8 pixels with 64 channels: select "
            "the layout if so.",
        ),
        (
            (8, 3, 32, 32),
            "Its axes were read as NCHW, a batch of images, channels first, because the second "
            "axis is 3 and the last is not 1, 3 or 4.",
        ),
        ((24, 40, 5), ""),
        ((60, 28), ""),
        ((32, 32, 8), ""),
    ],
)
def test_a_note_says_what_was_taken_and_why(shape: tuple[int, ...], notes: str) -> None:
    assert " ".join(choose_layout(shape)[1]) == notes


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_reads_the_same_image(layout: str) -> None:
    rng = np.random.default_rng(0)
    batch = rng.standard_normal((3 if "N" in layout else 1, 5, 7, 2 if "C" in layout else 1))
    batch = batch.astype(np.float32)
    stored = as_stored(batch, layout)
    assert len(stored.shape) == len(layout)
    assert batch_shape(stored.shape, layout) == batch.shape
    for order in (np.ascontiguousarray, np.asfortranarray):
        index = len(batch) - 1
        upload = decode_upload("a.npy", npy(order(stored)), layout=layout, index=index)
        np.testing.assert_array_equal(upload.array, batch[index])
        assert upload.layout == layout
        if "N" in layout:
            np.testing.assert_array_equal(upload.batch, batch)
        else:
            assert upload.batch is None


def test_channels_first_and_last_have_the_same_pixels() -> None:
    x = np.random.default_rng(1).standard_normal((64, 64, 3)).astype(np.float32)
    np.testing.assert_array_equal(read_upload("a.npy", npy(x.transpose(2, 0, 1))), x)
    np.testing.assert_array_equal(
        read_upload("a.npy", npy(x.transpose(2, 0, 1)), layout="HWC"), x.transpose(2, 0, 1)
    )


def test_a_stack_is_read_image_by_image() -> None:
    stack = np.random.default_rng(2).standard_normal((60, 28, 28)).astype(np.float32)
    upload = decode_upload("a.npz", npz(digits=stack), index=59)
    np.testing.assert_array_equal(upload.array, stack[59, :, :, None])
    assert upload.layouts == ("HWC", "CHW", "NHW")
    assert upload.notes[-1] == "This is image 59 of 60, counted from 0."
    with pytest.raises(InputError, match="index must be an integer from 0 to 59, got 60"):
        read_upload("a.npz", npz(digits=stack), index=60)


REFUSED = {
    "784": (
        (784,),
        "auto",
        "1-D with shape 784; .* x.reshape(28, 28), or x[..., None]",
    ),
    "10": ((10,), "auto", "x.reshape(H, W), or x[..., None] for one column"),
    "0-D": ((), "auto", "numpy.reshape(x, (1, 1))"),
    "5-D": ((1, 2, 2, 2, 1), "auto", "save one image or batch of it, for instance x[0]"),
    "3 axes as a batch": (
        (3, 8, 8),
        "NHWC",
        "4 axes but the array has 3, .* HWC or CHW or NHW",
    ),
    "2 axes as HWC": ((8, 8), "HWC", "layout HWC has 3 axes but the array has 2, .* expected HW."),
    "empty stack": ((0, 8, 8), "NHW", "shape 0×8×8, so no image; expected at least one"),
    "channels first, not 1, 3 or 4": (
        (2, 600, 520),
        "auto",
        "C from 1 to 512; if its channels come first, select the layout CHW or save "
        "x.transpose(1, 2, 0).",
    ),
    "batch, channels first": (
        (2, 2, 600, 520),
        "auto",
        "if its channels come first, select the layout NCHW or save x.transpose(0, 2, 3, 1).",
    ),
    "too many channels": ((600, 8, 8), "CHW", "8×8×600; expected H and W from 1 to 2048"),
}


@pytest.mark.parametrize(("shape", "layout", "message"), REFUSED.values(), ids=REFUSED)
def test_refusals_name_the_fix(shape: tuple[int, ...], layout: str, message: str) -> None:
    pattern = ".*".join(re.escape(part) for part in message.split(".*"))
    with pytest.raises(InputError, match=pattern):
        read_upload("a.npy", npy(np.zeros(shape)), layout=layout)


def test_a_stack_beyond_the_limit_names_how_many_images_fit() -> None:
    from tests.files import npy_header

    with pytest.raises(InputError, match=r"47,040,000 values \(60000×28×28\).* x\[:10699\]"):
        read_upload("a.npy", npy_header((60000, 28, 28), "|u1"))


@pytest.mark.parametrize("layout", ["hwc", "", None, 3, "NHWCX", ["HWC"]])
def test_unknown_layouts_are_refused(layout: object) -> None:
    with pytest.raises(InputError, match="layout must be one of auto, HWC, CHW, HW, NHW, NHWC"):
        read_upload("a.npy", npy(np.eye(3)), layout=layout)  # type: ignore[arg-type]


@pytest.mark.parametrize("dtype", ["u1", "i2", "<i8", "u4"])
def test_integers_are_treated_as_a_picture(dtype: str) -> None:
    values = np.arange(12).reshape(3, 4).astype(dtype)
    upload = decode_upload("a.npy", npy(values))
    assert upload.is_image
    np.testing.assert_array_equal(upload.array[:, :, 0], values)
    assert "The array holds integers, from 0 to 11, and is treated as a picture." in upload.notes
    assert not decode_upload("a.npy", npy(values.astype(np.float32))).is_image
    assert not decode_upload("a.npy", npy(values > 3)).is_image


def test_bfloat16_is_named() -> None:
    import ml_dtypes

    data = npy(np.ones((2, 3), ml_dtypes.bfloat16))
    with pytest.raises(InputError, match=r"type [|<]V2, .* bfloat16; .*astype\('float32'\)"):
        read_upload("a.npy", data)
