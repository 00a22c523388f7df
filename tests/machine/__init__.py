"""Parts of the state machine that drives client and simulator together."""
