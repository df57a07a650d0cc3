"""`prodaccess aws ...`: documents of IAM for whoever runs the AWS accounts, printed and never applied."""

from __future__ import annotations

import typer

from bot.cli.aws.guardrails import guardrails
from bot.cli.aws.policy import policy
from bot.cli.program import add, program


def register(app: typer.Typer) -> None:
    aws = program("What AWS shall let the worker do, and nobody else: policies to attach. Nothing is changed in AWS.")
    add(aws, policy)
    add(aws, guardrails)
    app.add_typer(aws, name="aws")
