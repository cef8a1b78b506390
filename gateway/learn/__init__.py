"""
What answers turn out to be worth: feedback, the quality matrix of model and task, backtests.

Nothing here runs on the path of a request; decisions read its results as plain numbers.
"""
