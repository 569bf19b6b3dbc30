"""The stage figure of a block and a variant: what they share is drawn once, `out` side by side."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from explorer.errors import check_type
from explorer.figures import arrangement as arrange
from explorer.figures import stage_text
from explorer.figures.arrangement import Arrangement, Box, Canvas, Drawing, Paths
from explorer.figures.comparison_arrangement import (
    DIFFERENCE,
    NAME,
    Comparison,
    narrow_comparison,
    wide_comparison,
)
from explorer.figures.panels import equation
from explorer.figures.sheet import text
from explorer.figures.stage import (
    HEADING,
    Part,
    empty_layout,
    lay_out_part,
    paths_of,
    stage_panels,
    traces,
)
from explorer.figures.stage_traces import StagePanel, axes
from explorer.figures.theme import LABEL_SIZE, NOTE_SIZE, TITLE_SIZE, Theme, ThemeName, theme_of
from explorer.figures.two_layouts import TwoLayouts
from explorer.figures.wires import frame, on_paper, plus_shapes, wire_shapes


def comparison_layouts(
    reference: Part, variant: Part, difference: Part | None = None, *, theme: ThemeName
) -> TwoLayouts:
    """Return the figure of a variant and, smaller, of what differs in the reference.

    Args:
        reference: the block; its `hidden` panels are equal in the variant, which shows them.
        variant: the variant of the same x, all of whose panels are drawn.
        difference: a block to be drawn below both, or None.
        theme: "light" or "dark".
    """
    palette = theme_of(theme)
    parts = [check_type("variant", variant, Part), check_type("reference", reference, Part)]
    if difference is not None:
        parts.append(check_type("difference", difference, Part))
    found = stage_panels(parts)
    paths, shape = [paths_of(part.view) for part in parts], variant.view.shape[:2]

    def layout(
        place: Comparison, below: Callable[[Paths, tuple[int, int]], Arrangement], is_wide: bool
    ) -> dict[str, Any]:
        between = ":  " if is_wide else "<br>"
        canvases = arrange.stacked([place.variant, *(below(each, shape) for each in paths[2:])])
        canvas = canvases[0]
        layout = empty_layout(parts, canvas, HEADING + NAME, palette)
        drawing = replace(place.reference, width=canvas.width, height=canvas.height)
        _lay_out_reference(layout, parts, found[1], drawing, palette)
        _lay_out_variant(layout, parts, found[0], canvas, palette)
        layout["annotations"].append(stage_text.legend(canvas, variant.view, palette))
        for part, where in zip(parts, reversed(place.headings), strict=False):
            words = f"<b>{part.heading}</b>{between}{equation(part.view.spec, palette)}"
            font = {"size": TITLE_SIZE + 1}
            lift = NAME if part is reference and is_wide else 0  # into the margin
            layout["annotations"].append(
                text(*on_paper(canvas, where), words, font=font, align="left", yshift=lift)
            )
        for part, of_part, lower in zip(parts[2:], found[2:], canvases[1:], strict=True):
            lay_out_part(layout, part, of_part, lower, palette)
        return layout

    shown = frozenset(found[1])
    wide, narrow = (
        arranged(paths[1], paths[0], shape, shown)
        for arranged in (wide_comparison, narrow_comparison)
    )
    return TwoLayouts(
        traces(parts, found, palette),
        layout(wide, partial(arrange.wide, sizes=DIFFERENCE), True),
        layout(narrow, arrange.narrow, False),
    )


def _lay_out_reference(
    layout: dict[str, Any],
    parts: list[Part],
    of_part: dict[str, StagePanel],
    canvas: Drawing,
    theme: Theme,
) -> None:
    """Add the reference: small panels of what differs, empty frames for the rest."""
    variant, reference = parts[0].view, parts[1].view
    layout["shapes"] += wire_shapes(canvas, theme, False) + plus_shapes(canvas, theme)
    if canvas.wires:
        x = text(*on_paper(canvas, (4, canvas.wires[0].points[0][1])), "x", yanchor="middle")
        x["font"] = {"size": LABEL_SIZE}
        layout["annotations"].append(x)
    for name, box in canvas.boxes.items():
        if name not in of_part:
            layout["shapes"].append(frame(canvas, box, theme.muted, width=1))
            same = text(*on_paper(canvas, box.middle), "same", xanchor="center", yanchor="middle")
            layout["annotations"] += [
                same | {"font": {"size": NOTE_SIZE, "color": theme.muted}},
                _name(canvas, box, name, theme.muted),
            ]
            continue
        panel = of_part[name]
        _draw_panel(layout, panel, box, canvas, reference.shape, theme)
        if name == "out":
            layout["annotations"] += _about_out(
                parts[1], panel, box, canvas, "the reference", theme
            )
            continue
        words = f"<b>{name}</b>"
        if panel.panel.stage not in variant.panels:
            words += f"<span style='font-size:{NOTE_SIZE}px'>, removed</span>"
        if panel.view.note:
            words += f", {panel.view.note}"
        elif reference.scope != "block":
            words += f", ±{panel.view.limit:.2g}"
        layout["annotations"].append(_name(canvas, box, words, theme.text))


def _lay_out_variant(
    layout: dict[str, Any],
    parts: list[Part],
    of_part: dict[str, StagePanel],
    canvas: Arrangement,
    theme: Theme,
) -> None:
    """Add the variant, with a word on what is changed in each title."""
    view = parts[0].view
    layout["shapes"] += wire_shapes(canvas, theme, False) + plus_shapes(canvas, theme)
    layout["annotations"] += stage_text.path_labels(canvas, view, theme)
    for name, panel in of_part.items():
        box = canvas.boxes[name]
        _draw_panel(layout, panel, box, canvas, view.shape, theme)
        if name == "out":
            layout["annotations"] += _about_out(parts[0], panel, box, canvas, "the variant", theme)
            continue
        note = _change(panel, parts, theme)
        layout["annotations"].append(stage_text.title(canvas, box, panel, theme, note))
        layout["annotations"] += stage_text.caption(canvas, box, panel, view.scope, theme)


def _change(panel: StagePanel, parts: list[Part], theme: Theme) -> str | None:
    """Return how a panel of the variant differs from the reference; None for its shape alone."""
    (variant, reference), stage, shape = parts[:2], panel.panel.stage, panel.view.shape
    if stage == "x":
        return None if panel.panel.name == "x" else ""
    size, is_usual = "×".join(map(str, shape)), shape == variant.view.shape
    if stage in reference.hidden:
        return "unchanged" if is_usual else size
    word = "changed" if stage in reference.view.panels else "new"
    if not is_usual:
        # Another shape says that it is changed; both words would not fit between many panels.
        word = f"{size}, new" if word == "new" else size
    return f"<span style='color:{theme.text}'><b>{word}</b></span>"


def _about_out(
    part: Part, panel: StagePanel, box: Box, canvas: Canvas, whose: str, theme: Theme
) -> list[dict[str, Any]]:
    """Return title and caption of a panel of `out`."""
    view, notes = part.view, []
    if panel.view.shape != view.shape:
        notes.append("×".join(map(str, panel.view.shape)))
    if view.zeroed_part is not None:
        notes.append(f"grey: {stage_text.percentage(view.zeroed_part)} zeroed")
    named = replace(panel, panel=replace(panel.panel, name=f"out of {whose}"))
    return [
        stage_text.title(canvas, box, named, theme, ", ".join(notes)),
        *stage_text.caption(canvas, box, panel, view.scope, theme),
    ]


def _draw_panel(
    layout: dict[str, Any],
    panel: StagePanel,
    box: Box,
    canvas: Canvas,
    shape: tuple[int, int, int],
    theme: Theme,
) -> None:
    """Add the axes of a panel, or its frame where it is blank."""
    colour = getattr(theme, panel.panel.path)
    if panel.axis_number is None:
        layout["shapes"].append(frame(canvas, box, colour))
    else:
        layout |= axes(canvas, box, panel.axis_number, shape, colour)


def _name(canvas: Canvas, box: Box, words: str, colour: str) -> dict[str, Any]:
    """Return the line above a small panel; there is room for a value in between."""
    font = {"size": LABEL_SIZE, "color": colour}
    return text(
        *on_paper(canvas, (box.left, box.top - 1)), words, font=font, yshift=stage_text.VALUE
    )
