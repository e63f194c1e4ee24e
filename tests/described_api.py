"""The description that the service serves, and what of a request or an answer does not conform to it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

Json = dict[str, Any]
METHODS = ("get", "post")


class DescribedApi:
    """An OpenAPI document with its schemas ready to be asked."""

    def __init__(self, document: Json) -> None:
        self.document = document
        self._validators: dict[str, Draft202012Validator] = {}

    @classmethod
    def served_by(cls, client: FlaskClient) -> DescribedApi:
        """The description of this service."""
        response = client.get("/openapi.json")
        assert (response.status_code, response.content_type) == (200, "application/json")
        return cls(response.json)

    @cached_property
    def operations(self) -> dict[tuple[str, str], Json]:
        """Every operation by method and path."""
        paths = self.document["paths"].items()
        return {(method, path): item[method] for path, item in paths for method in METHODS if method in item}

    def resolved(self, value: Json) -> Json:
        """A part of the description, or what it refers to."""
        while "$ref" in value:
            found: Any = self.document
            for name in value["$ref"].removeprefix("#/").split("/"):
                found = found[name]
            value = found
        return value

    def request_schema(self, path: str) -> Json:
        """The schema of what is posted to a path."""
        schema: Json = self.operations["post", path]["requestBody"]["content"]["application/json"]["schema"]
        return schema

    def answer_schema(self, method: str, path: str, status: int, kind: str = "application/json") -> Json:
        """The schema of an answer with this status and media type; both have to be described."""
        response = self.resolved(self.operations[method, path]["responses"][str(status)])
        schema: Json = response["content"][kind]["schema"]
        return schema

    def breaches(self, schema: Json, value: Any) -> list[str]:
        """Where a JSON value does not conform to a schema of the description."""
        return sorted(self._breaches(schema, value))

    def _breaches(self, schema: Json, value: Any) -> Iterator[str]:
        name = repr(schema)
        if name not in self._validators:
            whole = {**schema, "components": self.document["components"]}
            checker = Draft202012Validator.FORMAT_CHECKER
            self._validators[name] = Draft202012Validator(whole, format_checker=checker)
        for found in self._validators[name].iter_errors(value):
            error = best_match([found])  # of several alternatives the one that nearly fits
            yield f"{error.json_path}: {error.message[:200]}"
