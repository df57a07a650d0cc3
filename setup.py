"""What pyproject.toml cannot say: the example policy, the pages of docs and files of deploy stand at the top of the sources,
where people look for them, and inside the package once it is installed. `bot/shipped.py` finds either; docs/adr/0043 says why.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

TOP = Path(__file__).resolve().parent
SHIPPED = {
    "config": ("*.yaml", "*/*.yaml", "*/*.json"),
    # What messages and pages point to, and what somebody puts in place who has only the wheel.
    "deploy": tuple(f"{folder}/**/*" for folder in ("aws", "grafana", "prometheus", "redis", "slack", "systemd")),
    "docs": ("*.md",),
}
NOT_SHIPPED = {"docs/sentences.md", "docs/where-to-change.md"}  # for those who change it


class WithWhatIsShipped(build_py):
    """A wheel gets the copies; an editable install has the originals."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            for original in shipped():
                copy = Path(self.build_lib) / "bot" / "_shipped" / original.relative_to(TOP)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(original, copy)


def shipped() -> list[Path]:
    found = (path for folder, patterns in SHIPPED.items() for each in patterns for path in (TOP / folder).glob(each))
    return sorted(path for path in found if path.is_file() and path.relative_to(TOP).as_posix() not in NOT_SHIPPED)


setup(cmdclass={"build_py": WithWhatIsShipped})
