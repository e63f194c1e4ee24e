"""The files of the pages: named ones only, kept by browsers, asked for again with what they have."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from cds_service.errors import ContentProblem
from cds_service.web.static_files import STATIC_FOLDER, load_static_files


def test_every_file_of_the_folder_is_served_as_what_it_is(client: FlaskClient) -> None:
    types = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".txt": "text/plain"}
    for path in STATIC_FOLDER.glob("[!.]*"):
        response = client.get(f"/static/{path.name}")
        assert (response.status_code, response.data) == (200, path.read_bytes())
        assert response.mimetype == types[path.suffix]
        assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_a_browser_that_has_the_file_is_told_so(client: FlaskClient) -> None:
    first = client.get("/static/pages.css")
    again = client.get("/static/pages.css", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert first.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("name", ["nothing.css", "../layout.py", "..%2Flayout.py", "%2e%2e/pages.py", ".hidden", ""])
def test_no_other_file_can_be_had(client: FlaskClient, name: str) -> None:
    response = client.get(f"/static/{name}")
    assert response.status_code == 404
    assert response.get_json()["resourceType"] == "OperationOutcome"


def test_a_file_is_only_read(client: FlaskClient) -> None:
    assert client.head("/static/pages.css").status_code == 200
    refused = client.post("/static/pages.css")
    assert (refused.status_code, refused.get_json()["resourceType"]) == (405, "OperationOutcome")


def test_a_file_of_another_kind_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "app.js.map").write_text("{}")
    with pytest.raises(ContentProblem, match=r"app\.js\.map: files of this kind are not served; use \.css, .*remove"):
        load_static_files(tmp_path)
