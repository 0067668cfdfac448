"""Pictures with boxes, masks and labels on them, and galleries of such pictures."""

from ..lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        ".galleries": "plot_bounding_box_gallery plot_image_gallery plot_segmentation_mask_gallery",
        ".marking": "draw_bounding_boxes draw_segmentation_masks",
    },
)
