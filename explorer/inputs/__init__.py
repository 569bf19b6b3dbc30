"""Where the block's input comes from: formulas, samples and uploaded files."""

from explorer.inputs.arrays import npz_names
from explorer.inputs.channels import pad_channels, project_channels, standardise
from explorer.inputs.generate import KINDS, generate
from explorer.inputs.upload import ACCEPTED, Upload, decode_upload, read_upload

__all__ = [
    "ACCEPTED",
    "KINDS",
    "Upload",
    "decode_upload",
    "generate",
    "npz_names",
    "pad_channels",
    "project_channels",
    "read_upload",
    "standardise",
]
