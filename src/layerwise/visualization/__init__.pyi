# Written by .ci/stubs.py from the table of contents in __init__.py: change that one.
# fmt: off
# ruff: noqa
from .galleries import plot_bounding_box_gallery as plot_bounding_box_gallery
from .galleries import plot_image_gallery as plot_image_gallery
from .galleries import plot_segmentation_mask_gallery as plot_segmentation_mask_gallery
from .marking import draw_bounding_boxes as draw_bounding_boxes
from .marking import draw_segmentation_masks as draw_segmentation_masks
