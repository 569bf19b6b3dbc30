import json
import math
import re
from dataclasses import asdict, fields
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from explorer.linked_figure import payload
from explorer.linked_figure.message import message, with_views
from explorer.linked_figure.payload import (
    BoxLink,
    LargerTerm,
    Link,
    NegativeTerm,
    PanelPixel,
    PickLink,
    PinLink,
    RoundedTerm,
    SignsTerm,
    Term,
    TextTerm,
    ValueTerm,
    View,
    as_json,
    revision,
)
from tests.helpers import strict_json

TYPES = (Path(payload.__file__).parent / "payload.d.ts").read_text(encoding="utf-8")


def fields_in_browser(body: str) -> set[str]:
    return set(re.findall(r"(\w+)\??:", body))


@pytest.mark.parametrize("link", [PinLink, PickLink, BoxLink])
def test_links_have_the_same_fields_in_both_languages(link: Any) -> None:
    (base,) = re.findall(r"interface LinkBase \{(.*?)\}", TYPES, re.DOTALL)
    (own,) = re.findall(rf"interface {link.__name__} extends LinkBase \{{(.*?)\n\}}", TYPES, re.S)
    own = re.sub(r"<.*>", "", own)  # no names of type arguments
    assert {each.name for each in fields(link)} == fields_in_browser(base + own)


@pytest.mark.parametrize(
    "term", [ValueTerm, TextTerm, LargerTerm, NegativeTerm, SignsTerm, RoundedTerm]
)
def test_terms_have_the_same_fields_in_both_languages(term: Any) -> None:
    kind = next(each.default for each in fields(term) if each.name == "kind")
    (own,) = re.findall(rf'\{{ (kind: "{kind}"[^}}]*) \}}', TYPES)
    assert {each.name for each in fields(term)} == fields_in_browser(own)


def test_a_pixel_has_the_same_fields_in_both_languages() -> None:
    (own,) = re.findall(r"interface Pixel \{(.*?)\}", TYPES, re.DOTALL)
    assert {each.name for each in fields(PanelPixel)} == fields_in_browser(own)


def test_a_view_has_the_same_fields_in_both_languages() -> None:
    (own,) = re.findall(r"interface View \{(.*?)\}", TYPES, re.DOTALL)
    assert {each.name for each in fields(View)} == fields_in_browser(own)


def test_a_message_carries_those_of_other_views() -> None:
    own, other = ({"data": [], "layout": {"width": width}} for width in (1, 2))
    compose = partial(message, theme="light", accent="#000")
    texts = [
        compose(figure, view=asdict(View("ab", channel, 2, "block")))
        for channel, figure in enumerate((own, other))
    ]
    found = strict_json(with_views(texts[0], texts[1:]).encode())
    assert found.pop("views") == [json.loads(texts[1])]
    assert found == json.loads(texts[0])
    assert found["view"] == {"subject": "ab", "channel": 0, "channels": 2, "scope": "block"}


def test_each_kind_and_mode_has_its_own_name() -> None:
    links: list[Link] = [PinLink((), "", 1, 1), PickLink((), "", 1, 1, "", ()), BoxLink((), "")]
    assert [link.mode for link in links] == ["pin", "pick", "box"]
    texts = ("", "")
    terms: list[Term] = [ValueTerm("x", ""), TextTerm(""), LargerTerm(texts, texts)]
    terms += [NegativeTerm("x", ""), RoundedTerm(texts, "", ""), SignsTerm(texts, texts + texts)]
    names = ["value", "text", "larger", "negative", "rounded", "signs"]
    assert [term.kind for term in terms] == names


def test_values_that_are_not_finite_become_null() -> None:
    exact = {"x": math.nan, "bn2": math.inf, "add": -math.inf, "out": 1.5}
    link = PinLink(("x",), "label", 2, 3, pin=PanelPixel("x", 1, 2), exact=exact)
    message = strict_json(as_json(asdict(link)).encode())
    assert message["exact"] == {"x": None, "bn2": None, "add": None, "out": 1.5}
    assert message["pin"] == {"panel": "x", "row": 1, "col": 2}


def test_text_of_users_stays_text() -> None:
    text = '</script><b>"\u2028'
    assert json.loads(as_json(asdict(BoxLink((text,), text))))["label"] == text


def test_axes_are_of_one_revision_while_kind_and_shape_stay() -> None:
    same = [PinLink(("x",), "a", 8, 6), PinLink(("x", "out"), "b", 8, 6, title="c")]
    assert len({revision(link, digest) for link in same for digest in "ab"}) == 1
    others: list[Link | None] = [
        same[0],
        PinLink(("x",), "a", 6, 8),
        PickLink(("x",), "a", 8, 6, "", ()),
        PickLink(("x",), "a", 8, 7, "", ()),
        BoxLink(("cells",), "a"),
    ]
    assert len({revision(link, "digest") for link in others}) == len(others)


CHARTS = PickLink(("chart",), "label", 2, 8, "", curves={"chart": ("a", "b")})


@pytest.mark.parametrize("link", [None, BoxLink(("cells",), "label"), CHARTS])
def test_a_figure_without_linked_pixels_has_its_own_axes(link: Link | None) -> None:
    assert revision(link, "a") != revision(link, "b")
