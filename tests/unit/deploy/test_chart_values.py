"""The chart's values are told, and its schema knows them: without Helm, so that it is looked at on every run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.chart_doc import CHART, PAGE, page, values

SCHEMA = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
TEXT = (CHART / "values.yaml").read_text(encoding="utf-8")
SCRIPT = CHART.parent / "policy_values.py"


def test_the_table_of_values_is_the_one_that_the_comments_make() -> None:
    now = PAGE.read_text(encoding="utf-8")
    assert page(now, TEXT) == now, "python -m tests.support.chart_doc writes it anew"


def test_every_value_is_told() -> None:
    assert [each.path for each in values(TEXT) if not each.said] == []


def test_a_value_that_nobody_tells_would_be_found() -> None:
    text = "# -- Told.\na: 1\nb:\n  c: 2\n  # -- Told with all below it.\n  d: {e: 3}\n"
    assert [(each.path, each.said) for each in values(text)] == [
        ("a", "Told."),
        ("b.c", ""),
        ("b.d", "Told with all below it."),
    ]


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    return found


def unknown(given: Any, schema: dict[str, Any], path: str = "") -> list[str]:
    """Paths of what stands in only one of the two."""
    schema = resolved(schema)
    own = schema.get("properties")
    if own is None or not isinstance(given, dict):
        return []
    both = given.keys() & own.keys()
    found = [f"{path}{key}" for key in given.keys() ^ own.keys()]
    return found + [each for key in both for each in unknown(given[key], own[key], f"{path}{key}.")]


def test_the_schema_names_what_the_values_name() -> None:
    # A subchart's parent gives `global`; an empty group's parts are the user's.
    assert set(unknown(yaml.safe_load(TEXT), SCHEMA)) <= {
        "global",
        *(f"{path}.ephemeral-storage" for path in quantities()),
        *(f"{path}.limits.cpu" for path in resources()),
    }


def resources() -> list[str]:
    of_processes = [f"{name}.resources" for name in ("web", "worker", "clock", "sealer", "valkey")]
    return [*of_processes, "policy.git.resources"]


def quantities() -> list[str]:
    return [f"{path}.{part}" for path in resources() for part in ("requests", "limits")]


@pytest.mark.parametrize("file", sorted(CHART.glob("ci/*.yaml")), ids=lambda file: file.stem)
def test_each_file_of_values_that_the_tests_use_says_what_it_is(file: Path) -> None:
    assert file.read_text(encoding="utf-8").startswith("# ")


def test_a_folder_becomes_values() -> None:
    folder = CHART.parents[2] / "config"
    done = subprocess.run((sys.executable, SCRIPT, folder), capture_output=True, text=True, check=True)
    files = json.loads(done.stdout)["policy"]["files"]
    assert {
        "prodaccess.yaml",
        "roles.yaml",
        "environments/orders-prod.yaml",
        "policies/repair-orders.json",
    } <= files.keys()
    assert files["roles.yaml"] == (folder / "roles.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("large", [False, True])
def test_a_folder_that_is_none_or_too_large_is_refused_in_one_sentence(tmp_path: Path, large: bool) -> None:
    if large:
        (tmp_path / "prodaccess.yaml").write_text("#" * 1_000_001)
    done = subprocess.run((sys.executable, SCRIPT, tmp_path), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
