"""The built-in plugins. Each uses only what a plugin from elsewhere could use, and knows no other plugin."""
