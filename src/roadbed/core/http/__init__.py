"""HTTP: errors as problem documents or pages, the guards around every request, and the server process."""
