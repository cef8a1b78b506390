"""How the schema of the record store came to be, one step a file."""
