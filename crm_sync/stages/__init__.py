"""The stages of the main job that touch the store; each stores its result before the next."""
