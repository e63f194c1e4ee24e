"""Documents within the depth that readers can follow, whatever their texts hold."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.fhir.json_document import DEEPEST, NestedTooDeep, is_deeper, read_json_document

TEXTS = ["", "[]", "{}", '"', "\\", '\\"', "[", "]]", "{", '"["', '\\"[{\\', "]}" * 200, '","[']


def nested(levels: int, inside: object, *, as_objects: bool) -> object:
    for _ in range(levels):
        inside = {"a": inside} if as_objects else [inside]
    return inside


@pytest.mark.parametrize("as_objects", [True, False])
@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("levels", [1, 15, 16, 17, 18, DEEPEST - 1, DEEPEST])
def test_a_document_within_the_depth_is_read_whatever_its_texts_hold(levels: int, text: str, as_objects: bool) -> None:
    document = [nested(levels - 1, text, as_objects=as_objects), text] if levels > 1 else [text]
    assert read_json_document(json.dumps(document).encode()) == document


@pytest.mark.parametrize("as_objects", [True, False])
@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("levels", [DEEPEST + 1, DEEPEST + 2, 5 * DEEPEST])
def test_a_deeper_document_is_refused_whatever_its_texts_hold(levels: int, text: str, as_objects: bool) -> None:
    document = [text, nested(levels - 1, text, as_objects=as_objects), [text]]
    with pytest.raises(NestedTooDeep):
        read_json_document(json.dumps(document).encode())


DOCUMENTS = st.recursive(
    st.sampled_from(TEXTS) | st.integers(-9, 9) | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(TEXTS), inner, max_size=3),
    max_leaves=12,
)


@given(DOCUMENTS, st.integers(DEEPEST - 8, DEEPEST))
def test_the_brackets_tell_what_walking_through_tells(inner: object, levels: int) -> None:
    document = nested(levels, inner, as_objects=False)
    written = json.dumps(document).encode()
    if is_deeper(document, DEEPEST):
        with pytest.raises(NestedTooDeep):
            read_json_document(written)
    else:
        assert read_json_document(written) == document
