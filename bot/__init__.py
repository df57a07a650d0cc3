__version__ = "0.1.0"
"""What docs/releases.md says about numbers holds for it; a wheel, the image and the chart have the same."""
