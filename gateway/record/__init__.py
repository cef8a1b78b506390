"""
One record per request: everything a decision was made from and everything that came of it.

Records are observable (metrics), readable (GET /v1/decisions/{id}) and replayable: the same record
and the same versions give the same decision. Recording is never worth a request: nothing here
waits on the path of a request, and whatever cannot be kept is dropped and counted.
"""
