"""What pipelines make.

Words: an *artifact* is the installed, relocatable tree that a pipeline built from a commit, with the command that
starts it. It is kept as an OCI image of one layer and named by the digest of its manifest. Its *SBOM* lists what is in
it.
"""
