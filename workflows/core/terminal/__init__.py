"""Asking and agreeing from a terminal: what is signed there, and who AWS says has signed it."""
