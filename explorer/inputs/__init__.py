"""Inputs of a model: generated patterns, noise and samples, and uploaded files."""

from explorer.inputs.arrays import npz_names, stored_shape
from explorer.inputs.channels import pad_channels, project_channels, standardise
from explorer.inputs.formats import FILE_EXTENSIONS
from explorer.inputs.generate import GENERATORS, generate
from explorer.inputs.layout import LAYOUTS
from explorer.inputs.upload import Upload, decode_upload, read_upload

__all__ = [
    "FILE_EXTENSIONS",
    "GENERATORS",
    "LAYOUTS",
    "Upload",
    "decode_upload",
    "generate",
    "npz_names",
    "pad_channels",
    "project_channels",
    "read_upload",
    "standardise",
    "stored_shape",
]
