"""Panels and labels of a spec's stage figure, forward and backward."""

from dataclasses import dataclass, replace
from typing import Literal

from explorer.figures.theme import Theme
from explorer.model.layers import Layer
from explorer.model.spec import BlockSpec
from explorer.records import IDENTITY_PART, RESIDUAL_PART


@dataclass(frozen=True)
class Panel:
    """A panel: the stage it shows, the path whose colour frames it, and its title."""

    stage: str
    path: Literal["trunk", "branch", "identity"]
    name: str
    what: str


def panels(spec: BlockSpec, backward: bool = False) -> dict[str, Panel]:
    """Return the panels of a spec's figure, in reading order.

    Forward, the identity has a panel of its own before the sum, which shows x again.
    Backward, each panel shows the gradient at its stage, and two additional panels show the
    parts of the gradient at x by path.
    """
    if backward:
        return _backward_panels(spec)
    layers, sources = spec.layers(), spec.sources()
    found = {"x": Panel("x", "trunk", "x", "input")}
    for name, layer in spec.branch:
        found[name] = Panel(name, "branch", name, layer.label)
    residual = found[spec.residual]
    found[spec.residual] = replace(residual, what="= F(x)")
    if spec.shortcut == ():
        found["identity"] = Panel("x", "identity", "identity", "= x")
    for name, layer in spec.shortcut or ():
        found[name] = Panel(name, "identity", name, layer.label)
    for name in sources:
        if name in found:
            continue
        (source, *others) = sources[name]
        what = f"= F(x) + {others[0]}" if others else f"= {source}"
        if name in layers:
            what = f"= {_short(layers[name])}({source})"
        found[name] = Panel(name, "trunk", name, what)
    return found


def _short(layer: Layer) -> str:
    return layer.label.replace("BatchNorm", "BN")


def _backward_panels(spec: BlockSpec) -> dict[str, Panel]:
    """Return the panels of a gradient, with one panel for all layers of the shortcut."""
    forward = panels(spec)
    gradients = {name: replace(panel, what="gradient") for name, panel in forward.items()}
    found = {"x": replace(forward["x"], what="total")}
    found["residual"] = Panel(RESIDUAL_PART, "branch", "residual", "part")
    found |= {name: panel for name, panel in gradients.items() if panel.path == "branch"}
    if spec.shortcut is not None:
        name = "shortcut" if spec.shortcut else "identity"
        found["identity"] = Panel(IDENTITY_PART, "identity", name, "part")
    trunk = {name: panel for name, panel in gradients.items() if panel.path == "trunk"}
    return found | {**trunk, "x": found["x"], "out": replace(trunk["out"], what="cotangent")}


def branch_words(backward: bool) -> str:
    """Return the label of the branch's wire."""
    return "residual branch: J<sub>F</sub>ᵀ g" if backward else "residual branch F(x)"


def shortcut_name(stage: str) -> str:
    """Return the label of the second term of the sum, given its stage."""
    return "x" if stage == "x" else "shortcut(x)"


def shortcut_words(spec: BlockSpec, backward: bool) -> str:
    """Return the label of the shortcut's wire."""
    if spec.shortcut is None:
        return "no shortcut"
    if spec.shortcut:
        return "shortcut with layers: not the identity"
    return (
        "identity path: g passes unchanged"
        if backward
        else "identity path: nothing is computed here"
    )


def equation(spec: BlockSpec, theme: Theme) -> str:
    """Return the block's equation on one line, in the colours of its paths."""
    words = f"<span style='color:{theme.branch}'>F(x)</span>"
    if spec.shortcut is not None:
        identity = "x" if not spec.shortcut else "shortcut(x)"
        words += f" + <span style='color:{theme.identity}'>{identity}</span>"
    for _, layer in spec.after:
        words = f"{_short(layer)}( {words} )"
    return f"out = {words}"


def gradient_equation(spec: BlockSpec, theme: Theme) -> str:
    """Return the chain rule at x in the colours of the paths; g is the gradient at the sum."""
    identity = "J<sub>shortcut</sub>ᵀ g" if spec.shortcut else "g"
    plus = f"<span style='color:{theme.identity}'>{identity}</span> + "
    if spec.shortcut is None:
        plus = ""
    return f"∂x = {plus}<span style='color:{theme.branch}'>J<sub>F</sub>ᵀ g</span>"
