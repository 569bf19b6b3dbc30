"""What can be saved of a network: picture and arrays, of all blocks or of the chosen one."""

from explorer.export.arrays import about_trace, network_arrays, trace_arrays
from explorer.page.bar import Bar
from explorer.page.export_block import arrays_offer
from explorer.page.export_control import export, is_exporting
from explorer.records import NetworkTrace


def export_network(
    bar: Bar, name: str, title: str, trace: NetworkTrace, chosen: str | None
) -> None:
    """Draw what can be saved of a network's trace, while the control is open.

    Args:
        bar: has the place of the control.
        name: of the files, without their endings.
        title: what the network and the picture are, in words.
        trace: of one picture.
        chosen: the block that the user has clicked, if any.
    """
    if not is_exporting(bar):
        return
    offers = arrays_offer("Arrays of all blocks", network_arrays(trace), f"{title}\n")
    if chosen is not None:
        block = trace[chosen]
        words = f"{chosen} of: {title}\n{about_trace(block)}"
        offers += arrays_offer(f"Arrays of {chosen}", trace_arrays(block), words, f"-{chosen}")
    export(bar, name, title, offers)
