"""The style sheets, scripts and pictures of our pages, read once at the start; nothing else can be asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from flask import Response, abort, current_app, request

from cds_service.errors import ContentProblem

STATIC_FILES = "cds_static_files"
STATIC_FOLDER = Path(__file__).resolve().parent / "static"
_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file as it is served: its bytes, its media type, and the digest that tells whether it has changed."""

    body: bytes
    media_type: str
    digest: str


def load_static_files(folder: Path = STATIC_FOLDER) -> Mapping[str, StaticFile]:
    """Every file of the folder itself but hidden ones, by name; a name that is not in here is not served.

    Raises ContentProblem where a file is of a kind that our pages do not use, such as a source map.
    """
    paths = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    return {path.name: _static_file(path) for path in paths}


def _static_file(path: Path) -> StaticFile:
    media_type = _MEDIA_TYPES.get(path.suffix)
    if media_type is None:
        raise ContentProblem(f"{path}: files of this kind are not served; use {', '.join(_MEDIA_TYPES)}, or remove it")
    body = path.read_bytes()
    return StaticFile(body, media_type, sha256(body).hexdigest())


def static_file_response(name: str) -> Response:
    """The file of this name, or 304 where the browser has it already; 404 where there is none.

    A browser keeps it and asks each time whether it is still the same, so that a page never meets the script of an
    older release.
    """
    files: Mapping[str, StaticFile] = current_app.extensions[STATIC_FILES]
    file = files.get(name)
    if file is None:
        abort(404)
    response = Response(file.body, content_type=file.media_type)
    response.set_etag(file.digest)
    response.headers["Cache-Control"] = "no-cache"
    response.make_conditional(request)
    return response
