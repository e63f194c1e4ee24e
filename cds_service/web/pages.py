"""Routes of the pages that are served in every mode: what they are made of, the rules, and what this software is."""

from __future__ import annotations

from flask import Blueprint, Flask, Response
from jinja2 import StrictUndefined

from cds_service.web.layout import LAYOUT, Layout
from cds_service.web.static_files import STATIC_FILES, load_static_files, static_file_response

pages = Blueprint("pages", __name__, template_folder="templates")


def register_pages(app: Flask, layout: Layout) -> None:
    """Give the application its pages. Raises ContentProblem where one of their files is not acceptable."""
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.extensions[LAYOUT] = layout
    app.extensions[STATIC_FILES] = load_static_files()
    app.register_blueprint(pages)


@pages.get("/static/<name>")
def static_file(name: str) -> Response:
    """One style sheet, script or picture of the pages."""
    return static_file_response(name)
