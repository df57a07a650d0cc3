"""What the audit log alone tells of access that may be open, for a ledger that knows nothing of it any more. Pure."""
