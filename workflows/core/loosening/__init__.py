"""What one policy gives in production that another one did not. Pure."""

from __future__ import annotations

from workflows.core.loosening.compare import loosened
from workflows.core.loosening.gone import leaves
from workflows.core.loosening.model import Kind, Loosened

__all__ = ["Kind", "Loosened", "leaves", "loosened"]
