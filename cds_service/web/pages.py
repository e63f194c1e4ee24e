"""Routes of the pages that are served in every mode: what they are made of, the rules, and what this software is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import groupby
from typing import Any

import msgspec
from flask import Blueprint, Flask, Response, current_app, request
from jinja2 import StrictUndefined

from cds_service.errors import UnknownService
from cds_service.presentation.about_page import AboutPage
from cds_service.presentation.catalogue import HOOKS, PageWords
from cds_service.presentation.rule_page import RulePage
from cds_service.presentation.words_shown import headline_shown, words_shown
from cds_service.web.layout import LAYOUT, Layout, html_page
from cds_service.web.rule_json import about_document, rule_document, rules_document
from cds_service.web.static_files import STATIC_FILES, load_static_files, static_file_response

RULE_PAGES, PAGE_WORDS, ABOUT_PAGE = "cds_rule_pages", "cds_page_words", "cds_about_page"
_HTML, _JSON = "text/html", "application/json"

pages = Blueprint("pages", __name__, template_folder="templates")


def register_pages(
    app: Flask, layout: Layout, rules: Mapping[str, RulePage], words: PageWords, about: AboutPage
) -> None:
    """Give the application its pages. Raises ContentProblem where one of their files is not acceptable."""
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.extensions |= {LAYOUT: layout, STATIC_FILES: load_static_files()}
    app.extensions |= {RULE_PAGES: rules, PAGE_WORDS: words, ABOUT_PAGE: about}
    app.register_blueprint(pages)


@pages.get("/static/<name>")
def static_file(name: str) -> Response:
    """One style sheet, script or picture of the pages."""
    return static_file_response(name)


@pages.get("/rules")
def list_rules() -> Response:
    """Every rule by topic."""
    rules: Mapping[str, RulePage] = current_app.extensions[RULE_PAGES]

    def page() -> Response:
        topics = [(name, list(of_topic)) for name, of_topic in groupby(rules.values(), lambda rule: rule.topic_name)]
        return html_page("rules.html", topics=topics, rules=len(rules))

    return _as_accepted(page, lambda: rules_document(rules.values()))


@pages.get("/rules/<rule_id>")
def show_rule(rule_id: str) -> Response:
    """One rule: its words, levels, numbers and cases."""
    rule: RulePage | None = current_app.extensions[RULE_PAGES].get(rule_id)
    if rule is None:
        raise UnknownService("no rule has this id; GET /rules lists them")

    def page() -> Response:
        words: PageWords = current_app.extensions[PAGE_WORDS]
        return html_page(
            "rule.html", rule=rule, hooks=HOOKS, words=words, headline_shown=headline_shown, words_shown=words_shown
        )

    return _as_accepted(page, lambda: rule_document(rule))


@pages.get("/about")
def show_about() -> Response:
    """What this decision support is, for whom, on what it rests, and what it cannot do."""
    about: AboutPage = current_app.extensions[ABOUT_PAGE]
    return _as_accepted(lambda: html_page("about.html", about=about), lambda: about_document(about))


def _as_accepted(page: Callable[[], Response], document: Callable[[], dict[str, Any]]) -> Response:
    """The page, or the same as JSON for a caller that would rather have it."""
    if request.accept_mimetypes.best_match([_HTML, _JSON]) == _JSON:
        response = Response(msgspec.json.encode(document()), content_type=_JSON)
    else:
        response = page()
    response.vary.add("Accept")
    return response
