"""The operator's JSON API and dashboard. Neither it nor the clients' API imports the other."""
