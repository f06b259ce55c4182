"""Elements of HTML and SVG. Whatever text they hold is escaped when they are written."""

import re
from xml.etree.ElementTree import Element, tostring

Child = Element | str

_NO_CHARACTERS = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML does not allow, not even escaped."""


def element(tag: str, *children: Child, **attributes: str | float) -> Element:
    """An element. `class_` is the attribute `class`, `aria_label` is `aria-label`; a number is
    written with two decimals at most."""
    made = Element(tag)
    for name, value in attributes.items():
        text = value if isinstance(value, str) else pixels(value)
        made.set(name.rstrip("_").replace("_", "-"), _allowed(text))
    for child in children:
        if isinstance(child, Element):
            made.append(child)
        elif len(made):
            made[-1].tail = (made[-1].tail or "") + _allowed(child)
        else:
            made.text = (made.text or "") + _allowed(child)
    return made


def pixels(value: float) -> str:
    """A length or a position."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def html(root: Element) -> str:
    """An HTML document."""
    return f"<!DOCTYPE html>\n{tostring(root, encoding='unicode', method='html')}\n"


def xml(root: Element) -> str:
    """An XML document, such as an SVG picture."""
    return f"{tostring(root, encoding='unicode')}\n"


def _allowed(text: str) -> str:
    return _NO_CHARACTERS.sub("\N{REPLACEMENT CHARACTER}", text)
