"""The ES modules of the linked figure, as a server sends them."""

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

ENTRY = "component.js"
PRELOAD = "preload.js"
PICTURE = "picture.js"  # loaded when a picture is made


@cache
def scripts() -> Mapping[str, bytes]:
    """Return the content of every module by file name."""
    folder = files("explorer.linked_figure")
    return {
        file.name: file.read_bytes()
        for file in sorted(folder.iterdir(), key=lambda file: file.name)
        if file.name.endswith(".js")
    }


@cache
def scripts_digest() -> str:
    """Return a digest of all modules, as a version in their URLs."""
    content = hashlib.blake2b(digest_size=8)
    for name, script in scripts().items():
        content.update(name.encode() + b"\0" + script + b"\0")
    return content.hexdigest()
