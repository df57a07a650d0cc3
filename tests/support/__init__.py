"""What tests share; imported as `tests.support` (pytest's `pythonpath` has the repository's root)."""
