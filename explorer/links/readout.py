"""The card of the stage figure: one pixel's sum in numbers, as terms of `PinLink.readout`."""

from collections.abc import Mapping
from types import MappingProxyType

from explorer.figures.printed import ROUNDED
from explorer.figures.theme import THEMES, ThemeName
from explorer.linked_figure.payload import (
    LargerTerm,
    Line,
    NegativeTerm,
    RoundedTerm,
    SignsTerm,
    Term,
    TextTerm,
    ValueTerm,
)
from explorer.model.spec import BlockSpec


def block_readout(
    spec: BlockSpec,
    prefix: str,
    heading: str,
    theme: ThemeName,
    is_mean: bool,
    elsewhere: Mapping[str, str] = MappingProxyType({}),
) -> Line:
    """Return one pixel of a block in numbers. Means add up too, but a ReLU is not linear.

    `elsewhere` is that of `PanelBlock`.
    """

    def panel(stage: str) -> str:
        return elsewhere.get(prefix + stage, prefix + stage)

    colours, of = THEMES[theme], "mean " if is_mean else ""
    residual, identity = panel(spec.residual), panel(spec.identity or "")
    name = "x" if spec.identity == "x" else "shortcut(x)"
    terms: list[Term] = [TextTerm(f"{heading}:")] if heading else []
    branch = ValueTerm(residual, f"{of}F(x)", colours.branch)
    if spec.identity:
        terms += [
            ValueTerm(identity, f"{of}{name}", colours.identity),
            TextTerm("+"),
            branch,
            TextTerm("="),
            ValueTerm(panel("add"), f"{of}add"),
            RoundedTerm((identity, residual), panel("add"), ROUNDED),
        ]
    else:
        terms.append(branch)
    out = ValueTerm(panel("out"), f"{of}out")
    after = " → ".join(layer.label for _, layer in spec.after)
    if not after:
        return (*terms, TextTerm("="), out)
    if is_mean:
        return (*terms, TextTerm(f"· {after} before the mean:"), out)
    terms += [TextTerm(f"→ {after} →"), out]
    if spec.identity:
        texts = f"{name} dominates", "F(x) dominates"
        terms.append(LargerTerm((identity, residual), texts))
    if spec.identity and spec.last_relu_input == "add" and not heading:  # two blocks lack the room
        terms.append(SignsTerm((identity, panel("add")), _outcomes(name)))
    elif spec.last_relu_input:
        terms.append(NegativeTerm(panel(spec.last_relu_input), "zeroed"))
    return tuple(terms)


def _outcomes(identity: str) -> tuple[str, str, str, str]:
    """Return what F(x) changed, by the signs of the identity and of the sum."""
    return (
        f"kept: without F(x) the ReLU would keep {identity} too",
        f"zeroed because of F(x): without it the ReLU would keep {identity}",
        f"kept because of F(x): without it the ReLU would zero {identity}",
        f"zeroed: without F(x) the ReLU would zero {identity} too",
    )


def gradient_readout(spec: BlockSpec, theme: ThemeName, is_mean: bool) -> Line:
    """Return the gradient at one pixel of x, by path."""
    colours, of = THEMES[theme], "mean " if is_mean else ""
    residual = ValueTerm("residual", f"{of}through F", colours.branch)
    total = ValueTerm("x", f"{of}total at x")
    if spec.shortcut is None:
        return (residual, TextTerm("="), total)
    identity = ValueTerm("identity", f"{of}through the shortcut", colours.identity)
    texts = "the shortcut dominates", "F dominates"
    larger = LargerTerm(("identity", "residual"), texts)
    rounded = RoundedTerm(("identity", "residual"), "x", ROUNDED)
    return (identity, TextTerm("+"), residual, TextTerm("="), total, rounded, larger)
