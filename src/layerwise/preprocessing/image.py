"""Pictures in files, as images and as arrays."""

from ..lazy import public_only
from ..utils.images import array_to_img, img_to_array, load_img, save_img, smart_resize

__all__ = ["array_to_img", "img_to_array", "load_img", "save_img", "smart_resize"]
public_only(__name__)
