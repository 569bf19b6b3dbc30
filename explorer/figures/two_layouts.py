"""A figure's traces with two layouts, for wide and for narrow windows."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import plotly.graph_objects as go

from explorer.errors import check_choice

ArrangementName = Literal["wide", "narrow"]


@dataclass(frozen=True)
class TwoLayouts:
    """Traces, and the layout of the same traces in a wide and in a narrow window."""

    data: list[dict[str, Any]]
    wide: dict[str, Any]
    narrow: dict[str, Any]

    def spec(self, arrangement: ArrangementName = "wide") -> dict[str, Any]:
        """Return `data` and `layout` as dicts, which Plotly has not validated."""
        check_choice("arrangement", arrangement, get_args(ArrangementName))
        return {"data": self.data, "layout": getattr(self, arrangement)}

    def figure(self, arrangement: ArrangementName = "wide") -> go.Figure:
        """Return a Plotly figure in one of the layouts."""
        return go.Figure(self.spec(arrangement))
