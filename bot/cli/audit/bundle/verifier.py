"""`verify.py` of a bundle: the modules that `prodaccess audit verify` itself runs, word for word, in one file."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

# What is run. What it imports when it is imported itself goes with it, and so on.
MAIN = "bot.cli.audit.offline"
_OURS = ("bot", "workflows")
_QUOTE = "'''"
_BEGIN = '''#!/usr/bin/env python3
"""Checks this bundle, without network: python3 verify.py --key FINGERPRINT

Needs Python 3.11 or newer, and the package `cryptography`. The fingerprint is your own: never one that came with the bundle.

Below stand, word for word, the modules of prodaccess that `prodaccess audit verify` runs, one after the other. Nothing else of
prodaccess is needed, and a copy that is installed on this machine is not used.
"""

import importlib.abc
import importlib.util
import sys
from pathlib import Path

SOURCES = {}
'''
_END = '''

class Embedded(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports what stands above, and nothing else under these names."""

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in ("bot", "workflows"):
            return None
        package = any(known.startswith(name + ".") for known in SOURCES)
        if name not in SOURCES and not package:
            raise ModuleNotFoundError(f"{name} is not in this file", name=name)
        return importlib.util.spec_from_loader(name, self, is_package=package)

    def exec_module(self, module):
        name = module.__name__
        if name in SOURCES:
            exec(compile(SOURCES[name], f"verify.py: {name}", "exec"), module.__dict__)


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.meta_path.insert(0, Embedded())
    from bot.cli.audit.offline import main

    sys.exit(main(sys.argv[1:], Path(__file__).absolute().parent))
'''


def verifier() -> Iterator[str]:
    """The file, part by part."""
    yield _BEGIN
    for name in modules():
        source = _source(name)
        if _QUOTE in source:
            raise AssertionError(f"{name} cannot stand in a raw string")
        yield f"\n# {'-' * 16} {name}\nSOURCES[{name!r}] = r{_QUOTE}{source}{_QUOTE}\n"
    yield _END


def modules() -> Sequence[str]:
    """Ours that the verifier needs, in the order in which an auditor reads them: what is run, then what it stands on."""
    found = [MAIN]
    for name in found:
        found += [each for each in _imported(name) if each not in found]
    return found


def _imported(name: str) -> Iterator[str]:
    """Not what is there for types alone, and not what a function imports that the verifier never calls."""
    for node in ast.parse(_source(name)).body:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] in _OURS:
            parts = [f"{node.module}.{each.name}" for each in node.names]
            inside = [part for part in parts if _is_package(node.module) and find_spec(part) is not None]
            yield from dict.fromkeys(inside or [node.module])


def _is_package(name: str) -> bool:
    return (found := find_spec(name)) is not None and found.submodule_search_locations is not None


def _source(name: str) -> str:
    found = find_spec(name)
    return Path(found.origin if found and found.origin else "").read_text(encoding="utf-8")
