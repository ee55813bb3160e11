"""Pure judgements of rendered manifests: each takes a rendering and returns what is wrong in it."""
