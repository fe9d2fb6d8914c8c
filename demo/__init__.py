"""A sample support desk of four agents and three MCP tool servers: real but for the language model."""
