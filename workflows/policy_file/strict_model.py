"""What every model of the files stands on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core.core_schema import ValidationInfo

from workflows.policy_file.problem import nearest, quote
from workflows.policy_file.yaml_reader import Block, Path

Report = Callable[[Path, str, str], None]


class Raw(BaseModel):
    """Keys that are not known, and keys without a value, are reported here, because only here the known ones are at hand."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _keys(cls, data: Any, info: ValidationInfo) -> Any:
        if not isinstance(data, Block) or info.context is None:
            return data
        report: Report = info.context
        known = {field.alias or name for name, field in cls.model_fields.items()}
        for key, value in data.items():
            if key not in known:
                report((*data.path, key), f"no key {quote(key)} here", nearest(key, known))
            elif value is None:
                report((*data.path, key), f"{quote(key)} has no value", "fill it in, or take the key out")
        kept = Block({key: value for key, value in data.items() if key in known and value is not None})
        kept.path = data.path
        # A required key without a value has been reported already; a second sentence for it would only be noise.
        return kept
