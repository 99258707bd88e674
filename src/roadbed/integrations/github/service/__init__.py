"""Talking to GitHub: requests within its budget, and with which credential."""
