"""``python -m gateway`` is ``switchyard``."""

from gateway.cli import main

main()
