"""The README's lines that convert networks, as written."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch

from explorer import load_checkpoint
from tests.parity.comparison import ODD, check_forward
from tests.parity.peer import picture

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
CODE = dict(re.findall(r"^```python (\w+)\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL))


@pytest.mark.parametrize("library", ["torchvision", "timm", "transformers"])
def test_conversion(library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    names: dict[str, Any] = {}
    exec(CODE[library], names)
    (path,) = tmp_path.rglob("*.safetensors")
    check_forward(names["model"].eval(), load_checkpoint(path), picture(*ODD))
