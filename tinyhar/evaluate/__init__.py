"""How good a model is, what it costs on a band, and the report that shows both."""
