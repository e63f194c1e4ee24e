"""The route that serves the description, in every mode and without a token; it holds no patient data."""

from __future__ import annotations

from flask import Blueprint, Response, current_app

OPENAPI_BODY = "cds_openapi_body"

openapi = Blueprint("openapi", __name__)


@openapi.get("/openapi.json")
def describe() -> Response:
    """The description, written once at the start."""
    return Response(current_app.extensions[OPENAPI_BODY], content_type="application/json")
