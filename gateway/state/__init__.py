"""
What is remembered or shared: durable facts in SQLite or PostgreSQL, hot state in memory or Redis.

Everything here blocks or waits for a network, so nothing of it lies between accept and dispatch:
replicas hold in memory what decisions need, and are told of changes.
"""
