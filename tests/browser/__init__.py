"""Tests that look at the console's pages through a real browser, and what such tests need."""
