"""Anybody's text in Markdown, and tables."""

import re
from collections.abc import Sequence

from benchmark.reports.notes import Note, Span
from benchmark.wording import visible

_SPECIAL = re.compile(r"([\\`*_{}\[\]#~|$])")


def escape(text: str) -> str:
    """Text that Markdown shows as it is: no markup, no HTML, no links, nothing hidden, one line."""
    flat = visible(" ".join(text.split())).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # GitHub turns bare addresses into links; a backslash within keeps them text
    return re.sub(r"(:)(?=//)|(?<=www)(\.)", r"\\\1\2", _SPECIAL.sub(r"\\\1", flat), flags=re.IGNORECASE)


def in_markdown(note: Note) -> str:
    """A note with its strong words and code marked."""
    return "".join(map(_span, note))


def _span(span: Span) -> str:
    if span.kind == "code":
        return f"`{span.text.replace('`', chr(39))}`"
    text = escape(span.text)
    if span.kind == "strong":
        return f"**{text}**"
    return " " * span.text.startswith(" ") + text + " " * span.text.endswith(" ")


def table(rows: Sequence[Sequence[str]], alignment: str) -> str:
    """The first row is its head, ``alignment`` the line below it without its outer bars."""
    head, *body = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([head, f"|{alignment}|", *body])
