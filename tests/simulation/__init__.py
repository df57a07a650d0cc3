"""A whole installation that is lived through on one seed: see docs/adr/0055-a-simulation-on-one-seed.md.

python -m tests.simulation --seed 7 --lives 500
"""
