"""The engine: the home of torch and diffsynth. Nothing here knows manifests, plans or output folders."""
