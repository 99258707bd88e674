"""Scripts for whoever works on Roadbed; nothing here is part of the package."""
