"""Two sample apps from public data sets, made through the public HTTP API only."""
