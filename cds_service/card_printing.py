"""Cards for a person at a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.markdown import Markdown
from rich.panel import Panel
from rich.text import Text

_COLOURS = {"critical": "red", "warning": "yellow", "info": "cyan"}


def print_cards(cards: Sequence[dict[str, Any]]) -> None:
    """Print each card as an EHR would show it: headline, detail, what can be done, where it comes from."""
    console = Console()
    if not cards:
        console.print("No cards: this request does not concern the service.")
    for card in cards:
        console.print(_panel(card))


def _panel(card: dict[str, Any]) -> Panel:
    colour = _COLOURS[card["indicator"]]
    parts: list[RenderableType] = [Text(card["summary"], style="bold"), Text(), Markdown(card["detail"])]
    parts += [_suggestion(suggestion) for suggestion in card.get("suggestions", [])]
    title = f"{card['indicator'].upper()}: {card['source']['topic']['code']}"
    return Panel(
        Group(*parts), title=Text(title), subtitle=Text(card["source"]["label"]), border_style=colour, padding=(1, 2)
    )


def _suggestion(suggestion: dict[str, Any]) -> RenderableType:
    lines = [Text(f"\n[ {suggestion['label']} ]", style="bold green")]
    lines += [Text(f"    {action['type']}: {action['description']}") for action in suggestion["actions"]]
    return Group(*lines)
