"""The lines under the stage figure: one pixel's sum in numbers, as terms for `Link.readout`."""

from typing import Any

from explorer.figures.theme import THEMES, ThemeName
from explorer.model.spec import BlockSpec

Line = tuple[dict[str, Any], ...]


def block_readout(
    spec: BlockSpec, prefix: str, heading: str, theme: ThemeName, is_mean: bool
) -> Line:
    """Return one pixel of a block in numbers. Means add up too, but a ReLU is not linear."""
    colours, of = THEMES[theme], "mean " if is_mean else ""
    residual, identity = spec.residual, spec.identity
    terms: list[dict[str, Any]] = [{"text": f"{heading}:"}] if heading else []
    part = {"panel": prefix + residual, "text": f"{of}F(x)", "colour": colours.branch}
    name = "x" if identity == "x" else "shortcut(x)"
    if identity:
        terms += [
            {"panel": prefix + identity, "text": f"{of}{name}", "colour": colours.identity},
            {"text": "+"},
            part,
            {"text": "="},
            {"panel": f"{prefix}add", "text": f"{of}add"},
        ]
    else:
        terms.append(part)
    last = [{"panel": f"{prefix}out", "text": f"{of}out"}]
    after = " → ".join(layer.label for _, layer in spec.after)
    if not after:
        return (*terms, {"text": "="}, *last)
    if is_mean:
        return (*terms, {"text": f"· {after} before the mean:"}, *last)
    terms += [{"text": f"→ {after} →"}, *last]
    if identity:
        sides, more = [prefix + identity, prefix + residual], "F(x) contributes more"
        terms.append({"larger": sides, "say": [f"{name} contributes more", more]})
    if spec.last_relu_input:
        terms.append({"negative": prefix + spec.last_relu_input, "say": ["zeroed"]})
    return tuple(terms)


def gradient_readout(spec: BlockSpec, theme: ThemeName, is_mean: bool) -> Line:
    """Return the gradient at one pixel of x, by path."""
    colours, of = THEMES[theme], "mean " if is_mean else ""
    residual = {"panel": "residual", "text": f"{of}through F", "colour": colours.branch}
    total = {"panel": "x", "text": f"{of}total at x"}
    if spec.shortcut is None:
        return (residual, {"text": "="}, total)
    name = f"{of}through the shortcut"
    identity = {"panel": "identity", "text": name, "colour": colours.identity}
    say = ["the shortcut brings more", "F brings more"]
    larger = {"larger": ["identity", "residual"], "say": say}
    return (identity, {"text": "+"}, residual, {"text": "="}, total, larger)
