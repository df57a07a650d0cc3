"""What the page carries of others is what was looked at, with its licence, and nothing beside it."""

from tests.support import vendored


def test_the_renderer_of_cards_is_the_pinned_one_with_its_licence() -> None:
    assert vendored.differs() == []
    assert {path.name for path in vendored.FOLDER.iterdir()} == set(vendored.FILES)
    assert "MIT License" in (vendored.FOLDER / "adaptivecards.LICENSE").read_text()
