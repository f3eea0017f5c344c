"""The pieces of `benchmarks.fullsize`: what files a model is made of, writing them, running on them, the table."""
