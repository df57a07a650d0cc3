"""AWS on this machine: moto's backends behind a proxy that can be as slow, as strict and as unlucky as the real one.

Importing this package loads nothing; `bot.sandbox.aws.server` is what brings moto in.
"""
