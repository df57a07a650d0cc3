"""Which pipeline asks, by proved claims alone, and whether the policy lets it ask. Pure."""
