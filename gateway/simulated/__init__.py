"""
The built-in provider: answers in the name of any model, without a key and without a network.

Everything but ``transport`` is pure: the same request gets the same answer, byte for byte, but for
its time. It never looks at the catalogue, so it serves whatever the fleet says is simulated.
"""
