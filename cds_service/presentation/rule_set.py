"""Which rule set this is, told by the content of its files."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path

_SUFFIXES = frozenset({".md", ".yaml", ".csv"})


@cache
def rule_set_digest(folder: Path) -> str:
    """SHA-256 over every card, number, table and code list in the folder's own folders, with its name, in their order.

    The same for the same files wherever they lie. What a site puts over them is not in it. Read once in a process.
    """
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*/*") if path.suffix in _SUFFIXES}
    digest = sha256()
    for name in sorted(paths):
        content = paths[name].read_bytes()
        digest.update(f"{name}\n{len(content)}\n".encode() + content)
    return digest.hexdigest()
