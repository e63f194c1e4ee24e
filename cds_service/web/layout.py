"""What all pages have in common: their frame, their headers, and how a template becomes a response."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response, current_app, render_template

from cds_service.web.page_headers import PageHeaders

LAYOUT = "cds_layout"


@dataclass(frozen=True, slots=True)
class Layout:
    """The frame of every page. `root` is the path under which the service is published, without a final slash."""

    root: str
    is_demo: bool
    product: str
    label_revision: str
    rule_set: str
    not_reviewed: str
    headers: PageHeaders


def html_page(template: str, *, reads_charts: bool = False, **shown: object) -> Response:
    """The page of this template, which extends layout.html; every value is escaped, and none may be missing.

    Only with `reads_charts` may its scripts ask FHIR servers.
    """
    return html_response(rendered(template, **shown), reads_charts=reads_charts)


def rendered(template: str, **shown: object) -> str:
    """The text of the page of this template."""
    return render_template(template, layout=current_app.extensions[LAYOUT], **shown)


def html_response(text: str, *, reads_charts: bool = False) -> Response:
    """A page of this text, with what a browser may do there."""
    layout: Layout = current_app.extensions[LAYOUT]
    response = Response(text, content_type="text/html; charset=utf-8")
    response.headers.update(layout.headers.of_chart_page() if reads_charts else layout.headers.of_page())
    return response
