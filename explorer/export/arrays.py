"""A trace's arrays as a .npz file, and its numbers as JSON."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np

from explorer.analysis.summary import channel_table, headline, variance_error
from explorer.errors import InputError, check_type
from explorer.export.script_parts import by_path, header
from explorer.records import BlockTrace, GradientSplit, NetworkTrace

MAX_BYTES = 2**28  # of the arrays in a file, 256 MB
README = "README"
_MEANINGS = {
    "stages": "the stage's values, channels last",
    "parameters": "a parameter that training would change, or a constant of the block",
    "statistics": "a running statistic before the pass",
    "after": "the same running statistic after it",
    "batch": "this input's statistic, over all pictures, rows and columns",
    "gradients": "the gradient at the stage; at out it is the cotangent",
    "images": "the pictures, as the network receives them",
    "logits": "one value for each class",
    "parts": "the gradient at x: total, and the parts through the shortcut and the branch",
}


def trace_arrays(trace: BlockTrace) -> dict[str, np.ndarray]:
    """Return every array of a trace by path: stages, parameters and statistics of BatchNorm."""
    check_type("trace", trace, BlockTrace)
    arrays: dict[str, Any] = {"stages": trace.stages, "parameters": trace.model.parameters}
    norms = trace.norms
    arrays["statistics"] = {
        name: {"mean": each.mean_before, "var": each.var_before} for name, each in norms.items()
    }
    arrays["after"] = {
        name: {"mean": each.mean_after, "var": each.var_after} for name, each in norms.items()
    }
    arrays["batch"] = {
        name: {"mean": each.batch_mean, "var": each.batch_var} for name, each in norms.items()
    }
    return by_path(arrays)


def gradient_arrays(split: GradientSplit) -> dict[str, np.ndarray]:
    """Return every array of a gradient by path: stages, their gradients, and both parts at x."""
    check_type("split", split, GradientSplit)
    parts = {"total": split.total, "identity": split.identity, "residual": split.residual}
    return by_path({"stages": split.trace.stages, "gradients": split.stages, "parts": parts})


def network_arrays(trace: NetworkTrace) -> dict[str, np.ndarray]:
    """Return every array of a network's trace by path: those of its blocks after their names."""
    check_type("trace", trace, NetworkTrace)
    found = {"images": trace.images, "logits": trace.logits}
    for name, block in {"stem": trace.stem, **trace.blocks}.items():
        found |= {f"{name}.{path}": array for path, array in trace_arrays(block).items()}
    return found


def check_size(arrays: Mapping[str, np.ndarray]) -> int:
    """Return the size of arrays in bytes; raise InputError if they exceed 256 MB."""
    size = sum(array.nbytes for array in arrays.values())
    if size > MAX_BYTES:
        raise InputError(
            f"The arrays of this trace have {size / 2**20:,.0f} MB; a file holds at most "
            f"{MAX_BYTES / 2**20:,.0f} MB. Choose a smaller input or fewer channels."
        )
    return size


def npz(arrays: Mapping[str, np.ndarray], about: str) -> bytes:
    """Return a .npz file with an entry `README`, which says what each array is.

    Args:
        arrays: float32, by path, as the functions above return them.
        about: the first lines of `README`.

    Raises:
        InputError: the arrays have more than 256 MB.
    """
    check_size(arrays)
    file = BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(README, _readme(about, arrays))
        for path, array in arrays.items():
            with archive.open(f"{path}.npy", "w") as entry:
                np.lib.format.write_array(entry, array, allow_pickle=False)
    return file.getvalue()


def about_trace(trace: BlockTrace) -> str:
    """Return lines on what a trace is of, and with which versions it was made."""
    return "".join(f"{line.removeprefix('# ')}\n" for line in header(trace).splitlines())


def trace_npz(trace: BlockTrace) -> bytes:
    """Return a .npz file of a trace's arrays, with an entry `README` that says what each is.

    Args:
        trace: of one picture, or of a batch.

    Raises:
        InputError: the arrays have more than 256 MB.
    """
    return npz(trace_arrays(trace), about_trace(trace))


def trace_json(trace: BlockTrace) -> str:
    """Return a trace's numbers as JSON: those of the page, each channel's, and digests.

    Numbers that are not finite are null. The definitions are those of `Headline` and
    `ChannelTable` in `explorer.analysis.summary`.
    """
    check_type("trace", trace, BlockTrace)
    found = {
        "block": trace.spec.title,
        "mode": "eval" if trace.use_running_average else "train",
        "warmup_passes": trace.warmup_passes,
        "weights": str(trace.model.provenance),
        "shapes": {name: stage.shape for name, stage in trace.stages.items()},
        "digests": {name: trace.digest(name) for name in trace.stages},
        "numbers": asdict(headline(trace)),
        "largest_error_of_a_batch_variance": variance_error(trace),
        "channels": {name: each.tolist() for name, each in vars(channel_table(trace)).items()},
    }
    return json.dumps(_finite(found), indent=1, ensure_ascii=False, allow_nan=False)


def _readme(about: str, arrays: Mapping[str, np.ndarray]) -> str:
    lines = [
        about,
        "numpy.load reads this file; every array is float32, this entry is text. Kernels of "
        "convolutions are (rows, columns, channels in, channels out).",
        "",
    ]
    for path, array in arrays.items():
        shape = "×".join(map(str, array.shape)) or "one value"
        meaning = next(_MEANINGS[part] for part in path.split(".") if part in _MEANINGS)
        lines.append(f"{path}: {shape}, {meaning}")
    return "\n".join(lines) + "\n"


def _finite(part: Any) -> Any:
    """Return `part` with None for NaN and ±Inf, which JSON does not have."""
    if isinstance(part, dict):
        return {name: _finite(value) for name, value in part.items()}
    if isinstance(part, list):
        return [_finite(value) for value in part]
    return None if isinstance(part, float) and not math.isfinite(part) else part
