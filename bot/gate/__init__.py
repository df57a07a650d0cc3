"""The door for pipelines: who one is, by its token, and what it may ask over HTTP."""
