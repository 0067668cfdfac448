"""Images: resizing, affine maps, cropping, padding, grey levels.

All take one image (height, width, channels) or a batch of them, channels second with `data_format="channels_first"`.
Pixel i covers [i, i + 1), its centre is at i + 1/2. Whole numbers are computed in `floatx`, rounded and clipped.
"""

from ...autograd import operation
from ...lazy import public_only
from . import affine, colours, margins, resizing
from .affine import FILL_MODES as FILL_MODES
from .resizing import KERNELS as KERNELS
from .resizing import nearest_pixels as nearest_pixels
from .resizing import resize_matrix as resize_matrix

__all__ = ["affine_transform", "crop_images", "pad_images", "resize", "rgb_to_grayscale"]

affine_transform = operation(affine.affine_transform, __name__)
crop_images = operation(margins.crop_images, __name__)
pad_images = operation(margins.pad_images, __name__)
resize = operation(resizing.resize, __name__)
rgb_to_grayscale = operation(colours.rgb_to_grayscale, __name__)
public_only(__name__)
