"""A script as a Jupyter notebook."""

import json
from typing import Any


def notebook(script: str) -> str:
    """Return a notebook (.ipynb) with the parts of a script as cells.

    Its comments at the top are text; a new cell begins after every two empty lines.

    Source: the notebook format 4.5, https://nbformat.readthedocs.io.
    """
    lines = script.splitlines()
    count = next((at for at, line in enumerate(lines) if not line.startswith("#")), len(lines))
    words = "  \n".join(line.removeprefix("# ") for line in lines[:count])
    parts = [part.strip("\n") for part in "\n".join(lines[count:]).split("\n\n\n")]
    cells: list[dict[str, Any]] = [
        {"cell_type": "markdown", "id": "about", "metadata": {}, "source": words}
    ]
    for number, part in enumerate(part for part in parts if part):
        cells.append(
            {
                "cell_type": "code",
                "id": f"part-{number}",
                "metadata": {},
                "source": part,
                "execution_count": None,
                "outputs": [],
            }
        )
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    found = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(found, indent=1, ensure_ascii=False)
