"""What `atoll doctor` looks at. Each module checks one thing and changes nothing."""
