"""The Plotly template of every figure: font, colours, axes and colour bar of one theme."""

from functools import cache
from typing import Any

import plotly.graph_objects as go

from explorer.figures.theme import FONT, LABEL_SIZE, NOTE_SIZE, Theme

HIDDEN_AXIS = {"showgrid": False, "zeroline": False, "showticklabels": False, "ticks": ""}


@cache
def chart_template(theme: Theme) -> dict[str, Any]:
    """Return the template of curves, bars and points: axes with tick labels and a dotted grid."""
    axis = {
        "automargin": True,
        "showgrid": True,
        "gridcolor": theme.zeroed,
        "griddash": "dot",
        "zerolinecolor": theme.muted,
        "zerolinewidth": 2,
        "title": {"standoff": 15},
    }
    bar = {"marker": {"line": {"color": theme.page, "width": 0.5}}}
    return _template(theme, axis, bar=[bar])


@cache
def map_template(theme: Theme) -> dict[str, Any]:
    """Return the template of heatmaps: framed axes without tick labels, ticks and grid."""
    frame = {"showline": True, "mirror": True, "linewidth": 1, "linecolor": theme.muted}
    return _template(theme, {**HIDDEN_AXIS, **frame})


def _template(theme: Theme, axis: dict[str, Any], **data: Any) -> dict[str, Any]:
    """Return a template as a dict, after one validation by Plotly."""
    note = {"size": NOTE_SIZE, "color": theme.muted}
    layout = {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": theme.page,
        "font": {"family": FONT, "size": LABEL_SIZE, "color": theme.text},
        "showlegend": False,
        "xaxis": axis,
        "yaxis": axis,
        "annotationdefaults": {"showarrow": False},
        "coloraxis": {
            "colorbar": {
                "orientation": "h",
                "xanchor": "left",
                "outlinewidth": 0,
                "tickfont": note,
                "title": {"font": note},
            }
        },
    }
    return dict(go.layout.Template(layout=layout, data=data).to_plotly_json())
