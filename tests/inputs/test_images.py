import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from explorer.errors import InputError
from explorer.inputs import decode_upload, read_upload
from explorer.inputs.limits import MAX_ELEMENTS
from tests.files import colours, npy, picture, png_header

ON_WHITE = "Transparent pixels were drawn on white."


@pytest.mark.parametrize(
    ("data", "channels", "notes"),
    [
        (picture(colours(20, 30, 3), "PNG"), 3, ()),
        (picture(colours(20, 30, 1), "PNG"), 1, ()),
        (picture(colours(20, 30, 4), "PNG"), 3, (ON_WHITE,)),
        (picture(colours(20, 30, 4), "WEBP", lossless=True), 3, (ON_WHITE,)),
        (picture(colours(20, 30, 3), "PNG", "LA"), 1, ()),
        (picture(colours(20, 30, 3), "PNG", "P"), 3, ()),
        (picture(colours(20, 30, 3), "GIF"), 3, ()),
        (picture(colours(20, 30, 3), "JPEG"), 3, ()),
        (picture(colours(20, 30, 1), "JPEG"), 1, ()),
        (picture(colours(20, 30, 3), "JPEG", "CMYK"), 3, ("CMYK was converted to RGB.",)),
        (picture(colours(20, 30, 3), "TIFF", "CMYK"), 3, ("CMYK was converted to RGB.",)),
        (picture(colours(20, 30, 1), "TIFF", compression="tiff_lzw"), 1, ()),
    ],
    ids=[
        "RGB",
        "grey",
        "RGBA",
        "WebP with alpha",
        "grey with alpha",
        "palette",
        "GIF",
        "JPEG",
        "grey JPEG",
        "CMYK JPEG",
        "CMYK TIFF",
        "LZW",
    ],
)
def test_pictures(data: bytes, channels: int, notes: tuple[str, ...]) -> None:
    upload = decode_upload("a", data)
    assert upload.array.shape == (20, 30, channels)
    assert 0 <= upload.array.min() < upload.array.max() <= 1
    assert upload.is_image
    assert upload.notes[1:] == notes


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP"])
def test_values_are_bytes_over_255(kind: str) -> None:
    shades = colours(5, 4, 3)
    x = read_upload("a", picture(shades, kind, lossless=True))  # WebP's; others ignore it
    np.testing.assert_allclose(x, shades / 255, rtol=1e-6)


def tiff16(values: np.ndarray, mode: str) -> bytes:
    file = io.BytesIO()
    order = "<u2" if mode == "I;16" else ">u2"
    image = Image.frombytes(mode, values.shape[::-1], values.astype(order).tobytes())
    image.save(file, "TIFF")
    return file.getvalue()


@pytest.mark.parametrize(
    "save",
    [
        lambda values: picture(values, "PNG"),
        lambda values: picture(values, "TIFF"),
        lambda values: tiff16(values, "I;16B"),
    ],
    ids=["PNG", "TIFF", "big-endian TIFF"],
)
def test_grey_keeps_16_bits(save: object) -> None:
    deep = np.array([[0, 1000], [40000, 65535]], np.uint16)
    upload = decode_upload("a", save(deep))  # type: ignore[operator]
    np.testing.assert_allclose(upload.array[:, :, 0], deep / 65535, rtol=1e-6)
    large = np.arange(64, dtype=np.uint16).reshape(8, 8) * 1000
    small = read_upload("a", save(large), max_side=4)  # type: ignore[operator]
    means = large.reshape(4, 2, 4, 2).mean((1, 3))
    np.testing.assert_allclose(small[:, :, 0], means / 65535, rtol=1e-4)


def test_colour_and_alpha_of_16_bits_are_cut_with_a_note() -> None:
    import struct
    import zlib

    def png(colour_type: int, rows: list[bytes]) -> bytes:
        def chunk(name: bytes, body: bytes) -> bytes:
            return (
                struct.pack(">I", len(body))
                + name
                + body
                + struct.pack(">I", zlib.crc32(name + body))
            )

        header = struct.pack(">IIBBBBB", 2, len(rows), 16, colour_type, 0, 0, 0)
        body = zlib.compress(b"".join(b"\0" + row for row in rows))
        return (
            b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", header)
            + chunk(b"IDAT", body)
            + chunk(b"IEND", b"")
        )

    rgb = np.array([[0, 30000, 65535, 256, 512, 1024]], ">u2")
    upload = decode_upload("a.png", png(2, [rgb.tobytes()]))
    np.testing.assert_allclose(upload.array.ravel(), (rgb // 256).ravel() / 255, atol=1e-6)
    assert upload.notes == ("16 bits a channel were reduced to 8.",)

    grey_alpha = np.array([[0, 65535, 25600, 0]], ">u2")  # opaque black, transparent grey
    upload = decode_upload("a.png", png(4, [grey_alpha.tobytes()]))
    assert upload.array.shape == (1, 2, 1)
    np.testing.assert_array_equal(upload.array.ravel(), [0, 1])
    assert upload.notes == ("16 bits a channel were reduced to 8.", ON_WHITE)


def test_a_glyph_in_the_alpha_channel_is_seen() -> None:
    glyph = np.zeros((6, 6, 4), np.uint8)
    glyph[2:4, 1:5, 3] = 255
    upload = decode_upload("a.png", picture(glyph, "PNG"))
    np.testing.assert_array_equal(upload.array, 1 - glyph[:, :, 3:].repeat(3, 2) / 255)
    assert upload.notes == (ON_WHITE,)
    grey = picture(glyph[:, :, 2:], "PNG")
    np.testing.assert_array_equal(read_upload("a.png", grey), 1 - glyph[:, :, 3:] / 255)


def test_half_transparent_pixels_are_mixed_with_white() -> None:
    rgba = np.array([[[200, 100, 0, 128]]], np.uint8)
    expected = (np.array([200, 100, 0]) * 128 + 255 * 127) / 255 / 255
    np.testing.assert_allclose(
        read_upload("a.png", picture(rgba, "PNG"))[0, 0], expected, atol=0.5 / 255
    )


@pytest.mark.parametrize("mode", ["P", "L", "RGB"])
def test_a_transparent_colour_is_drawn_on_white(mode: str) -> None:
    black_and_red = np.array([[[0, 0, 0], [255, 0, 0]]], np.uint8)
    image = Image.fromarray(black_and_red).convert(mode)
    key = image.getpixel((0, 0))
    file = io.BytesIO()
    image.save(file, "PNG", transparency=key)
    upload = decode_upload("a.png", file.getvalue())
    np.testing.assert_array_equal(upload.array[0, 0], 1)
    assert upload.array[0, 1].min() < 0.5
    assert upload.notes == (ON_WHITE,)


def test_opaque_alpha_changes_nothing() -> None:
    opaque = colours(5, 4, 4)
    opaque[:, :, 3] = 255
    upload = decode_upload("a.png", picture(opaque, "PNG"))
    np.testing.assert_allclose(upload.array, opaque[:, :, :3] / 255, rtol=1e-6)
    assert upload.notes == ()


@pytest.mark.parametrize("save", [lambda pixels: picture(pixels, "PNG"), npy])
def test_a_constant_picture_says_why_all_is_blank(save: Callable[[np.ndarray], bytes]) -> None:
    upload = decode_upload("a", save(np.full((5, 4, 3), 9, np.uint8)))
    assert upload.notes[-1] == (
        "All pixels of the picture are equal, so it is blank; standardised, it is 0 everywhere."
    )


def test_large_pictures_are_resized_with_a_note() -> None:
    upload = decode_upload("a.jpg", picture(colours(300, 400, 3), "JPEG"), max_side=100)
    assert upload.array.shape == (75, 100, 3)
    assert upload.notes == ("Resized from 400×300 pixels (width × height).",)


def test_a_picture_of_any_size_is_within_the_limits() -> None:
    x = read_upload("a.png", picture(np.zeros((2100, 2200, 3), np.uint8), "PNG"))
    assert max(x.shape[:2]) == 1024
    assert x.size <= MAX_ELEMENTS


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("alpha", [False, True])
def test_exif_rotation_is_applied_and_told(kind: str, alpha: bool) -> None:
    if alpha and kind == "JPEG":
        return
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by 90° clockwise
    pixels = np.zeros((20, 30, 4 if alpha else 3), np.uint8)
    pixels[:, :, -1] = 255
    pixels[:10] = 255  # the upper half becomes the right half
    upload = decode_upload("a", picture(pixels, kind, exif=exif), max_side=15)
    assert upload.array.shape == (15, 10, 3)
    assert upload.array[:, 6:].mean() > 0.9
    assert upload.array[:, :4, 0].mean() < 0.1
    assert "Resized from 20×30 pixels (width × height)." in upload.notes


@pytest.mark.parametrize(
    ("kind", "part"), [("GIF", "frame"), ("PNG", "frame"), ("WEBP", "frame"), ("TIFF", "page")]
)
def test_only_the_first_frame_is_read(kind: str, part: str) -> None:
    file, frames = io.BytesIO(), [Image.new("RGB", (5, 6), shade) for shade in ("white", "black")]
    frames[0].save(file, kind, save_all=True, append_images=frames[1:])
    upload = decode_upload("a", file.getvalue())
    assert upload.array.shape[:2] == (6, 5)
    assert upload.array.min() > 0.99
    assert f"Only the first {part} was read." in upload.notes


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (png_header(30000, 30000), "30,000×30,000 pixels; expected from 1 to 16,777,216 pixels"),
        (png_header(30000, 30000), "shrink it first, for instance to 4,000 pixels"),
        (png_header(300, 300), r"\(300×300\) cannot be decoded"),
        (picture(colours(40, 40, 3), "JPEG")[:700], "cannot be decoded"),
        (picture(np.zeros((4, 4), np.float32), "TIFF"), "pixels of the type F; .*numpy.save"),
        (picture(np.zeros((4, 4), np.int32), "TIFF"), "pixels of the type I; .*numpy.save"),
        (picture(colours(40, 40, 3), "TIFF", compression="jpeg"), "compressed as jpeg, .* PNG"),
    ],
)
def test_pictures_that_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_upload("a", data)


@pytest.mark.parametrize("max_side", [0, -1, 2049, 2.5, "x", None, float("nan"), True, [8]])
def test_max_side_is_checked(max_side: object) -> None:
    with pytest.raises(InputError, match="max_side must be an integer from 1 to 2048, got"):
        read_upload("a.png", picture(colours(4, 4, 3), "PNG"), max_side=max_side)  # type: ignore[arg-type]
