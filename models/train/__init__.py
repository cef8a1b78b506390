"""Training of the artefacts in models/files. Runs in its own environment; the gateway never imports it."""
