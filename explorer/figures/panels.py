"""Which panels and words a spec's figure has, forward and backward."""

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
    """The panels of a spec's figure, in reading order.

    Forward, the identity has a panel of its own, which shows x once more, where it
    meets F(x). Backward, a panel shows the gradient at its stage, and two more what
    returns to x by either path.
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
    """A shortcut with layers shows what came back through all of them, not each."""
    forward = panels(spec)
    gradients = {name: replace(panel, what="gradient") for name, panel in forward.items()}
    found = {"x": replace(forward["x"], what="total gradient")}
    found["residual"] = Panel(RESIDUAL_PART, "branch", "residual", "part")
    found |= {name: panel for name, panel in gradients.items() if panel.path == "branch"}
    if spec.shortcut is not None:
        name = "shortcut" if spec.shortcut else "identity"
        found["identity"] = Panel(IDENTITY_PART, "identity", name, "part")
    trunk = {name: panel for name, panel in gradients.items() if panel.path == "trunk"}
    return found | {**trunk, "x": found["x"], "out": replace(trunk["out"], what="sent in")}


def shortcut_name(stage: str) -> str:
    """Return the name of the second term of the sum, given the stage where it comes from."""
    return "x" if stage == "x" else "shortcut(x)"


def shortcut_words(spec: BlockSpec, backward: bool) -> str:
    """What is written beside the shortcut's wire."""
    if backward and spec.shortcut == ():
        return "back through the identity: ⊕ copies g, no weight multiplies it"
    if spec.shortcut is None:
        return "no shortcut: x has no path of its own to out"
    if not spec.shortcut:
        return "identity path: nothing is computed here"
    return "shortcut: no longer the identity"


def equation(spec: BlockSpec, theme: Theme) -> str:
    """The spec as one line, in the colours of its paths."""
    words = f"<span style='color:{theme.branch}'>F(x)</span>"
    if spec.shortcut is not None:
        identity = "x" if not spec.shortcut else "shortcut(x)"
        words += f" + <span style='color:{theme.identity}'>{identity}</span>"
    for _, layer in spec.after:
        words = f"{_short(layer)}( {words} )"
    return f"out = {words}"


def gradient_equation(spec: BlockSpec, theme: Theme) -> str:
    """The chain rule at x in the colours of the paths; g is the gradient where they meet."""
    identity = "J<sub>shortcut</sub>ᵀ g" if spec.shortcut else "g"
    plus = f"<span style='color:{theme.identity}'>{identity}</span> + "
    if spec.shortcut is None:
        plus = ""
    return f"∂x = {plus}<span style='color:{theme.branch}'>J<sub>F</sub>ᵀ g</span>"
