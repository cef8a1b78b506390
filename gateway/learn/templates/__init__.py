"""Rules and traffic to start from, as data; ``gateway.learn.shipped`` reads them."""
