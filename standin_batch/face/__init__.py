"""The face layer: from a photograph to the subject image that Stand-In is shown.

`detect` finds faces and their five landmarks, `parse` says which pixels belong to a head, and `subject` cuts, pads and
whitens with what those two say. The libraries behind the first two (insightface, facexlib, torch) are imported when a
detector or a parser is made, so that jobs without a face run without them.
"""
