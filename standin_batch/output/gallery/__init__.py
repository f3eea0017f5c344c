"""The gallery: one HTML file that shows an output folder and needs no network.

`columns` turns records into compact columns, `page` puts them with the style and the scripts in `assets/` into one
file, `write` writes it, `throttle` says when it is time to. Nothing here decides what is shown: that is in `assets/`.
"""

from standin_batch.output.gallery.throttle import Throttle
from standin_batch.output.gallery.write import write_gallery

__all__ = ["Throttle", "write_gallery"]
