"""The nouns of the gateway: values without behaviour that every other package speaks of."""
