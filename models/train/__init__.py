"""Training of the artefacts in models/files: an environment of its own, never the gateway's."""
