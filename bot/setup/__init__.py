"""Setting an installation up: answers -> a policy folder and `.env` that pass `prodaccess check --strict`.

`questions` asks, `answers` reads a file instead; both end in the same `Answers`, which `files` writes out and `place` puts there.
Nothing here is imported by a process that serves.
"""
