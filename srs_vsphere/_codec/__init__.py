"""Between bytes and values: JSON, JSON arrays, models, CLIXML, structured output."""
