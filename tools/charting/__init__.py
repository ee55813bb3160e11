"""The checks of `deploy/k8s`: what `make chart` runs, and the committed render for kubectl users.

`python -m tools.charting` checks; `python -m tools.charting base` writes `deploy/k8s/base` anew.
Judging is pure (`judging/`); the other modules run the tools that judge what we need not.
"""
