"""The catalog over HTTP: Roadbed's own REST (`rest`), and the API of Backstage's catalog (`backstage`)."""
