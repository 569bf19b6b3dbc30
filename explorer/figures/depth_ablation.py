"""The change of a stack's output by the index of the block that is deleted or swapped."""

import plotly.graph_objects as go

from explorer.errors import check_type
from explorer.figures.charts import Chart, axes, block_axis, two_layouts
from explorer.figures.theme import ThemeName, theme_of
from explorer.figures.two_layouts import ArrangementName, TwoLayouts
from explorer.records import AblationRecord

SUBTITLES = {"delete": "block deleted", "swap": "block swapped with the next"}


def ablation_figure(
    residual: AblationRecord,
    plain_network: AblationRecord,
    *,
    theme: ThemeName = "light",
    arrangement: ArrangementName = "wide",
) -> go.Figure:
    """Draw the change of the output by the index of the block deleted or swapped.

    Args:
        residual, plain_network: the changes of two stacks of the same weights.
        theme: "light" or "dark".
        arrangement: "wide" or "narrow".

    Raises:
        InputError: an argument is none of these.
    """
    return ablation_layouts(residual, plain_network, theme=theme).figure(arrangement)


def ablation_layouts(
    residual: AblationRecord, plain_network: AblationRecord, *, theme: ThemeName
) -> TwoLayouts:
    """Return the figure of `ablation_figure` in both layouts."""
    palette = theme_of(theme)
    check_type("residual", residual, AblationRecord)
    check_type("plain_network", plain_network, AblationRecord)
    data = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": stack,
            "x": list(range(1, record.change.size + 1)),
            "y": record.change,
            "line": {"color": colour, "width": 2},
            "hovertemplate": f"{stack}, block %{{x}}: %{{y:.3f}}<extra></extra>",
            **axes(1),
        }
        for stack, record, colour in (
            ("residual", residual, palette.residual_network),
            ("plain", plain_network, palette.plain_network),
        )
    ]
    title = f"<b>‖changed − out‖ / ‖out‖</b><br>by index of the {SUBTITLES[residual.kind]}"
    chart = Chart(title, block_axis(residual.change.size), {"rangemode": "tozero"})
    legend = {
        "residual network": palette.residual_network,
        "plain network: no shortcuts": palette.plain_network,
    }
    return two_layouts(data, [chart], legend, palette)
