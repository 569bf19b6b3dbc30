"""What can be saved of a network: picture, page, and arrays of all blocks or of one."""

from collections.abc import Sequence
from functools import partial

from explorer.export.arrays import about_trace, network_arrays, trace_arrays
from explorer.export.html_file import check_network_page_size, network_page
from explorer.page.bar import Bar
from explorer.page.export_block import arrays_offer
from explorer.page.export_control import Offer, channel_words, export, is_exporting, offline_page
from explorer.page.network_panel import ShownNetwork
from explorer.page.own_link import own_link
from explorer.records import NetworkTrace


def export_network(
    bar: Bar,
    name: str,
    trace: NetworkTrace,
    shown: ShownNetwork,
    *,
    network: str,
    picture: str,
    tables: Sequence[Offer] = (),
) -> None:
    """Draw what can be saved of a network's trace, while the control is open.

    Args:
        bar: has the place of the control.
        name: of the files, without their endings.
        trace: of one picture.
        shown: how the figure shows it, and the block that the user has clicked.
        network, picture: what they are, in words.
        tables: further files.
    """
    if not is_exporting(bar):
        return
    title = f"{network}; {picture}"
    offers = arrays_offer("Arrays of all blocks", network_arrays(trace), f"{title}\n")
    if shown.clicked is not None:
        block = trace[shown.clicked]
        words = f"{shown.clicked} of: {title}\n{about_trace(block)}"
        label, suffix = f"Arrays of {shown.clicked}", f"-{shown.clicked}"
        offers += arrays_offer(label, trace_arrays(block), words, suffix)
    make = partial(
        network_page,
        trace,
        channel=shown.channel or 0,
        pin=shown.pin,
        scope=shown.scope,
        title=network,
        description=f"{picture[0].upper()}{picture[1:]}.",
        link=own_link(),
    )
    page = offline_page(partial(check_network_page_size, trace), make)
    words = channel_words(shown.channel)
    export(bar, name, f"{title}; {words}", [*page, *tables], offers, shown=words)
