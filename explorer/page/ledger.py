"""The lines under the stage figure: one pixel's sum in numbers, as terms for `Link.ledger`."""

from typing import Any

from explorer.figures.theme import THEMES, ThemeName
from explorer.recipes import Recipe

Line = tuple[dict[str, Any], ...]


def block_ledger(
    recipe: Recipe, prefix: str, heading: str, theme: ThemeName, is_mean: bool
) -> Line:
    """The block in numbers. Means add up too, but what comes after the sum is not linear."""
    colours, of = THEMES[theme], "mean " if is_mean else ""
    residual, identity = recipe.residual, recipe.identity
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
    after = " → ".join(layer.words for _, layer in recipe.after)
    if not after:
        return (*terms, {"text": "="}, *last)
    if is_mean:
        return (*terms, {"text": f"· {after} before the mean:"}, *last)
    terms += [{"text": f"→ {after} →"}, *last]
    if identity:
        sides, more = [prefix + identity, prefix + residual], "F(x) contributes more"
        terms.append({"larger": sides, "say": [f"{name} contributes more", more]})
    if recipe.cut:
        terms.append({"negative": prefix + recipe.cut, "say": ["zeroed"]})
    return tuple(terms)


def gradient_ledger(recipe: Recipe, theme: ThemeName, is_mean: bool) -> Line:
    """What returns to the pixel of x, by path."""
    colours, of = THEMES[theme], "mean " if is_mean else ""
    residual = {"panel": "residual", "text": f"{of}through F", "colour": colours.branch}
    total = {"panel": "x", "text": f"{of}total at x"}
    if recipe.shortcut is None:
        return (residual, {"text": "="}, total)
    name = f"{of}through the shortcut"
    identity = {"panel": "identity", "text": name, "colour": colours.identity}
    say = ["the shortcut brings more", "F brings more"]
    larger = {"larger": ["identity", "residual"], "say": say}
    return (identity, {"text": "+"}, residual, {"text": "="}, total, larger)
