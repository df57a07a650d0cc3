"""JSON schemas of the files, made from the models, so that an editor completes keys and marks slips."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import NullableSchema, WithDefaultSchema

from workflows.policy_file.cases.raw import TableFile
from workflows.policy_file.provided import environment_file, roles_file, workspace_file

FOLDER = "schema"


class _WithoutNull(GenerateJsonSchema):
    """A key that may be missing must not be empty, so null is offered nowhere."""

    def nullable_schema(self, schema: NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: WithDefaultSchema) -> JsonSchemaValue:
        if schema.get("default", ...) is None:
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)


def schemas() -> Mapping[str, str]:
    """File name -> its text, the same every time."""
    files: Mapping[str, type[BaseModel]] = {
        "cases.json": TableFile,
        "environment.json": environment_file(),
        "prodaccess.json": workspace_file(),
        "roles.json": roles_file(),
    }
    return {name: _text(model) for name, model in files.items()}


def _text(model: type[BaseModel]) -> str:
    found: dict[str, Any] = model.model_json_schema(schema_generator=_WithoutNull, by_alias=True)
    found = {"$schema": "https://json-schema.org/draft/2020-12/schema", **found}
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"
