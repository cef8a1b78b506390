"""
Which model answers, and why: a pure function of question, signals, scores, policy and fleet view.

No clock, no loop, no socket, no random source: the same arguments give the same decision in a
year. Deliberately absent: retries (``execute`` walks the ranking), learning (it writes quality
overrides), and any text of the request.
"""
