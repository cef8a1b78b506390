"""The products whose clients we serve: whose headers a request speaks, its reply speaks too."""

from __future__ import annotations

SWITCHYARD = "switchyard"
LOCKLLM = "lockllm"
PRISM = "prism"
NEURALROUTING = "neuralrouting"
