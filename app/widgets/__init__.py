"""Larger parts of pages; each module is named after the page that it belongs to."""
