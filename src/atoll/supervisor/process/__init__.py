"""How an environment runs an app: the contract, and running it inside this process."""
