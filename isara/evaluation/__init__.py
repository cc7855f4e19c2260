"""Measure a model: harm.py (harmful rate, over-refusal), stats.py (intervals and tests)."""
