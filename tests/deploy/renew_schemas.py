"""Write `schemas/` from the package kubernetes-validate: `make schemas`.

`python -m tests.deploy.renew_schemas FOLDER VERSION` reads the package unpacked in `FOLDER`.
"""

import json
import sys
from pathlib import Path
from typing import Any

KINDS = (
    "deployment-apps-v1",
    "horizontalpodautoscaler-autoscaling-v2",
    "ingress-networking-v1",
    "poddisruptionbudget-policy-v1",
    "secret-v1",
    "service-v1",
)
SCHEMAS = Path(__file__).parent / "schemas"


def short(schema: Any) -> Any:
    """Return a schema with references within its own file, and without what is for readers."""
    if isinstance(schema, list):
        return [short(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {}
    for key, value in schema.items():
        if key == "properties":
            found[key] = {name: short(each) for name, each in value.items()}
        elif key == "$ref":
            found[key] = "#/$defs/" + value.rpartition("/")[2]
        elif key not in {"description", "$id"} and not key.startswith("x-kubernetes-"):
            found[key] = short(value)
    return found


def references(schema: Any) -> set[str]:
    """Return the names of the definitions that a schema refers to itself."""
    if isinstance(schema, list):
        return set().union(*map(references, schema))
    if not isinstance(schema, dict):
        return set()
    own = {schema["$ref"].removeprefix("#/$defs/")} if "$ref" in schema else set()
    return own.union(*map(references, schema.values()))


def whole(schema: Any, definitions: dict[str, Any]) -> Any:
    """Return a schema with all definitions that it needs."""
    needed: dict[str, Any] = {}
    missing = references(schema)
    while missing:
        needed |= {name: definitions[name] for name in missing}
        missing = references(list(needed.values())) - needed.keys()
    return {**schema, "$defs": dict(sorted(needed.items()))}


def main(folder: Path, version: str) -> None:
    """Write the schemas of all kinds."""
    source = folder / "kubernetes_validate" / "kubernetes-json-schema" / f"v{version}-local-strict"

    def read(name: str) -> Any:
        return short(json.loads((source / f"{name}.json").read_text(encoding="utf-8")))

    definitions = read("_definitions")["$defs"]
    for kind in KINDS:
        text = json.dumps(whole(read(kind), definitions), separators=(",", ":"))
        (SCHEMAS / f"{kind}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
