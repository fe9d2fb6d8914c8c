"""The `agentobs` command: thin, each verb calls into the folder that owns it."""
