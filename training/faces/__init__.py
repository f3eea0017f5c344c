"""The face models of the drawn world, trained: a detector, an embedder and a parser in the real ones' interfaces."""
