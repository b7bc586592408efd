"""An assistant that asks a model, with each kind of call that the client has."""
